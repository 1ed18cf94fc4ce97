"""Measures the processor time of gunicorn's gthread worker with our context and with its own TLS: `… ROUNDS`."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.programs.tls_cpu import Served, answer_of, compare, write_site

from tests.servers.process import end, free_port, wait_until

CONNECTIONS: Final = 30  # a round
CONF: Final = Path(__file__).with_name("tls_gunicorn_conf.py")


@contextmanager
def serving(folder: Path, client: ssl.SSLContext, *, is_ours: bool, is_mutual: bool) -> Generator[Served]:
    """Run gunicorn, and give its only worker."""
    port = free_port()
    told = json.dumps({"folder": str(folder), "port": port, "is_ours": is_ours, "is_mutual": is_mutual})
    command = [sys.executable, "-m", "gunicorn", "-c", str(CONF)]
    process = subprocess.Popen(command, env={**os.environ, "BENCH_TLS": told})
    try:
        started = Served(port, process.pid, client)
        wait_until(lambda: _is_ready(started), "gunicorn answers")
        yield Served(port, int(answer_of(started, "/pid")), client)
    finally:
        end(process)


def _is_ready(served: Served) -> bool:
    with suppress(OSError):
        return answer_of(served) == b"ok"
    return False


def main(rounds: int) -> None:
    """Measure TLS and mTLS."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        client = write_site(folder)
        for name, is_mutual in (("TLS", False), ("mTLS", True)):
            with ExitStack() as stack:
                servers = {
                    who: stack.enter_context(serving(folder, client, is_ours=who == "us", is_mutual=is_mutual))
                    for who in ("us", "default")
                }
                costs = compare(servers, rounds=rounds, connections=CONNECTIONS)
            print(json.dumps({"name": name, **costs}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

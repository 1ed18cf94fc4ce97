"""Lets a lease expire while its backend is away, and threads ask for another one when it is back: `… THREADS`.

It prints what the backend was asked for then.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.openbao import HOST, PATIENCE_S, ROOT, TOKEN, OpenBao, wait_until
from bench.programs.refresh_lease import PATH, Leased, open_database, set_life

from tests.servers.process import free_port
from wellkept import close, load
from wellkept.errors import SecretExpired

SHORT_S: Final = 3.0
LONG_S: Final = 3600.0  # of the login that the threads get: it needs nothing while they are counted
AGAIN_S: Final = 0.02  # after a refresh that did not help


def main(count: int) -> None:
    """Measure, and print it."""
    with open_database() as server, TemporaryDirectory() as folder:
        set_life(server, SHORT_S)
        file, port = Path(folder, "Config.toml"), free_port()
        file.write_text(f'db = "${{vault:{PATH}}}"\n', encoding="utf-8")
        environ = {"VAULT_ADDR": f"http://{HOST}:{port}", "VAULT_TOKEN": TOKEN}
        with _line(port, server.port):
            config = load(Leased, files=[file], environ=environ, redact=False)
            config.db.reveal()
        wait_until(lambda: _is_expired(config), "the end of the lease")
        set_life(server, LONG_S)
        before = len(_asked(server))
        users: list[str] = []
        go = threading.Event()
        threads = [threading.Thread(target=_need, args=(config, go, users)) for _ in range(count)]
        for thread in threads:
            thread.start()
        with _line(port, server.port):
            start = time.monotonic()
            go.set()
            for thread in threads:
                thread.join(PATIENCE_S)
            took_s = time.monotonic() - start
            asked = _asked(server)[before:]
            close(config)
    print(
        json.dumps({"threads": count, "served": len(users), "users": len(set(users)), "asked": asked, "took_s": took_s})
    )


def _need(config: Leased, go: threading.Event, users: list[str]) -> None:
    """Need a login that is good, as a program does: ask for one where it is not."""
    go.wait()
    end = time.monotonic() + PATIENCE_S
    while _is_expired(config) and time.monotonic() < end:
        if not config.db.refresh():
            time.sleep(AGAIN_S)
    users.append(config.db.reveal().username)


def _is_expired(config: Leased) -> bool:
    try:
        config.db.reveal()
    except SecretExpired:
        return True
    return False


def _asked(server: OpenBao) -> list[str]:
    """Every request that the backend has written down, by its path."""
    lines = map(json.loads, server.audit_file.read_text(encoding="utf-8").splitlines())
    return [line["request"]["path"] for line in lines if line["type"] == "request"]


@contextmanager
def _line(port: int, target: int) -> Generator[None]:
    """A line to the backend; afterwards connections to it are refused."""
    command = [sys.executable, "-m", "tests.servers.delay_proxy", "--listen", str(port), "--target", str(target)]
    with subprocess.Popen([*command, "--delay-ms", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is not None:
                process.stdout.readline()  # it says its port when it listens
            yield
        finally:
            process.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]))

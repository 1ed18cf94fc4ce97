"""Measures the processor time of an asyncio server with our context and with a plain one, and prints it: `… ROUNDS`."""

import json
import ssl
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.programs.tls_cpu import Served, compare, write_site

from tests.servers.process import end

CONNECTIONS: Final = 60  # a round: about 50 ms of the server, beside which the clock's own steps are nothing


def measure(folder: Path, client: ssl.SSLContext, *, is_mutual: bool, rounds: int) -> dict[str, float]:
    """Microseconds for a connection, by whose context it was."""
    command = [sys.executable, "-m", "bench.programs.tls_two_contexts", str(folder), json.dumps(is_mutual)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        ports: dict[str, int] = json.loads(process.stdout.readline() if process.stdout else b"")
        servers = {name: Served(port, process.pid, client) for name, port in ports.items()}
        return compare(servers, rounds=rounds, connections=CONNECTIONS)
    finally:
        end(process)


def main(rounds: int) -> None:
    """Measure TLS and mTLS."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        client = write_site(folder)
        for name, is_mutual in (("TLS", False), ("mTLS", True)):
            print(json.dumps({"name": name, **measure(folder, client, is_mutual=is_mutual, rounds=rounds)}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

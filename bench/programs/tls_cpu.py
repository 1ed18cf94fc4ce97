"""Processor time of a server by the connection: a blocking client, and the clock of another process.

It is imported by programs that are started as `-m bench.programs.…` in the root of the repository.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.tls.pki import CA

HOST: Final = "127.0.0.1"
SETTLE_S: Final = 0.01  # the server has closed its side of the last connection by then
WARM_UP: Final = 50


def write_site(folder: Path) -> ssl.SSLContext:
    """Write `server`, `client` and `trust` of one CA into a folder; the context of its client."""
    ca = CA("clients and server")
    ca.issue("localhost").write(folder, "server")
    client = ssl.create_default_context(cafile=ca.write(folder, "trust"))
    client.load_cert_chain(*ca.issue("orders.test").write(folder, "client").pair)
    return client


@dataclass(frozen=True)
class Served:
    """A server to be measured.

    Attributes:
        port: where it listens.
        process_id: the process that makes its connections.
        context: of the client.
    """

    port: int
    process_id: int
    context: ssl.SSLContext


def compare(servers: Mapping[str, Served], *, rounds: int, connections: int) -> dict[str, float]:
    """Microseconds of processor time for one new connection and its answer: medians of rounds with turns."""
    costs: dict[str, list[float]] = {name: [] for name in servers}
    for one in servers.values():
        _connect(one, WARM_UP)
    for number in range(rounds):
        for name in _turn(list(servers), number):
            one = servers[name]
            before = _cpu_s(one.process_id)
            _connect(one, connections)
            costs[name].append((_cpu_s(one.process_id) - before) / connections * 1e6)
    return {name: median(each) for name, each in costs.items()}


def answer_of(served: Served, path: str = "/") -> bytes:
    """Connect, ask once, and read until the server or we have had enough: the last line of the answer.

    Raises:
        OSError: the server does not answer.
    """
    with socket.create_connection((HOST, served.port), timeout=10) as raw:
        # Else the request waits 40 ms for an acknowledgement of the client's certificate, and finds cold caches.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = served.context.wrap_socket(raw, server_hostname="localhost")
        line.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        data = b""
        while part := line.recv(4096):
            data += part
        line.close()
        return data.rpartition(b"\r\n")[2]


def _connect(served: Served, count: int) -> None:
    for _ in range(count):
        if answer_of(served) != b"ok":
            raise RuntimeError("the server answers something else")
    time.sleep(SETTLE_S)


def _cpu_s(process_id: int) -> float:
    """What a process has used of the processors: the clock that clock_getcpuclockid(3) names, in nanoseconds."""
    return time.clock_gettime((~process_id << 3) | 2)


def _turn(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return [*names[first:], *names[:first]]

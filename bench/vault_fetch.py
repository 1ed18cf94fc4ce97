"""What secrets of a Vault cost in a process that runs already: beside hvac, and beside what the line allows."""

import json
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final

from harness import Row, compare_waits
from hvac import Client
from openbao import HOST, MOUNT, TOKEN, open_line, open_openbao

from wellkept import Secret, Settings, close, load
from wellkept.config.fetch import CONNECTIONS, Fetcher
from wellkept.model import Reference
from wellkept.registry import Schemes

RTT_MS: Final = 5
MOST: Final = 1_000
ROUNDS: Final = 9
FEW_ROUNDS: Final = 3  # of a thousand secrets: hvac takes seven seconds for them
PATH: Final = "many/s{:04}"
ONE_PATH: Final = "many/together"
KEY: Final = "password"

# Each load gets another time limit, so that none finds the session of the one before.
_fresh: Final = count(60)


def measure() -> list[Row]:
    """Read a hundred and a thousand secrets over a line of 5 ms."""
    with open_openbao() as server, TemporaryDirectory() as folder:
        server.write({PATH.format(number): {KEY: _value(number)} for number in range(MOST)})
        with open_line(server.port, RTT_MS) as port, open_line(server.tls_port, RTT_MS) as tls_port:
            address, secure = f"http://{HOST}:{port}", f"https://{HOST}:{tls_port}"
            return [
                _beside_hvac(folder, address, 100, ROUNDS, 0.15),
                _fetch_phase(port),
                _beside_hvac(folder, secure, 100, ROUNDS, 0.15, ca_file=server.ca_file),
                _beside_hvac(folder, address, MOST, FEW_ROUNDS, 0.12),
                _requests_for_one_path(folder),
            ]


def _beside_hvac(
    folder: str, address: str, number: int, rounds: int, most_ratio: float, *, ca_file: str | None = None
) -> Row:
    """Compare a whole `load` with hvac's reading of the same secrets, one by one.

    Raises:
        RuntimeError: one of them read something else than what was written.
    """
    cls, path = _settings_class(number), _config(folder, number, lambda n: f"{PATH.format(n)}#{KEY}")
    paths = [PATH.format(n) for n in range(number)]
    said: dict[str, list[str]] = {}

    def ours() -> None:
        said["wellkept"] = _load(cls, path, address, ca_file)

    def theirs() -> None:
        said["hvac"] = _read_by_hvac(address, paths, ca_file)

    if number < MOST:  # the first calls are slower; a thousand come after a hundred
        ours()
        theirs()
    times_s = compare_waits({"wellkept": ours, "hvac": theirs}, rounds=rounds)
    for name, values in said.items():
        if values != [_value(n) for n in range(number)]:
            raise RuntimeError(f"{name} read something else than what was written")
    secure = "" if ca_file is None else ", TLS"
    what = f"`load`, {number:,} Vault secrets, +{RTT_MS} ms{secure}"
    return Row(what, times_s["wellkept"] * 1e3, "ms", "hvac", times_s["hvac"] * 1e3, most_ratio=most_ratio)


def _fetch_phase(port: int) -> Row:
    """Compare what `load` does between resolving and converting with 16 threads that do nothing else."""
    paths = [PATH.format(number) for number in range(100)]
    questions = [Reference("vault", (MOUNT, *path.split("/")), (KEY,)) for path in paths]

    def ours() -> None:
        fetcher = Fetcher({}, _environ(f"http://{HOST}:{port}"), Schemes())
        fetcher.fetch(questions)
        fetcher.close()

    theirs = partial(_read_bare, port, paths)
    ours()
    if theirs() != {path: _value(number) for number, path in enumerate(paths)}:
        raise RuntimeError("http.client read something else than what was written")
    times_s = compare_waits({"wellkept": ours, "bare": theirs}, rounds=2 * ROUNDS + 1)
    what, peer = f"its fetching alone, 100 Vault secrets, +{RTT_MS} ms", f"http.client, {CONNECTIONS} threads"
    return Row(what, times_s["wellkept"] * 1e3, "ms", peer, times_s["bare"] * 1e3, most_ratio=1.3)


def _requests_for_one_path(folder: str) -> Row:
    """Count what the server itself writes down while a hundred keys of one secret are read."""
    cls, path = _settings_class(100), _config(folder, 100, lambda n: f"{ONE_PATH}#setting_{n}")
    with open_openbao(writes_audit=True) as server:
        server.write({ONE_PATH: {f"setting_{number}": _value(number) for number in range(100)}})
        before = server.count_requests()
        _load(cls, path, server.address)
        requests = server.count_requests() - before
    return Row("requests for 100 secrets of one path", requests, "", most=1)


def _load(cls: type[Settings], path: Path, address: str, ca_file: str | None = None) -> list[str]:
    config = load(cls, files=[path], environ=_environ(address, ca_file))
    values = [secret.reveal() for secret in vars(config).values()]
    close(config)
    return values


def _read_by_hvac(address: str, paths: Iterable[str], ca_file: str | None) -> list[str]:
    client = Client(url=address, token=TOKEN, verify=ca_file or True)
    read = client.secrets.kv.v2.read_secret_version
    values = [str(read(path, mount_point=MOUNT, raise_on_deleted_version=True)["data"]["data"][KEY]) for path in paths]
    client.adapter.close()
    return values


def _read_bare(port: int, paths: Iterable[str]) -> Mapping[str, str]:
    """The limit of threads and Python: connections that are kept, and nothing that guards them."""
    waiting: SimpleQueue[str] = SimpleQueue()
    for path in paths:
        waiting.put(path)
    found: dict[str, str] = {}

    def work() -> None:
        connection = HTTPConnection(HOST, port)
        with suppress(Empty):
            while True:
                path = waiting.get_nowait()
                connection.request("GET", f"/v1/{MOUNT}/data/{path}", headers={"X-Vault-Token": TOKEN})
                found[path] = json.loads(connection.getresponse().read())["data"]["data"][KEY]
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _environ(address: str, ca_file: str | None = None) -> Mapping[str, str]:
    environ = {"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN, "VAULT_CLIENT_TIMEOUT": str(next(_fresh))}
    return environ if ca_file is None else {**environ, "VAULT_CACERT": ca_file}


def _settings_class(number: int) -> type[Settings]:
    hints = {f"setting_{n}": Secret[str] for n in range(number)}
    return types.new_class("Many", (Settings,), {"env_prefix": "APP_"}, lambda body: body.update(__annotations__=hints))


def _config(folder: str, number: int, place: Callable[[int], str]) -> Path:
    path = Path(folder, "Config.toml")
    lines = [f'setting_{n} = "${{vault:{MOUNT}/{place(n)}}}"\n' for n in range(number)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _value(number: int) -> str:
    return f"a-password-of-32-characters-{number:04}"

"""Reveals without a pause while values are swapped beneath, and prints what one call took: `… SECONDS`.

A hundred static secrets are written anew all the time by another process, and looked at every second; a leased one
lives for five seconds. `_ns` is processor time of the thread that reveals, so that other processes disturb it little;
`_wall_ns` is the time that passes, with all waiting for the interpreter and for a processor.
"""

import json
import subprocess
import sys
import time
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import Timer
from typing import Final

from bench.openbao import MOUNT, ROOT, TOKEN, OpenBao
from bench.programs.refresh_lease import PATH, Leased, open_database, set_life

from wellkept import Secret, Settings, close, load

SECRETS: Final = 100
FOLDER: Final = "swapped/s{:04}"
LIFE_S: Final = 5.0  # a thread that never pauses leaves others the interpreter every 5 ms: each request takes longer
CALLS: Final = 10_000
PAUSE_S: Final = 0.2  # between two versions of all of them


def main(seconds: float) -> None:
    """Measure static, then leased."""
    with open_database() as server, TemporaryDirectory() as folder:
        set_life(server, LIFE_S)
        environ = {"VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN}
        leased_file, static_file = Path(folder, "Leased.toml"), Path(folder, "Static.toml")
        leased_file.write_text(f'db = "${{vault:{PATH}}}"\n', encoding="utf-8")
        lines = [f'setting_{n} = "${{vault:{MOUNT}/{FOLDER.format(n)}?ttl=1s#value}}"\n' for n in range(SECRETS)]
        static_file.write_text("".join(lines), encoding="utf-8")
        _write(server, 0)
        hints = {f"setting_{n}": Secret[str] for n in range(SECRETS)}
        cls: type[Settings] = types.new_class("Many", (Settings,), {}, lambda body: body.update(__annotations__=hints))
        static = load(cls, files=[static_file], environ=environ, redact=False)
        secret: Secret[str] = vars(static)["setting_7"]
        with _writing(server.port):
            told = _means("static", secret.reveal, secret.reveal, seconds)
        close(static)
        leased = load(Leased, files=[leased_file], environ=environ, redact=False)
        told |= _means("leased", leased.db.reveal, lambda: leased.db.reveal().username, seconds)
        close(leased)
    print(json.dumps(told))


def _means(name: str, reveal: Callable[[], object], value: Callable[[], str], seconds: float) -> dict[str, float]:
    """Nanoseconds of a mean call, beside those of a secret that nothing refreshes; and how many swaps there were."""
    alone = Secret("a-password-of-a-database", name="alone")
    timers = [Timer(one, timer=time.thread_time) for one in (reveal, alone.reveal)]
    calls, wall_s, cpu_s, values = 0, 0.0, [0.0, 0.0], set[str]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        cpu_s[0] += timers[0].timeit(CALLS)
        wall_s += time.perf_counter() - start
        cpu_s[1] += timers[1].timeit(CALLS)
        calls += CALLS
        values.add(value())
    means = {"ns": cpu_s[0], "quiet_ns": cpu_s[1], "wall_ns": wall_s}
    return {f"{name}_swaps": len(values) - 1, **{f"{name}_{one}": s / calls * 1e9 for one, s in means.items()}}


def _write(server: OpenBao, number: int) -> None:
    server.write({FOLDER.format(n): {"value": f"a-password-of-32-characters-{number}-{n:04}"} for n in range(SECRETS)})


@contextmanager
def _writing(port: int) -> Generator[None]:
    command = [sys.executable, "-m", "bench.programs.refresh_reveal", "writer", str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield
        finally:
            process.terminate()


def write_on(port: int) -> None:
    """Write new versions until somebody ends it."""
    server, number = OpenBao(port, 0, "", Path()), 0
    while True:
        number += 1
        _write(server, number)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    if sys.argv[1] == "writer":
        write_on(int(sys.argv[2]))
    else:
        main(float(sys.argv[1]))

"""Timing that survives a noisy machine: candidates take turns in one run, and medians are compared.

A figure here means little by itself, because the machine does other things too. Two figures of the
same run were disturbed alike, so their ratio holds.
"""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from timeit import Timer

ROUNDS = 21  # at least 15 for a steady median, and odd, so that the median is one of the measurements

PYTHON = (sys.executable, "-I")  # isolated: no variable and no folder of the user's changes what is loaded
BARE = (*PYTHON, "-c", "pass")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured.
        us: wellkept's figure.
        unit: of `us` and `theirs`.
        peer: who stands beside it, or "".
        theirs: the peer's figure, or None.
        most: the most that `us` may be, or None.
        most_ratio: the most that `ratio` may be, or None.
    """

    what: str
    us: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    most: float | None = None
    most_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure ours is."""
        return self.us / self.theirs if self.theirs else None

    @property
    def is_met(self) -> bool | None:
        """Whether the figure is where it has to be; None where nothing was promised."""
        if self.most is not None:
            return self.us <= self.most
        if self.most_ratio is not None and self.ratio is not None:
            return self.ratio <= self.most_ratio
        return None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost, from its start to its end.

    Attributes:
        wall_ms: time that passed.
        cpu_ms: user and system time that it used.
    """

    wall_ms: float
    cpu_ms: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_ms - other.wall_ms, self.cpu_ms - other.cpu_ms)


def compare_processes(
    commands: Mapping[str, Sequence[str]],
    *,
    folder: str = "/",
    environ: Mapping[str, str] | None = None,
    rounds: int = ROUNDS,
) -> dict[str, Cost]:
    """Run each command once a round, and return the median cost of each.

    Args:
        commands: by name; each must end well.
        folder: where they run.
        environ: their variables beside PATH.
        rounds: how often each runs.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for command in commands.values():  # the first run writes the bytecode
        read_output(command, folder=folder, environ=environ)
    for number in range(rounds):
        for name in _turn(list(commands), number):
            costs[name].append(_run(commands[name], folder, environ))
    return {
        name: Cost(median(one.wall_ms for one in each), median(one.cpu_ms for one in each))
        for name, each in costs.items()
    }


def compare_calls(functions: Mapping[str, Callable[[], object]], *, calls: int) -> dict[str, float]:
    """Call each function many times a round, and return the median of their mean times in seconds.

    The times are those of the processor: none of the functions waits for anything, and what other
    processes do would only disturb.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    # timeit switches the garbage collector off; a service runs with it.
    timers = {name: Timer(function, setup=gc.enable, timer=time.process_time) for name, function in functions.items()}
    for timer in timers.values():
        timer.timeit(calls)
    for number in range(ROUNDS):
        for name in _turn(list(functions), number):
            times[name].append(timers[name].timeit(calls) / calls)
    return {name: median(each) for name, each in times.items()}


def compare_waits(functions: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Call each function once a round, and return the median of their times in seconds.

    The times are those of the clock, since these wait for a server. Nothing is called beforehand:
    the caller has called them once already, to see that they say the same.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds):
        for name in _turn(list(functions), number):
            gc.collect()  # nobody pays for what another one left behind
            start = time.perf_counter()
            functions[name]()
            times[name].append(time.perf_counter() - start)
    return {name: median(each) for name, each in times.items()}


def read_output(command: Sequence[str], *, folder: str = "/", environ: Mapping[str, str] | None = None) -> str:
    """Run a command once, untimed, and return what it printed.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, cwd=folder, env=_environ(environ), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def _run(command: Sequence[str], folder: str, environ: Mapping[str, str] | None) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=_environ(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed after it had worked once")
    return Cost(wall_s * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3)


def _environ(more: Mapping[str, str] | None) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), **(more or {})}


def _turn(names: Sequence[str], number: int) -> Sequence[str]:
    """Another one begins each round: who runs after whom must not matter."""
    first = number % len(names)
    return [*names[first:], *names[:first]]

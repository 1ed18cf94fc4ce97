"""What a fleet asks of its backend: the real plan, simulated for 10 to 10,000 instances; with chance and without.

`python bench/fleet.py FILE` draws the partition and its heal into FILE, as docs/fleet.md shows it.
"""

import random  # noqa: TID251 a figure that can be drawn again needs a seed, and nothing here is secret
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleet_figure import Curve, draw
from fleet_model import Backend, Chance, Fleet, Instance, Needs, Outage
from harness import Row
from tls_programs import scaled

SEED: Final = 6
COUNTS: Final = (10, 100, 1_000, 10_000)
MOST: Final = 10_000

BEGINS_S: Final = 60  # of an outage: all have looked several times by then
PARTITION_S: Final = 60
RESTART_S: Final = 10
AFTER_S: Final = 10  # the budget is about so much after the heal
ROLLING_S: Final = 600  # of a rolling start
LIFE_S: Final = 3600  # of a lease

Scenario = Callable[[int, Chance], Backend]


def measure() -> list[Row]:
    """Simulate all of it."""
    many = scaled(MOST)
    rows = [row for count in COUNTS for row in _after_outage("heal of a partition of 60 s", partition, scaled(count))]
    rows += _after_outage("restart of the backend in 10 s", restart, many)
    return [*rows, _steady(many), *_renewals(many), *_starts(many)]


def partition(count: int, chance: Chance) -> Backend:
    """A fleet that was steady has no line to its backend for 60 s; then half a minute more."""
    return _outage(count, chance, Outage(BEGINS_S, BEGINS_S + PARTITION_S, is_silent=True))


def restart(count: int, chance: Chance) -> Backend:
    """A fleet that was steady is refused for 10 s; then half a minute more."""
    return _outage(count, chance, Outage(BEGINS_S, BEGINS_S + RESTART_S, is_silent=False))


def chance_of(seed: int | None) -> Chance:
    """Chance, or what is always the same: then all instances do the same at one moment."""
    return (lambda: 0.5) if seed is None else random.Random(seed).random  # noqa: S311 see above


def _outage(count: int, chance: Chance, outage: Outage) -> Backend:
    backend = Backend([outage])
    _begun(count, backend, Needs(), chance).run(outage.ends_s + 30)
    return backend


def _begun(count: int, backend: Backend, needs: Needs, chance: Chance) -> Fleet:
    """A fleet whose instances have all begun at one moment: the worst that there is."""
    fleet = Fleet(backend, needs, chance)
    for _ in range(count):
        fleet.begin(Instance(), 0.0)
    return fleet


def _after_outage(what: str, scenario: Scenario, count: int) -> list[Row]:
    """The busiest second of the ten after an outage, beside their mean."""
    rows: list[Row] = []
    for seed in (SEED, None):
        backend = scenario(count, chance_of(seed))
        ends_s = int(backend.outages[0].ends_s)
        seconds = backend.per_second(ends_s, ends_s + AFTER_S)
        row = _row(f"{count:,} instances, {what}", seed, seconds, backend)
        is_promised = seed is not None and scenario is partition and count == scaled(MOST)
        rows.append(replace(row, most_ratio=2.0) if is_promised else row)
        if is_promised:  # a storm that lasts for all of the ten seconds would have a fine ratio
            rows.append(Row("… requests that the backend refused with 429", backend.limited, "", most=0))
    return rows if count == scaled(MOST) else rows[:1]


def _steady(count: int) -> Row:
    backend = Backend()
    _begun(count, backend, Needs(), chance_of(SEED)).run(180)
    return _row(f"{count:,} instances, steady", SEED, backend.per_second(120, 180), backend)


def _renewals(count: int) -> list[Row]:
    """Leases of an hour, all given at one moment: their first renewal."""
    rows: list[Row] = []
    for seed in (SEED, None):
        backend = Backend()
        _begun(count, backend, Needs(folders=0, lives_s=(LIFE_S,)), chance_of(seed)).run(LIFE_S)
        begins_s, ends_s = min(backend.arrived), max(backend.arrived)
        seconds = backend.per_second(begins_s, ends_s + 1)
        rows.append(_row(f"{count:,} leases of an hour, renewed within {len(seconds)} s", seed, seconds, backend))
    return rows


def _starts(count: int) -> list[Row]:
    """All at one moment, and one after the other: how busy the busiest second is, and how long until all run."""
    rows: list[Row] = []
    for what, over_s in (("started at one moment", 0), (f"started within {ROLLING_S} s", ROLLING_S)):
        backend = Backend()
        fleet = Fleet(backend, Needs(), chance_of(SEED))
        for number in range(count):
            fleet.start(over_s * number / count)
        fleet.run(over_s + 1200)
        last_s = max(fleet.running_since)
        seconds = backend.per_second(0, int(last_s) + 1)
        row = _row(f"{count:,} instances {what}, the last runs at {last_s:.0f} s", SEED, seconds, backend)
        rows.append(replace(row, what=f"{row.what}, {fleet.restarts:,} starts failed") if fleet.restarts else row)
    return rows


def _row(what: str, seed: int | None, seconds: Sequence[int], backend: Backend) -> Row:
    notes = ["" if seed is not None else ", no jitter", f", {backend.limited:,} refused" if backend.limited else ""]
    mean = sum(seconds) / len(seconds)
    return Row(f"fleet: {what}{''.join(notes)}: busiest second", max(seconds), "/s", f"mean of {len(seconds)} s", mean)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part of the figure.

    Attributes:
        label: its name.
        seed: of its chance.
    """

    label: str
    seed: int | None


def figure() -> str:
    """The partition of 10,000 instances and its heal, with chance and without, as SVG."""
    begins_s, ends_s = BEGINS_S - 30, BEGINS_S + PARTITION_S + 30
    curves: list[Curve] = []
    for one in (Drawn("chance always 0.5", None), Drawn(f"as it is (seed {SEED})", SEED)):
        backend = partition(MOST, chance_of(one.seed))
        curves.append(Curve(one.label, backend.per_second(begins_s, ends_s)))
    title = f"Requests a second of {MOST:,} instances: a partition of {PARTITION_S} s, and its heal"
    return draw(title, curves, first_s=begins_s - BEGINS_S, outage_s=(0, PARTITION_S))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(figure(), encoding="utf-8")

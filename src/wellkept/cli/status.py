"""`wellkept status`: how fresh the secrets of a running process are, and how their sources do. Never a value."""

import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import click

from wellkept._dataclasses import dataclass
from wellkept._files import FileFault
from wellkept.cli import render
from wellkept.errors import EXIT_FINDINGS, EXIT_FINE, EXIT_USAGE, Denied, Malformed, UsageError, WellkeptError
from wellkept.refresh.served import ROOT, runtime_folders
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.refresh.status_client import ask, has_socket, owner_of, processes
from wellkept.refresh.status_json import status_to_json
from wellkept.secret import State

SECRETS: Final = ("setting", "origin", "state", "age", "checked", "next", "expires", "failure")
SOURCES: Final = ("source", "answers", "circuit", "requests", "failures", "login ends")
PROCESSES: Final = ("pid", "program", "secrets", "worst")

_INTERVAL_S = 1.0  # of --watch
_CLEARED = "\x1b[H\x1b[2J"
_WELL = frozenset({State.FRESH, State.DUE})
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process answers.

    Attributes:
        folder: the folder of its socket.
        pid: its number.
        user: the number of the user whose it is.
    """

    folder: str
    pid: int
    user: int

    def ask(self) -> Status:
        """Ask it."""
        return ask(self.folder, self.pid, user=self.user)


def complete_pid(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The processes that answer, for the shell."""
    try:
        return [str(one.pid) for one in _places() if str(one.pid).startswith(begun)]
    except WellkeptError:  # a shell has no use for errors
        return []


@click.command("status")
@click.argument("pid", required=False, type=click.IntRange(min=1), metavar="[PID]", shell_complete=complete_pid)
@click.option("--watch", "is_watched", is_flag=True, help="Go on until Ctrl-C; without a terminal a line a change.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document; with --watch one a change.")
def command(pid: int | None, *, is_watched: bool, wants_json: bool) -> int:
    """Say how fresh the secrets of a running process are, and how their sources do.

    It answers where `[wellkept] status = true` stands in its Config.toml. Without PID: the one
    process of this user that answers, or a table of all. Exit code 0 if all is well, 1 if a secret
    is stale, gone or expired, or if no process answers; 69 if PID does not, 77 if it belongs to
    somebody else.
    """
    places = _places() if pid is None else [_place_of(pid)]
    if not places:
        if wants_json:
            render.as_json({"processes": []})
        raise _none()
    if len(places) > 1 and is_watched:
        named = ", ".join(str(one.pid) for one in places)
        raise UsageError("status: --watch is for one process", hint=f"name one of {named}")
    if len(places) > 1:
        return _tell_all(places, wants_json=wants_json)
    try:
        if is_watched:
            return _watch(places[0], wants_json=wants_json)
        with render.waiting(f"waiting for process {places[0].pid}"):
            status = places[0].ask()
    except Malformed as error:
        render.failure(error)
        return EXIT_USAGE  # it cannot tell
    if wants_json:
        document = status_to_json(status)
        render.as_json({"processes": [document]} if pid is None else document)
    else:
        _show(status)
    return _code(status)


def _none() -> WellkeptError:
    return WellkeptError(
        "status: no process of this user answers",
        hint="write status = true under [wellkept] in the Config.toml of a process, and start it again",
    )


def _place_of(pid: int) -> Place:
    us, user = os.geteuid(), owner_of(pid)
    if user is None or user == us:
        folders, user = runtime_folders(os.environ), us
    elif us == ROOT:
        folders = runtime_folders(os.environ, user)
    else:
        raise Denied(f"process {pid}: belongs to another user", hint=f"sudo wellkept status {pid}")
    return Place(next((one for one in folders if has_socket(one, pid)), folders[0]), pid, user)


def _places() -> list[Place]:
    """All processes of this user that answer."""
    found: list[Place] = []
    faults: list[FileFault] = []
    for folder in runtime_folders(os.environ):
        try:
            found += [Place(folder, pid, os.geteuid()) for pid in processes(folder)]
        except FileFault as fault:
            faults.append(fault)
    if faults and not found:
        raise Denied(faults[0].message, hint=faults[0].hint)
    return sorted(found, key=lambda one: one.pid)


def _tell_all(places: list[Place], *, wants_json: bool) -> int:
    answers: list[Status] = []
    with render.waiting(f"waiting for {len(places)} processes"):
        for place in places:
            try:
                answers.append(place.ask())
            except WellkeptError as error:  # it ended, or is stopped: the others are told of all the same
                render.warn(error.message)
    if wants_json:
        render.as_json({"processes": [status_to_json(one) for one in answers]})
    elif answers:
        rows = [(str(one.pid), _program(one.pid), str(len(one.secrets)), str(one.worst)) for one in answers]
        render.table(PROCESSES, rows)
    if not answers:
        raise _none()
    return EXIT_FINE


def _program(pid: int) -> str:
    """What a process is called; never its arguments, in which anything may stand."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as name:  # noqa: PTH123 text in
            return render.printable(name.read().strip())
    except OSError:
        return "–"


def _show(status: Status) -> None:
    if not status.secrets:
        render.talk(f"process {status.pid}: has no secret that is kept fresh")
    else:
        render.table(SECRETS, render.columns([_secret_row(one) for one in status.secrets], SECRETS))
    if status.sources:
        render.out("")
        render.table(SOURCES, render.columns([_source_row(one) for one in status.sources], SOURCES))


def _secret_row(secret: SecretStatus) -> Mapping[str, object]:
    return {
        "setting": secret.name,
        "origin": secret.origin if secret.version is None else f"{secret.origin} v{secret.version}",
        "state": secret.state,
        "age": _span(secret.age_s),
        "checked": _span(secret.checked_s),
        "next": _span(secret.next_s),
        "expires": _span(secret.expires_s),
        "failure": secret.failure,
    }


def _source_row(source: SourceStatus) -> Mapping[str, object]:
    return {
        "source": source.name,
        "answers": "yes" if source.is_answering else "no",
        "circuit": "open" if source.is_circuit_open else "closed",
        "requests": source.requests,
        "failures": source.failures,
        "login ends": _span(source.login_s),
    }


def _span(seconds: float | None) -> str | None:
    """A span of time with two units at the most: `2h 05m`."""
    if seconds is None:
        return None
    whole = max(round(seconds), 0)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m {whole % _MINUTE_S:02}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h {whole % _HOUR_S // _MINUTE_S:02}m"
    return f"{whole // _DAY_S}d {whole % _DAY_S // _HOUR_S:02}h"


def _code(status: Status) -> int:
    return EXIT_FINE if status.worst in _WELL else EXIT_FINDINGS


def _watch(place: Place, *, wants_json: bool) -> int:
    """Show it again and again; Ctrl-C ends this, or the process itself."""
    is_drawn = sys.stdout.isatty() and not wants_json
    known: Mapping[str, str] = {}
    while True:
        status = place.ask()
        if is_drawn:
            render.out(f"{_CLEARED}process {status.pid}, {_now()}")
            _show(status)
        else:
            facts = _facts(status)
            if facts != known and wants_json:
                render.as_json(status_to_json(status))
            elif facts != known:
                _tell_changes(known, facts)
            sys.stdout.flush()  # who reads a pipe waits for each line
            known = facts
        time.sleep(_INTERVAL_S)


def _facts(status: Status) -> Mapping[str, str]:
    """What a change is of; ages alone change all the time."""
    facts = {"status": "answers"}
    for secret in status.secrets:
        row = _secret_row(secret)
        why = "" if secret.failure is None else f" ({secret.failure})"
        facts[secret.name] = f"{secret.state}{why}, {row['origin']}"
    for source in status.sources:
        circuit = ", left alone for a moment" if source.is_circuit_open else ""
        facts[f"source {source.name}"] = f"{'answers' if source.is_answering else 'does not answer'}{circuit}"
    return facts


def _tell_changes(known: Mapping[str, str], facts: Mapping[str, str]) -> None:
    for name in (*facts, *(one for one in known if one not in facts)):
        text = facts.get(name, "is kept no more")
        if known.get(name) != text:
            render.out(f"{_now()} {render.printable(f'{name}: {text}')}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

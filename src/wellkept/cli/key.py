"""KEY on the command line: the secret that a person names, and what its source can do with it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from shlex import quote
from typing import Any

import click

from wellkept._files import shown
from wellkept._names import did_you_mean
from wellkept._patterns import pattern
from wellkept.cli import render
from wellkept.cli.store import complete_key, environ_for, is_stored, named, parse_stored
from wellkept.config.fetch import COMMON_OPTIONS
from wellkept.config.reference import ESCAPE_HINT, SEALED_SCHEME, Refusal, parse_reference
from wellkept.errors import Conflict, UsageError, WellkeptError
from wellkept.model import Reference
from wellkept.ports import Lists, Source, Writes
from wellkept.registry import Schemes, open_source
from wellkept.secret import Secret

_SCHEME = pattern(r"[A-Za-z][A-Za-z0-9_-]*")
EXAMPLE = "vault:secret/prod/db#password"

Decorated = Callable[..., Any]


def source_options(function: Decorated) -> Decorated:
    """Add KEY, and the options that every command with a KEY has: `--file` and `--json`."""
    return click.argument("key", metavar="KEY", shell_complete=complete_key)(place_options(function))


def place_options(function: Decorated) -> Decorated:
    """Add `--file` and `--json`."""
    for decorate in (
        click.option("--json", "wants_json", is_flag=True, help="Print one JSON document."),
        click.option(
            "--file",
            "files",
            multiple=True,
            type=click.Path(),
            help="The Secrets.toml that is meant; for a provider, where its table stands, first one strongest.",
        ),
    ):
        function = decorate(function)
    return function


def parse_key(text: str, files: Sequence[str] = ()) -> Reference:
    """Parse KEY: a key of Secrets.toml, or a reference as Config.toml holds it, with or without its `${` and `}`.

    Whether there is such a scheme, the opening of its source says: a file may configure more.

    Raises:
        UsageError: it is no reference. It is not quoted: a value may stand there by mistake.
    """
    body = text[2:-1] if text.startswith("${") and text.endswith("}") else text
    scheme, colon, _ = body.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        return parse_stored(body, files)
    if scheme == SEALED_SCHEME:
        raise UsageError("KEY: enc: stands in Secrets.toml only", hint="write the key alone, as in db.password")
    reference = parse_reference(body, {scheme})
    if isinstance(reference, Reference):
        return reference
    raise _refused(reference)


@contextmanager
def opened_for(reference: Reference, files: Sequence[str]) -> Generator[Source]:
    """Open the source of a KEY, and close it at the end.

    Raises:
        WellkeptError: as `wellkept.undeclared.opened`, or Secrets.toml cannot be read.
    """
    if is_stored(reference):
        yield open_source(reference.scheme, environ_for(reference.base or ""))
        return
    # By name: what reads the tables of providers takes 9 ms to load, and Secrets.toml needs none.
    with import_module("wellkept.undeclared").opened(reference.scheme, files=files) as source:
        yield source


def judge_options(reference: Reference, source: Source, *, may_pin: bool) -> None:
    """Refuse an option that the source does not know, or that has no sense here.

    Raises:
        UsageError: there is one.
    """
    names = [name for name, _ in reference.options]
    if not may_pin and "version" in names:
        raise UsageError("KEY: pins a version, and only the newest one can be changed", hint="leave out version=")
    known = {*COMMON_OPTIONS, *getattr(source, "options", ())}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"options are {', '.join(sorted(known))}"
            raise UsageError(f"KEY: {reference.scheme} has no option {name}", hint=hint)


def writable(source: Source, scheme: str, files: Sequence[str]) -> Writes:
    """The source, if it can be written.

    Raises:
        UsageError: it cannot; the hint names the schemes that can.
    """
    if isinstance(source, Writes):
        return source
    raise UsageError(f"{scheme}: cannot be written", hint=_able(files, lambda one: isinstance(one, Writes)))


def listable(source: Source, scheme: str, files: Sequence[str]) -> Lists:
    """The source, if it can say what it holds.

    Raises:
        UsageError: it cannot; the hint names the schemes that can.
    """
    if isinstance(source, Lists):
        return source
    raise UsageError(f"{scheme}: cannot be listed", hint=_able(files, lambda one: isinstance(one, Lists)))


def write(source: Writes, reference: Reference, value: Secret[str] | None, if_version: str | None) -> str | None:
    """Write a value, or remove what is there; return the new version.

    Raises:
        Conflict: it changed meanwhile; the hint names the command that shows how.
        SourceError: it was not written.
    """
    try:
        with render.waiting(f"waiting for {waited_for(reference)}"):
            return source.write(reference, None if value is None else value.reveal(), expected_version=if_version)
    except Conflict as error:
        fact = error.message
    raise Conflict(fact, hint=f"look with wellkept get {quote(named(reference))}, and run it again")


def waited_for(reference: Reference) -> str:
    """What a command waits for that takes long."""
    return shown(reference.base or "") if is_stored(reference) else reference.scheme


def _refused(refusal: Refusal) -> UsageError:
    if ESCAPE_HINT in refusal.hint:  # that is about a text with a reference in it
        return UsageError("KEY: is no reference", hint=f"write {EXAMPLE}")
    return UsageError(f"KEY: {refusal.message}", hint=refusal.hint)


def _able(files: Sequence[str], can: Callable[[Source], bool]) -> str:
    """Name the schemes that can do it, of those that are set up here."""
    able = [scheme for scheme in sorted(Schemes()) if _opens(scheme, files, can)]
    return f"those that can: {', '.join(able)}" if able else f"name a provider that can, as in {EXAMPLE}"


def _opens(scheme: str, files: Sequence[str], can: Callable[[Source], bool]) -> bool:
    try:
        with import_module("wellkept.undeclared").opened(scheme, files=files) as source:
            return can(source)
    except WellkeptError:  # it is not set up here
        return False

"""`wellkept set`: write one secret. Its value comes from a prompt, a pipe or a file, never from an argument."""

import sys
from collections.abc import Sequence

import click

from wellkept._dataclasses import replace
from wellkept._files import MAX_FILE_BYTES, MIB, read_file
from wellkept._names import did_you_mean
from wellkept.cli import ask, render
from wellkept.cli.given import given_secret
from wellkept.cli.key import EXAMPLE, judge_options, opened_for, parse_key, source_options, writable, write
from wellkept.cli.store import is_stored, named
from wellkept.errors import UsageError
from wellkept.model import Reference
from wellkept.ports import Source
from wellkept.secret import Secret

OPTIONS = ("--from-file", "--line", "--if-version", "--file", "--json", "--help")


# A misspelt option may be a value that begins with a dash, and click would quote it.
@click.command("set", context_settings={"ignore_unknown_options": True}, options_metavar="[OPTIONS]")
@source_options
@click.option("--from-file", "source_file", metavar="PATH", type=click.Path(), help="Take the value from this file.")
@click.option("--if-version", "if_version", metavar="N", help="Write only if N is still the newest version.")
@click.option("--line", type=click.IntRange(min=1), help="Keep the value of this line, where a merge left several.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="")
def command(
    key: str,
    files: Sequence[str],
    source_file: str | None,
    if_version: str | None,
    *,
    line: int | None,
    words: Sequence[str],
    wants_json: bool,
) -> None:
    """Write one secret.

    KEY says where: db.password is a key of Secrets.toml, and vault:secret/prod/db#password one of
    a provider, where other keys of the same secret stay. The
    value is asked for twice on a terminal and not shown; otherwise it is read from stdin, or
    with --from-file from a file. One final newline is not part of it. It never stands on the
    command line, where the process list and the shell's history would show it.
    """
    if words:
        raise _misplaced(words)
    if line is not None and source_file is not None:
        raise UsageError("--line: takes the value that stands there, and --from-file another", hint="leave one out")
    reference = _parsed(key, files)
    with opened_for(reference, files) as source:
        judge_options(reference, source, may_pin=False)
        target = writable(source, reference.scheme, files)
        kept = _kept(source, reference, line) if line is not None else None
        version = write(target, reference, kept or _value(reference, source_file), if_version)
    if wants_json:
        render.as_json({"key": named(reference), "version": version})
    else:
        shown = named(reference)
        render.talk(f"set {shown}" if version is None else f"set {shown}, now version {version}")


def _misplaced(words: Sequence[str]) -> UsageError:
    """The refusal of words that may be a value, without them."""
    typed = (word.partition("=")[0] for word in words if word.startswith("--"))
    near = next((hint for hint in (did_you_mean(word, OPTIONS) for word in typed) if hint), None)
    if near is not None:
        return UsageError("set: has no such option", hint=near)
    return UsageError(
        "set: takes no value on the command line, where the process list and the shell's history show it",
        hint="if it was the real one, replace it; run set without it, and type, pipe or name a file",
    )


def _kept(source: Source, reference: Reference, line: int) -> Secret[str]:
    """The value of one line of a key that a merge left more than once."""
    if not is_stored(reference):
        raise UsageError("--line: is for keys of Secrets.toml", hint="leave it out")
    value = source.fetch(replace(reference, options=(("line", str(line)),))).value
    if isinstance(value, str):
        return Secret(value)
    value = None  # a traceback may show the locals of this frame
    raise UsageError(f"{named(reference)}: is no text", hint="delete the other line, or use wellkept edit")


def _parsed(key: str, files: Sequence[str]) -> Reference:
    reference = parse_key(key, files)
    if is_stored(reference):
        return reference
    if not reference.key:
        raise UsageError(f"{reference}: names no key to set", hint=f"say which one behind a #, as in {EXAMPLE}")
    if "=" in key.partition("#")[2]:
        raise UsageError("KEY: holds a =, as if a value followed", hint="leave it out, or write %3D for a plain =")
    return reference


def _value(reference: Reference, path: str | None) -> Secret[str]:
    if path is not None:
        return _checked(read_file(path), path)
    if sys.stdin is None:
        raise UsageError("stdin: is closed", hint="pipe the value in, or name a file with --from-file")
    if not sys.stdin.isatty():
        return _checked(sys.stdin.buffer.read(MAX_FILE_BYTES + 1), "stdin")
    first = _checked(ask.for_hidden(f"value of {named(reference)}: "), "the value")
    if first != _checked(ask.for_hidden("the same again: "), "the value"):
        raise UsageError("the value: was typed differently the second time", hint="run it again")
    return first


def _checked(given: bytes, where: str) -> Secret[str]:
    hint = "type the value, pipe it in, or name a file with --from-file"
    most = MAX_FILE_BYTES, f"holds more than {MAX_FILE_BYTES // MIB} MiB"
    return given_secret(given, where, "value", most=most, hint=hint)

"""`wellkept import`: the values of a .env or TOML file into Secrets.toml, all of them or none."""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase

import click

from wellkept._dataclasses import dataclass, field
from wellkept._files import MAX_FILE_BYTES, MIB, read_file, shown
from wellkept._names import canonical_path
from wellkept.cli import render
from wellkept.cli.incoming import ENV, TOML, Candidate, Incoming, Staying, read_content
from wellkept.cli.store import secrets_file, store_options, store_path
from wellkept.crypto.edit import with_all
from wellkept.crypto.opened import Opened
from wellkept.crypto.plaintext import to_plaintext
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.store import SecretsFile
from wellkept.errors import Conflict, UsageError

STDIN = "-"


@dataclass(slots=True)
class _Done:
    """What became of the values, by their keys."""

    added: list[str] = field(default_factory=list[str])
    replaced: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])

    def __len__(self) -> int:
        return len(self.added) + len(self.replaced) + len(self.unchanged)


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice([ENV, TOML]),
    help="What FILE is; otherwise its name says so: toml for *.toml, else env.",
)
@click.option("--only", "globs", metavar="GLOB", multiple=True, help="Only these, by the name in FILE or by the key.")
@click.option("--replace", "replaces", is_flag=True, help="Take the value of FILE for keys that are there already.")
@store_options
def command(
    source: str, form: str | None, globs: Sequence[str], files: Sequence[str], *, replaces: bool, wants_json: bool
) -> None:
    """Bring the values of a file into Secrets.toml.

    FILE is a .env file, a TOML file, or - for stdin. DB_PASSWORD becomes dbPassword, and
    BAL_CONFIG_VAR_DB__PASSWORD becomes db.password; a value of TOML keeps its key and type. In a .env
    file $NAME is text, and nothing is filled in for it. References stay where they are, and so does
    [wellkept]. All values come in, or none. FILE stays as it is.
    """
    name = "stdin" if source == STDIN else shown(source)
    file = secrets_file(store_path(files))
    holding = read_content(_content(source), name, form or (TOML if source.endswith(".toml") else ENV))
    judged = [holding.judge(one) for one in _chosen(holding.candidates, globs)]
    incoming = [one for one in judged if isinstance(one, Incoming)]
    staying = [one for one in judged if isinstance(one, Staying)]
    done = _write(file, incoming, replaces=replaces) if incoming else _Done()
    if wants_json:
        lists = {"added": done.added, "replaced": done.replaced, "unchanged": done.unchanged}
        left = [{"name": one.name, "reason": one.reason} for one in staying]
        render.as_json({"file": file.name, "source": name, **lists, "staying": left})
        return
    _tell(file.name, name, done, staying)
    filled = [one.name for one in incoming if one.fills_in]
    if filled:
        render.warn(f"{', '.join(filled)}: the $ in it is taken as it stands; nothing is filled in")
    if done and source != STDIN:
        render.talk(f"{name} still holds them: delete it, and if it was ever committed, change them at their origin")


def _content(source: str) -> bytes:
    if source != STDIN:
        return read_file(source)
    if sys.stdin is None:
        raise UsageError("stdin: is closed", hint="pipe the file in, or name it")
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if len(content) <= MAX_FILE_BYTES:
        return content
    content = b""  # a traceback may show the locals of this frame
    raise UsageError(f"stdin: holds more than {MAX_FILE_BYTES // MIB} MiB", hint="split it")


def _chosen(candidates: Sequence[Candidate], globs: Sequence[str]) -> Sequence[Candidate]:
    """Those that a GLOB names; each GLOB must name one."""
    names = [(one.name, spelt(one.path)) for one in candidates]
    for glob in globs:
        if not any(fnmatchcase(name, glob) for pair in names for name in pair):
            raise UsageError(f"--only: {glob} names nothing in the file", hint="quote it, and look at the names there")
    return [
        one
        for one, pair in zip(candidates, names, strict=True)
        if not globs or any(fnmatchcase(name, glob) for name in pair for glob in globs)
    ]


def _write(file: SecretsFile, incoming: Sequence[Incoming], *, replaces: bool) -> _Done:
    """Write all, or none.

    Raises:
        Conflict: some are there already, and may not be replaced.
        SourceError: the file cannot be opened or written.
    """
    done = _Done()

    def change(opened: Opened) -> str:
        there = [spelt(one.path) for one in incoming if canonical_path(one.path) in opened.text.secrets]
        if there and not replaces:
            hint = "say --replace to take the new values, or --only GLOB to leave some out"
            raise Conflict(f"{', '.join(there)}: is there already; nothing was written", hint=hint)
        words: dict[tuple[str, ...], str] = {}
        for one in incoming:
            if _is_same(opened, one):
                done.unchanged.append(spelt(one.path))
                continue
            is_there = canonical_path(one.path) in opened.text.secrets
            (done.replaced if is_there else done.added).append(spelt(one.path))
            words[one.path] = opened.seal(one.path, one.value.reveal())
        return with_all(opened.text, words) if words else str(opened.text)

    with render.waiting(f"waiting for {file.name}"):
        file.change(change)
    return done


def _is_same(opened: Opened, one: Incoming) -> bool:
    """Whether a key has that value already, and only that: then its line stays."""
    entry = opened.entry(one.path)
    value = entry if isinstance(entry, Refusal) else opened.value(entry)
    return not isinstance(value, Refusal) and to_plaintext(value) == to_plaintext(one.value.reveal())


def _tell(file: str, source: str, done: _Done, staying: Sequence[Staying]) -> None:
    lists = {"new": done.added, "replaced": done.replaced, "unchanged": done.unchanged}
    said = ", ".join(f"{len(keys)} {what}" for what, keys in lists.items() if keys)
    if not done:
        render.talk(f"{source}: has nothing to bring in")
    else:
        count = "1 secret" if len(done) == 1 else f"{len(done)} secrets"
        render.talk(f"{file}: {count} came in from {source} ({said})")
    for one in staying:
        render.talk(f"{render.printable(one.name)} stays in {source}: it {one.reason}")

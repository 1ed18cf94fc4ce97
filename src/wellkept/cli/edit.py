"""`wellkept edit`: Secrets.toml in a person's editor, with its values in plain in memory only."""

import os
from collections.abc import Sequence

import click

from wellkept.cli import ask, render
from wellkept.cli.editor import MemoryFile, Stops, editor_words, is_at_terminal, memory_file, run_editor
from wellkept.cli.store import secrets_file, store_options, store_path
from wellkept.crypto.edit import Changes, Draft, Edited, as_shown, draft_of, is_untouched
from wellkept.crypto.opened import Opened
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.typed import read_edited
from wellkept.errors import Conflict, WellkeptError


@click.command("edit")
@store_options
def command(files: Sequence[str], *, wants_json: bool) -> None:
    """Change Secrets.toml in your editor.

    The values stand there in plain, as TOML: change, add or remove lines, and comments too. When
    you save and leave, only what you changed is encrypted again. The editor is the one of VISUAL or
    EDITOR, else vi; one that returns at once needs its option for waiting, as in
    EDITOR='code --wait'. The text is a file in memory, for you only, and removed at the
    end; what your editor keeps elsewhere is up to its settings, only vim's are taken care of.
    """
    file = secrets_file(store_path(files))
    draft = draft_of(file.open())
    for name, refusal in draft.kept:
        render.warn(f"{name}: {refusal.fact}; it is shown encrypted, and stays as it is")
    words, stops = editor_words(os.environ), Stops()
    with stops.heard(), memory_file(os.environ) as memory:
        memory.write(as_shown(draft).encode())
        edited = _edited(draft, memory, words, stops)
        changes = Changes() if edited is None else edited.changes()
        has_layout = edited is not None and edited.has_new_layout()
        if edited is not None and (changes or has_layout):
            stops.obey()
            has_layout = _write(file, edited, memory) and has_layout
    _report(file.name, changes, has_layout=has_layout, wants_json=wants_json)


def _edited(draft: Draft, memory: MemoryFile, words: Sequence[str], stops: Stops) -> Edited | None:
    """What a person made of it, asked again after a mistake; None where they left it as it was.

    Raises:
        TomlFault: there is a mistake, and nobody can be asked.
        WellkeptError: the editor failed, or was not called again.
    """
    while True:
        run_editor(words, memory, stops)
        if is_untouched(draft, memory.read()):
            return None
        outcome = read_edited(draft, memory.read())
        if isinstance(outcome, Edited):
            return outcome
        if not is_at_terminal():
            raise outcome
        render.failure(outcome)
        with stops.waiting():
            again = ask.for_agreement("edit it again? otherwise what you typed is lost")
        if not again:
            raise WellkeptError(f"{draft.opened.name}: nothing was written", hint="start over with wellkept edit")


def _write(file: SecretsFile, edited: Edited, memory: MemoryFile) -> bool:
    """Write what was edited; whether comments and layout came along. Where it fails, what was typed stays in memory."""
    has_layout = True

    def change(opened: Opened) -> str:
        nonlocal has_layout
        now = draft_of(opened)
        has_layout = edited.is_as_shown(now)
        text = edited.onto(now)
        if isinstance(text, Conflict):
            raise text
        return text

    try:
        with render.waiting(f"waiting for {file.name}"):
            file.change(change)
    except Exception:
        memory.keep()
        raise
    if edited.has_new_layout() and not has_layout:
        render.warn(f"{file.name}: was changed by somebody else meanwhile; your comments and layout were left out")
    return has_layout


def _report(name: str, changes: Changes, *, has_layout: bool, wants_json: bool) -> None:
    lists = {"added": changes.added, "changed": changes.changed, "removed": changes.removed}
    if wants_json:
        render.as_json({"file": name, **lists, "layout": has_layout})
        return
    said = [f"{verb} {', '.join(map(render.printable, keys))}" for verb, keys in lists.items() if keys]
    said = said or (["comments and layout changed"] if has_layout else ["nothing was changed"])
    render.talk(f"{name}: {'; '.join(said)}")

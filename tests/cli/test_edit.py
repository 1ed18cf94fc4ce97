"""`wellkept edit`: an editor on a text in memory, and nothing left of it, however the edit ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.shelf import CommandLine, Done
from tests.cli.terminal import Terminal
from tests.secrets_files import environ_of, secrets_file
from wellkept._mounts import Mount, read_mounts
from wellkept.cli.editor import FILE, KEPT_PREFIX, PREFIX, SHARED_MEMORY, editor_words, memory_file
from wellkept.crypto.store import SecretsFile
from wellkept.errors import UsageError

VALUES = {"dbPassword": "CANARY-db", "port": 5432, "partner.apiKey": "CANARY-api"}

# Stands in for an editor: says where the text is and how it can be reached, then changes it.
EDITOR = """\
import os, signal, subprocess, sys, time
path = sys.argv[1]
folder = os.path.dirname(path)
with open("seen.txt", "a") as seen:
    print(path, oct(os.stat(path).st_mode & 0o777), oct(os.stat(folder).st_mode & 0o777), file=seen)
text = open(path).read()
{body}
open(path, "w").write(text)
"""


@dataclass
class _Variables(CommandLine):
    """The command line with more variables."""

    more: Mapping[str, str]

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment of a command."""
        return {**super().environ, **self.more}


class Editing:
    """A Secrets.toml, and an editor that does what a test wants."""

    def __init__(self, wellkept: CommandLine, memory: Path) -> None:
        self.wellkept, self.memory = wellkept, memory
        self.file = secrets_file(wellkept.folder / "Secrets.toml", VALUES)
        self.before = self.file.read_bytes()
        self.seen = wellkept.folder / "seen.txt"
        self.environ: Mapping[str, str] = {**environ_of(), "XDG_RUNTIME_DIR": str(memory)}

    def editor(self, body: str) -> Mapping[str, str]:
        """The environment with an editor of which this is the job."""
        script = self.wellkept.folder / "editor.secret"  # it may hold values, too
        script.write_text(EDITOR.format(body=body), encoding="utf-8")
        return {**self.environ, "EDITOR": f"'{sys.executable}' {script}"}

    def __call__(self, body: str, *words: str) -> Done:
        done = self.wellkept("edit", *words, environ=self.editor(body))
        assert "CANARY" not in done.out + done.err
        return done

    def terminal(self, body: str) -> Terminal:
        """The same at a terminal."""
        return Terminal(_Variables(self.wellkept.folder, self.editor(body)), "edit")

    def values(self) -> Mapping[str, object]:
        opened = SecretsFile(str(self.file), environ_of()).open()
        assert not opened.text.flaws
        return {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}

    def is_gone(self) -> bool:
        """Nothing is left of any text where it stood; the folder of the test is searched by conftest.py."""
        stood = [Path(line.split()[0]) for line in self.seen.read_text(encoding="utf-8").splitlines()]
        return not any(self.memory.iterdir()) and not any(one.parent.exists() for one in stood)


@pytest.fixture
def memory(missing: Callable[[str], NoReturn]) -> Path:
    """A folder in memory, as XDG_RUNTIME_DIR is."""
    shared = Path(SHARED_MEMORY)
    if not any(mount.point == str(shared) and mount.filesystem == "tmpfs" for mount in read_mounts()):
        missing("a tmpfs on /dev/shm")
    folder = shared / f"test-{os.getpid()}-{os.urandom(4).hex()}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def editing(wellkept: CommandLine, memory: Path) -> Editing:
    """A Secrets.toml, and an editor."""
    return Editing(wellkept, memory)


@pytest.fixture(autouse=True)
def _left(memory: Path) -> Iterator[None]:
    yield
    subprocess.run(["rm", "-rf", str(memory)], check=True)


# What comes of it


def test_a_changed_value_is_the_only_line_that_changes(editing: Editing) -> None:
    done = editing("text = text.replace('CANARY-db', 'CANARY-new')")
    assert (done.out, done.err, done.code) == ("", "Secrets.toml: changed dbPassword\n", 0)
    assert editing.values() == {**VALUES, "dbPassword": "CANARY-new"}
    old, new = editing.before.splitlines(), editing.file.read_bytes().splitlines()
    assert len(old) == len(new)
    assert next(one for one, other in zip(old, new, strict=True) if one != other).startswith(b"dbPassword = ")
    assert sum(one != other for one, other in zip(old, new, strict=True)) == 1


def test_keys_come_and_go_and_comments_stay(editing: Editing) -> None:
    done = editing("text = text.replace('port = 5432', '# the port of it') + 'new = [1, \"CANARY\"]\\n'")
    assert done.err == "Secrets.toml: added new; removed port\n"
    assert editing.values() == {"dbPassword": "CANARY-db", "partner.apiKey": "CANARY-api", "new": [1, "CANARY"]}
    assert b"# the port of it\n" in editing.file.read_bytes()
    assert b"The values in plain" not in editing.file.read_bytes()


def test_no_change_says_so_and_leaves_the_file_alone(editing: Editing) -> None:
    inode = editing.file.stat().st_ino
    done = editing("pass")
    assert (done.out, done.err, done.code) == ("", "Secrets.toml: nothing was changed\n", 0)
    assert (editing.file.read_bytes(), editing.file.stat().st_ino) == (editing.before, inode)


def test_a_new_comment_alone_changes_no_value(editing: Editing) -> None:
    done = editing("text = text.replace('# port', '# the port')")
    assert done.err == "Secrets.toml: comments and layout changed\n"
    assert editing.file.read_bytes() == editing.before.replace(b"# port", b"# the port")


def test_what_changed_is_one_json_document_of_names(editing: Editing) -> None:
    done = editing("text = text.replace('CANARY-db', 'CANARY-new') + 'new = 1\\n'", "--json")
    assert done.document == {
        "file": "Secrets.toml",
        "added": ["new"],
        "changed": ["dbPassword"],
        "removed": [],
        "layout": False,
    }
    assert done.err == ""


def test_another_file_may_be_meant(editing: Editing) -> None:
    editing.file.rename(editing.wellkept.folder / "Secrets-prod.toml")
    done = editing("text = text.replace('5432', '5433')", "--file", "Secrets-prod.toml")
    assert done.err == "Secrets-prod.toml: changed port\n"


def test_visual_comes_before_editor_and_may_have_options(editing: Editing) -> None:
    environ = {**editing.editor("text = text.replace('5432', '5433')"), "EDITOR": "false"}
    visual = editing.editor("text = text.replace('5432', '5433')")["EDITOR"]
    assert editing.wellkept("edit", environ={**environ, "VISUAL": f"env A='b c' {visual}"}).code == 0
    assert editing.values()["port"] == 5433


# Where the text stands, and that it goes


def test_the_text_stands_in_memory_for_its_owner_only_and_is_gone(editing: Editing) -> None:
    assert editing("text = text.replace('5432', '5433')").code == 0
    path, mode, folder_mode = editing.seen.read_text(encoding="utf-8").split()
    assert path.startswith(f"{editing.memory}/{PREFIX}")
    assert (mode, folder_mode) == ("0o600", "0o700")
    assert editing.is_gone()


def test_without_a_runtime_folder_in_memory_shared_memory_is_taken(editing: Editing, tmp_path: Path) -> None:
    environ = {**editing.editor("pass"), "XDG_RUNTIME_DIR": str(tmp_path)}  # a disk
    assert editing.wellkept("edit", environ=environ).code == 0
    assert editing.seen.read_text(encoding="utf-8").startswith(f"{SHARED_MEMORY}/{PREFIX}")
    assert editing.is_gone()


@pytest.mark.parametrize(("device", "filesystem"), [(0, "tmpfs"), (None, "ext4")])
def test_without_a_file_system_in_memory_the_fix_is_told(memory: Path, device: int | None, filesystem: str) -> None:
    mounts = [Mount(memory.stat().st_dev if device is None else device, SHARED_MEMORY, filesystem)]
    with pytest.raises(UsageError) as caught, memory_file({"XDG_RUNTIME_DIR": str(memory)}, mounts):
        pass
    assert caught.value.message.startswith("wellkept edit: needs a file system in memory")
    assert caught.value.hint is not None
    assert "set XDG_RUNTIME_DIR" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(3)", "ended with exit code 3; nothing was written\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL; nothing was written\n"),
    ],
)
def test_an_editor_that_fails_writes_nothing(editing: Editing, body: str, said: str) -> None:
    done = editing(f"open(path, 'a').write('new = 1'); {body}")
    assert (done.out, done.code) == ("", 1)
    assert done.err.splitlines(keepends=True)[0].endswith(said)
    assert editing.file.read_bytes() == editing.before
    assert editing.is_gone()


def test_an_editor_that_is_not_there_is_told(editing: Editing) -> None:
    editing.seen.touch()
    done = editing.wellkept("edit", environ={**editing.environ, "EDITOR": "no-such-editor --wait"})
    assert done.err == "error: no-such-editor: cannot be started\nhint: set VISUAL or EDITOR to your editor\n"
    assert done.code == 2
    assert editing.is_gone()


def test_an_editor_that_removes_the_text_writes_nothing(editing: Editing) -> None:
    done = editing("os.remove(path); sys.exit(0)")
    assert "does not exist" in done.err
    assert editing.file.read_bytes() == editing.before
    assert editing.is_gone()


def test_what_an_editor_leaves_beside_the_text_goes_with_it(editing: Editing) -> None:
    body = "open(path + '~', 'w').write(text); os.mkdir(folder + '/undo'); open(folder + '/undo/x', 'w').write(text)"
    assert editing(body).code == 0
    assert editing.is_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_editor_and_removes_the_text(editing: Editing, number: signal.Signals) -> None:
    process, child = _started(editing, "time.sleep(40)")
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert err.decode() == f"error: wellkept edit: was stopped by {number.name}; nothing was written\n"
    assert not Path(f"/proc/{child}").exists()
    assert editing.file.read_bytes() == editing.before
    assert editing.is_gone()


def test_an_editor_that_ignores_a_signal_is_killed(editing: Editing) -> None:
    process, _ = _started(editing, "time.sleep(40)", first="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert editing.is_gone()


def test_what_a_killed_edit_left_is_removed_by_the_next_one_when_its_editor_is_gone(editing: Editing) -> None:
    process, child = _started(editing, "time.sleep(40)")
    process.kill()
    process.wait(timeout=20)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # the editor still has the other ends
    process.stderr.close()
    (left,) = editing.memory.iterdir()
    assert editing("pass").code == 0
    assert list(editing.memory.iterdir()) == [left]  # somebody may still type there
    os.kill(child, signal.SIGKILL)
    _wait(lambda: not Path(f"/proc/{child}").exists())
    assert editing("pass").code == 0
    assert editing.is_gone()


def _started(editing: Editing, body: str, first: str = "pass") -> tuple["subprocess.Popen[bytes]", int]:
    """A command whose editor has come to its job, and the number of that."""
    ready = "with open('number.txt', 'w') as number: print(os.getpid(), file=number)"
    environ = editing.editor(f"{first}\n{ready}\n{body}")
    process = subprocess.Popen(
        [sys.executable, "-m", "wellkept", "edit"],
        cwd=editing.wellkept.folder,
        env={**editing.wellkept.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    number = editing.wellkept.folder / "number.txt"
    _wait(lambda: number.exists() and number.read_text(encoding="utf-8").endswith("\n"))
    return process, int(number.read_text(encoding="utf-8"))


def _wait(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


# Mistakes


def test_a_mistake_names_its_line_and_nothing_is_written(editing: Editing) -> None:
    done = editing("text += 'new = CANARY\\n'")
    line = len(editing.before.splitlines())
    assert done.err.startswith("error: the edited text: has a value that is not TOML (the edited text:")
    assert f":{line}:" not in done.err  # the header is not shown
    assert done.code == 1
    assert editing.file.read_bytes() == editing.before
    assert editing.is_gone()


def test_a_line_that_is_commented_out_with_its_value_is_not_written(editing: Editing) -> None:
    done = editing("text = text.replace('dbPassword =', '# dbPassword =')")
    assert "has a comment that holds a value of dbPassword" in done.err
    assert editing.file.read_bytes() == editing.before


def test_at_a_terminal_a_mistake_is_asked_about_and_mended(editing: Editing) -> None:
    body = "text = text.replace('new = ', 'new = 1') if 'new' in text else text + 'new = \\n'"
    terminal = editing.terminal(body)
    terminal.type("y\n", after="edit it again? otherwise what you typed is lost")
    assert terminal.end() == 0
    assert "has a value that is not TOML" in terminal.shown
    assert "Secrets.toml: added new" in terminal.shown
    assert editing.values()["new"] == 1
    assert editing.is_gone()


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\x03", 130)])
def test_at_a_terminal_a_mistake_may_be_left(editing: Editing, answer: str, code: int) -> None:
    terminal = editing.terminal("text += 'new = \\n'")
    terminal.type(answer, after="edit it again?")
    assert terminal.end() == code
    assert "nothing was written" in terminal.shown
    assert editing.file.read_bytes() == editing.before
    assert editing.is_gone()


def test_at_a_terminal_ctrl_c_is_the_editors(editing: Editing) -> None:
    first = "signal.signal(signal.SIGINT, lambda *_: None)"
    terminal = editing.terminal(f"{first}\nprint('ready', flush=True); time.sleep(0.5)")
    terminal.type("\x03", after="ready")
    assert terminal.end() == 0
    assert "nothing was changed" in terminal.shown


def test_a_signal_at_the_question_removes_the_text(editing: Editing) -> None:
    terminal = editing.terminal("text += 'new = \\n'")
    terminal.type("", after="edit it again?")
    terminal.process.terminate()
    assert terminal.end() == 143
    assert editing.is_gone()


# Somebody else meanwhile


def test_what_others_set_meanwhile_stays(editing: Editing) -> None:
    others = _while_it_is_open("set theirs", "CANARY-theirs")
    done = editing(f"{others}\ntext = text.replace('CANARY-db', 'CANARY-mine')")
    assert (done.err.splitlines()[-1], done.code) == ("Secrets.toml: changed dbPassword", 0)
    assert editing.values() == {**VALUES, "dbPassword": "CANARY-mine", "theirs": "CANARY-theirs"}


def test_comments_that_cannot_come_along_are_told(editing: Editing) -> None:
    others = _while_it_is_open("set theirs", "CANARY-theirs")
    done = editing(f"{others}\ntext = text.replace('# port', '# the port')")
    assert "was changed by somebody else meanwhile; your comments and layout were left out" in done.err
    assert editing.values() == {**VALUES, "theirs": "CANARY-theirs"}


def test_a_key_that_both_changed_is_a_conflict_and_what_was_typed_is_kept_in_memory(editing: Editing) -> None:
    others = _while_it_is_open("set dbPassword", "CANARY-theirs")
    done = editing(f"{others}\ntext = text.replace('CANARY-db', 'CANARY-mine')")
    warning, error, hint = done.err.splitlines()[-3:]
    assert error == "error: dbPassword: changed by somebody else meanwhile; nothing was written"
    assert hint == "hint: look with wellkept get dbPassword --reveal, and edit it again"
    assert done.code == 1
    assert editing.values()["dbPassword"] == "CANARY-theirs"
    (kept,) = editing.memory.iterdir()
    assert kept.name.startswith(KEPT_PREFIX)
    assert warning == f"warning: what you typed is kept in memory: {kept}/{FILE}; when you have it, rm -r {kept}"
    assert ((kept / FILE).stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "CANARY-mine" in (kept / FILE).read_text(encoding="utf-8")
    assert editing("pass").code == 0
    assert list(editing.memory.iterdir()) == [kept]  # it is not swept


def test_where_it_cannot_be_written_what_was_typed_is_kept(editing: Editing) -> None:
    done = editing("os.rename('Secrets.toml', 'Secrets-gone.toml'); text = text.replace('5432', '5433')")
    assert "what you typed is kept in memory" in done.err
    assert "error: Secrets.toml: does not exist" in done.err


def _while_it_is_open(words: str, value: str) -> str:
    command = f"[sys.executable, '-m', 'wellkept', *{words.split()}]"
    return f"subprocess.run({command}, input=b'{value}', check=True, stderr=subprocess.DEVNULL)"


# The editor


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, ["vi"]),
        ({"EDITOR": "nano -w"}, ["nano", "-w"]),
        ({"EDITOR": "nano", "VISUAL": "code --wait"}, ["code", "--wait"]),
        ({"EDITOR": "nano", "VISUAL": " "}, ["nano"]),
        ({"EDITOR": "'/a b/ed' -x"}, ["/a b/ed", "-x"]),
    ],
)
def test_the_editor_is_that_of_visual_then_editor_then_vi(environ: Mapping[str, str], words: list[str]) -> None:
    assert editor_words({**environ, "PATH": "/nowhere"}) == words


@pytest.mark.parametrize("text", ["'", "''"])
def test_an_editor_that_is_no_command_line_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="EDITOR: is no command line"):
        editor_words({"EDITOR": text})


def test_vim_leaves_no_registers_swap_and_undo_files(
    editing: Editing, missing: Callable[[str], NoReturn], tmp_path: Path
) -> None:
    found = next((name for name in ("vim", "nvim") if Path(f"/usr/bin/{name}").exists()), None)
    if found is None:
        missing("vim")
    editing.seen.touch()
    undo = tmp_path / "undo"
    undo.mkdir()
    rc = f"set undofile undodir={undo} backup backupdir={undo} directory={undo} viminfo='100,<50\n"
    (tmp_path / ".vimrc").write_text(rc, encoding="utf-8")
    script = tmp_path / "typed"
    script.write_text("/^dbPassword\nyyp:d\n:%s/5432/5433/\n:wq\n", encoding="utf-8")
    environ = {**editing.environ, "EDITOR": f"{found} -s {script}", "TERM": "dumb"}
    done = editing.wellkept("edit", environ=environ)
    assert done.err.endswith("Secrets.toml: changed port\n")
    assert not list(undo.iterdir())
    assert not (tmp_path / ".viminfo").exists()
    assert editing.is_gone()

"""`wellkept status` of processes that run: one, several, none; its tables, its JSON, its codes, and --watch."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.shelf import CommandLine, command_line
from tests.cli.terminal import Terminal
from tests.refresh.answering import answering, left_behind, secret, status
from tests.servers.process import PATIENCE_S, held_still
from wellkept.refresh.status import Status
from wellkept.refresh.status_json import status_from_json
from wellkept.secret import State

STALE = secret("api_key", State.STALE, failure="unreachable", expires_s=90_061.0)
NOBODY = 65534


class Here(CommandLine):
    """The command line of a user with a runtime folder."""

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "XDG_RUNTIME_DIR": str(self.folder / "run")}

    @property
    def sockets(self) -> str:
        """Where processes of that user answer."""
        return str(self.folder / "run/wellkept")


@pytest.fixture
def here(tmp_path: Path) -> Here:
    (tmp_path / "run").mkdir(mode=0o700)
    return Here(command_line(tmp_path).folder)


def rows(text: str) -> list[list[str]]:
    """The cells of aligned text."""
    return [re.split(r"  +", line) for line in text.splitlines()]


def test_the_one_process_that_answers_is_shown(here: Here) -> None:
    with answering(here.sockets, status(secret())):
        done = here("status")
    assert (done.code, done.err) == (0, "")
    assert rows(done.out) == [
        ["setting", "origin", "state", "age", "checked", "next", "expires", "failure"],
        ["db_password", "vault secret/prod/db#password v3", "fresh", "1m 30s", "4s", "6s", "–", "–"],
        [""],
        ["source", "answers", "circuit", "requests", "failures", "login ends"],
        ["vault", "yes", "closed", "12", "1", "45m 00s"],
    ]


def test_a_process_is_shown_by_its_number(here: Here) -> None:
    with answering(here.sockets, status(secret())), answering(here.sockets, status(STALE)) as other:
        done = here("status", str(other.pid))
    assert rows(done.out)[1] == [
        *("api_key", "vault secret/prod/db#password v3", "stale", "1m 30s", "4s", "6s", "1d 01h", "unreachable")
    ]
    assert done.code == 1


@pytest.mark.parametrize(("state", "code"), [("fresh", 0), ("due", 0), ("stale", 1), ("gone", 1), ("expired", 1)])
def test_the_code_says_whether_a_secret_is_badly_off(here: Here, state: str, code: int) -> None:
    with answering(here.sockets, status(secret(), secret("api_key", State(state)))):
        assert here("status").code == code


def test_several_are_listed(here: Here) -> None:
    with answering(here.sockets, status(secret())) as one, answering(here.sockets, status(secret(), STALE)) as two:
        done = here("status")
    assert done.code == 0
    head, *listed = rows(done.out)
    assert head == ["pid", "program", "secrets", "worst"]
    assert [(pid, secrets, worst) for pid, _, secrets, worst in listed] == sorted(
        [(str(one.pid), "1", "fresh"), (str(two.pid), "2", "stale")], key=lambda row: int(row[0])
    )
    assert all("python" in program for _, program, _, _ in listed)


def test_of_several_the_one_that_is_stopped_is_named_beside_the_others(here: Here) -> None:
    with (
        answering(here.sockets, status(secret())) as one,
        answering(here.sockets, status()) as two,
        held_still(two.pid),
    ):
        done = here("status")
    assert done.code == 0
    assert [row[0] for row in rows(done.out)[1:]] == [str(one.pid)]
    assert f"warning: process {two.pid}: did not answer in time" in done.err


def test_none_is_told_with_what_switches_it_on(here: Here) -> None:
    done = here("status")
    assert (done.out, done.code) == ("", 1)
    assert "error: status: no process of this user answers" in done.err
    assert "hint: write status = true under [wellkept] in the Config.toml" in done.err


def test_a_process_that_does_not_answer_has_a_code_of_its_own(here: Here) -> None:
    done = here("status", str(os.getpid()))
    assert (done.out, done.code) == ("", 69)
    assert f"error: process {os.getpid()}: gives no status" in done.err
    left_behind(here.sockets, os.getpid())
    assert here("status", str(os.getpid())).code == 69


def test_a_process_that_is_not_there_has_the_same(here: Here) -> None:
    done = here("status", "4194305")
    assert done.code == 69
    assert "process 4194305: is not there" in done.err


@pytest.mark.parametrize("word", ["0", "-7", "web"])
def test_what_is_no_number_of_a_process_is_wrong_use(here: Here, word: str) -> None:
    assert here("status", "--", word).code == 2


def test_a_socket_of_another_user_is_denied(here: Here, missing: Callable[[str], NoReturn]) -> None:
    with answering(here.sockets, status()) as other:
        try:
            os.chown(here.sockets, NOBODY, NOBODY)
        except PermissionError:
            missing("only root can give a folder away")
        for words in ((), (str(other.pid),)):
            done = here("status", *words)
            assert (done.out, done.code) == ("", 77)
            assert "belongs to another user" in done.err


def test_a_process_of_another_user_is_denied(missing: Callable[[str], NoReturn]) -> None:
    if os.geteuid() != 0:
        missing("only root can become another user")
    # As the command does it, but nobody may not read the folder that it is imported from.
    code = (
        "import os, sys; from wellkept.cli import app, status; "
        f"os.setgid({NOBODY}); os.setuid({NOBODY}); sys.exit(app.run(['status', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(os.getpid())],
        cwd="/",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert (done.stdout, done.returncode) == ("", 77)
    assert f"error: process {os.getpid()}: belongs to another user" in done.stderr
    assert f"hint: sudo wellkept status {os.getpid()}" in done.stderr


def test_root_asks_a_process_of_another_user(here: Here, missing: Callable[[str], NoReturn]) -> None:
    if os.geteuid() != 0:
        missing("only root can become another user")
    scratch = here.folder / "scratch"
    scratch.mkdir()
    os.chown(scratch, NOBODY, NOBODY)
    with answering(f"wellkept-{NOBODY}", status(secret()), cwd=scratch, user=NOBODY) as other:
        done = here("status", str(other.pid), environ={"TMPDIR": str(scratch)})
    assert (done.code, done.err) == (0, "")
    assert rows(done.out)[1][0] == "db_password"


def test_json_of_one_process_is_its_status(here: Here) -> None:
    with answering(here.sockets, status(secret(), STALE)) as other:
        done = here("status", str(other.pid), "--json")
        assert status_from_json(done.document) == Status(other.pid, (secret(), STALE), status().sources)
        assert done.code == 1


def test_json_of_all_is_a_list_however_many_there_are(here: Here) -> None:
    none = here("status", "--json")
    assert (none.document, none.code) == ({"processes": []}, 1)
    with answering(here.sockets, status()) as one:
        assert listed(here) == [one.pid]
        with answering(here.sockets, status()) as two:
            assert listed(here) == sorted([one.pid, two.pid])


def test_a_process_without_secrets_says_so(here: Here) -> None:
    with answering(here.sockets, Status(1)) as other:
        done = here("status")
    assert (done.out, done.err, done.code) == ("", f"process {other.pid}: has no secret that is kept fresh\n", 0)


def test_what_a_name_holds_cannot_move_the_cursor(here: Here) -> None:
    with answering(here.sockets, status(secret("\x1b[2Jdb"))):
        assert "\x1b" not in here("status").out


def test_watch_prints_a_line_a_change(here: Here) -> None:
    with answering(here.sockets, status(secret())) as other:
        process = watching(here, str(other.pid))
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        other.change(status(secret(state=State.STALE, failure="unreachable")))
        changed = process.stdout.readline()
        other.change(status())
        gone = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 130
        process.stdout.close()
    assert [line.split(" ", 1)[1] for line in first] == [
        "status: answers\n",
        "db_password: fresh, vault secret/prod/db#password v3\n",
        "source vault: answers\n",
    ]
    assert changed.endswith(" db_password: stale (unreachable), vault secret/prod/db#password v3\n")
    assert gone.endswith(" db_password: is kept no more\n")


def test_watch_prints_a_document_a_change(here: Here) -> None:
    with answering(here.sockets, status(secret())) as other:
        process = watching(here, "--json")
        assert process.stdout is not None
        assert next_document(process)["worst"] == "fresh"
        other.change(status(secret(state=State.GONE)))
        assert next_document(process)["worst"] == "gone"
        other.end()
        assert process.wait(timeout=PATIENCE_S) == 69
        process.stdout.close()


def test_watch_redraws_on_a_terminal(here: Here) -> None:
    with answering(here.sockets, status(secret())) as other:
        terminal = Terminal(here, "status", "--watch", str(other.pid))
        terminal.type("", after="login ends")
        other.change(status(secret(state=State.GONE, failure="absent")))
        terminal.type("\x03", after="gone")
        assert terminal.end() == 130
    assert terminal.shown.count("\x1b[H\x1b[2J") >= 2


def test_watch_is_for_one_process(here: Here) -> None:
    with answering(here.sockets, status()) as one, answering(here.sockets, status()) as two:
        done = here("status", "--watch")
    first, second = sorted([one.pid, two.pid])
    assert done.code == 2
    assert f"hint: name one of {first}, {second}" in done.err


def test_the_number_is_completed(here: Here) -> None:
    with answering(here.sockets, status()) as other:
        done = subprocess.run(
            [sys.executable, "-c", "from wellkept.cli.app import app; app(prog_name='wellkept')"],
            env={
                **here.environ,
                "_WELLKEPT_COMPLETE": "fish_complete",
                "COMP_WORDS": "wellkept status ",
                "COMP_CWORD": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"plain,{other.pid}\n" in done.stdout


def watching(here: Here, *words: str) -> "subprocess.Popen[str]":
    """`wellkept status --watch`, whose output can be read."""
    return subprocess.Popen(
        [sys.executable, "-m", "wellkept", "status", "--watch", *words],
        cwd=here.folder,
        env=here.environ,
        stdout=subprocess.PIPE,
        text=True,
    )


def listed(here: Here) -> list[int]:
    """The processes that `wellkept status --json` tells of."""
    return [each["pid"] for each in json.loads(here("status", "--json").out)["processes"]]


def next_document(process: "subprocess.Popen[str]") -> dict[str, object]:
    """The next of several indented documents."""
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], "it ended"
    document = json.loads("".join(lines))
    assert isinstance(document, dict)
    return document

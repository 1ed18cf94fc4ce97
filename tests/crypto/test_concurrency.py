"""Many processes change one Secrets.toml at the same time: nothing is lost, and nobody ever sees half of a change."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from tests.crypto import set_many
from tests.crypto.stores import NAME, WELLKEPT, content_of, names_beside
from tests.secrets_files import environ_of, secrets_file
from wellkept.crypto.source import SecretsSource
from wellkept.model import Reference

pytestmark = pytest.mark.timeout(180)
PROCESSES, CHANGES = 8, 25
START = {"start": "CANARY start 0"}
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environ_of()}


def texts_of(file: Path) -> dict[str, str]:
    """All that it holds, opened; a value that does not decrypt, a torn line or a key that stands twice is an error."""
    return {key: str(value) for key, value in content_of(file).values.items()}


def judge_step(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """No key is gone, and no process's value has given way to an older one of its own."""
    for key, text in before.items():
        assert key in after
        (_, who, number), (_, who_after, number_after) = text.split(), after[key].split()
        assert who != who_after or int(number) <= int(number_after), key


def start(file: Path, who: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, set_many.__file__, str(file), str(who), str(CHANGES)],
        env=ENVIRON,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_hundred_sets_from_eight_processes_lose_nothing_and_no_reader_sees_a_torn_file(tmp_path: Path) -> None:
    file = secrets_file(tmp_path / NAME, START)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / NAME
    link.symlink_to(file)  # who comes by a link waits for the same lock
    children = [start(link if who % 2 else file, who) for who in range(PROCESSES)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    looks = [texts_of(file)]
    while any(child.poll() is None for child in children):
        looks.append(texts_of(file))
        judge_step(looks[-2], looks[-1])
    assert [(child.communicate()[1], child.returncode) for child in children] == [("", 0)] * PROCESSES
    assert len(set(map(len, looks))) > 2  # it was looked at while they worked
    last = {
        (who, set_many.key_of(who, number)): f"CANARY {who} {number}"
        for who in range(PROCESSES)
        for number in range(CHANGES)
    }
    judge_step(looks[-1], texts_of(file))
    assert texts_of(file).keys() == START.keys() | {key for _, key in last}
    for key, text in texts_of(file).items():
        assert text in {START.get(key), *(last.get((who, key)) for who in range(PROCESSES))}
    assert names_beside(file) == [NAME, "elsewhere"]
    assert link.is_symlink()


def test_commands_at_the_same_time_lose_nothing_though_the_file_is_rekeyed_meanwhile(tmp_path: Path) -> None:
    file = secrets_file(tmp_path / NAME, START)

    def run(words: Sequence[str]) -> tuple[int, str]:
        done = subprocess.run(
            [*WELLKEPT, *words],
            cwd=tmp_path,
            env=ENVIRON,
            input=f"CANARY {words[-1]} 0",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stderr

    keys = [f"key{number}" for number in range(24)]
    commands = [["rekey"] if number % 6 == 5 else ["set", key] for number, key in enumerate(keys)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(run, commands))
    assert [code for code, _ in answers] == [0] * len(commands), answers
    expected = START | {key: f"CANARY {key} 0" for number, key in enumerate(keys) if number % 6 != 5}
    assert texts_of(file) == expected
    assert names_beside(file) == [NAME]


def test_a_start_is_not_disturbed_by_a_change_of_the_same_folder(
    tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    if shutil.which("strace") is None:
        missing("strace")
    file = secrets_file(tmp_path / NAME, START)
    # It stops before it renames .gitignore: long enough for another command, and it is seen by its file.
    held_up = ("strace", "-f", "-o", "/dev/null", "-e", "inject=renameat:delay_enter=1500000:when=1")
    with subprocess.Popen(
        [*held_up, *WELLKEPT, "init"], cwd=tmp_path, env=ENVIRON, stderr=subprocess.PIPE, text=True
    ) as start_again:
        while len(names_beside(file)) == 1 and start_again.poll() is None:
            time.sleep(0.01)
        SecretsSource(environ_of()).write(Reference("enc", ("meanwhile",), base=str(file)), "CANARY meanwhile 0")
        said = start_again.communicate()[1]
    assert start_again.returncode == 0, said
    assert names_beside(file) == [".gitattributes", ".gitignore", NAME]

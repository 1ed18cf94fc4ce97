"""Commands are killed at every call that changes their folder: the file is the old or the new one, never neither."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from tests.crypto.stores import Stores
from tests.crypto.traced import Call
from wellkept.crypto.keys import Identity

pytestmark = pytest.mark.timeout(120)  # each starts some twenty processes under a tracer
AT_ONCE = 2
BOB = str(Identity.new("x25519").recipient)
# What every change calls at least: a leftover goes; the new file is made, filled, and takes its place.
FEWEST = Counter(["unlink", "open", "fchmod", "write", "fsync", "rename", "fsync"])
CHANGES = {
    "set of a key": ("set", "db1.key1"),
    "set of a new key": ("set", "db1.fresh"),
    "unset": ("unset", "db2.key2"),
    "recipients add": ("recipients", "add", "bob@laptop", BOB, "--yes"),
    "rekey": ("rekey",),
}
# A file may hold one block: the rest of it does not fit, as on a disk that is full.
ON_A_FULL_DISK = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")


@pytest.fixture
def folder(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Path:
    if shutil.which("strace") is None:
        missing("strace")
    return tmp_path


def killed(stores: Stores, calls: Sequence[Call]) -> Iterator[tuple[Call, Path]]:
    """Kill the command at each of some calls."""

    def kill(call: Call) -> Path:
        done, file = stores.run(call.killed())
        assert done.code == -9, call
        last = done.calls[-1]
        assert (last.name, last.number, last.text) == (call.name, call.number, call.text)
        return file

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(calls, pool.map(kill, calls), strict=True)


def judge_all(stores: Stores, fewest: Counter[str]) -> None:
    """Kill the command at each call: until the rename there is the old file, and behind it the new one."""
    assert stores.whole.code == 0, stores.whole.said
    assert fewest <= Counter(call.kind for call in stores.whole.changes)
    is_renamed = False
    for call, file in killed(stores, stores.whole.changes):
        if is_renamed:
            stores.judge_new(file)
        else:
            stores.judge_old(file)
        stores.judge_next(file)
        is_renamed = is_renamed or call.kind == "rename"
    assert is_renamed


@pytest.mark.parametrize("words", CHANGES.values(), ids=CHANGES)
def test_a_change_that_is_killed_leaves_the_old_or_the_new_file_and_the_next_one_clears_away(
    folder: Path, words: Sequence[str]
) -> None:
    judge_all(Stores(folder, words), FEWEST)


def test_a_change_that_is_killed_leaves_the_mode_and_the_owner_of_the_file(
    folder: Path, missing: Callable[[str], NoReturn]
) -> None:
    if os.geteuid() != 0:
        missing("root, to change a file of another user")
    stores = Stores(folder, ["set", "db1.key1"], mode=0o640, owner=1234)
    judge_all(stores, FEWEST + Counter(["fchown"]))


def test_a_change_that_is_killed_while_a_full_disk_stops_it_leaves_the_old_file(folder: Path) -> None:
    stores = Stores(folder, ["set", "db1.key1"], within=ON_A_FULL_DISK)
    assert stores.whole.code == 1
    stores.judge_old(stores.new)
    kinds = [call.kind for call in stores.whole.changes]
    assert kinds == ["unlink", "open", "fchmod", "write", "write", "unlink"]  # half of it is written, and taken away
    for _, file in killed(stores, stores.whole.changes):
        stores.judge_old(file)
        stores.judge_next(file)

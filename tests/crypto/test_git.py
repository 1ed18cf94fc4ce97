"""Secrets.toml in git: two branches merge to what both did, and what they cannot both have is told by every command."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NoReturn

import pytest

from tests.secrets_files import IDENTITY, environ_of
from wellkept import ConfigError, Secret, Settings, load
from wellkept.crypto.change import with_header, with_secret, without_secret
from wellkept.crypto.header import Header, with_access
from wellkept.crypto.keys import Identity
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.rekey import rekeyed
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import read_text
from wellkept.model import Reference

FILE = "Secrets.toml"
WHO = "ada <ada@example.org> 0 +0000"
BRANCHES = ("ours", "theirs")
START = {
    "apiKey": "CANARY-key",
    "db.user": "CANARY-user",
    "db.password": "CANARY-password",
    "zebra": "CANARY-zebra",
}
BOB, EVE = Identity.new("x25519"), Identity.new("x25519")


@dataclass(frozen=True)
class Done:
    """What a command printed, and its code."""

    out: str
    err: str
    code: int


@dataclass(frozen=True)
class Repository:
    """A clone of its own with a Secrets.toml that `IDENTITY` opens, and a home without settings of git."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / FILE

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def environ(self) -> Mapping[str, str]:
        """The whole environment of git and wellkept."""
        names = {f"GIT_{role}_{what}": what for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        return {
            **coverage,
            **names,
            **environ_of(),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": str(self.folder.parent),
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",  # git starts wellkept textconv
        }

    def run(self, *words: str, given: str = "") -> Done:
        """Run a program in it."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.environ, input=given.encode(), capture_output=True, check=False, timeout=50
        )
        assert b"CANARY" not in done.stderr
        return Done(done.stdout.decode(), done.stderr.decode(), done.returncode)

    def wellkept(self, *words: str, given: str = "") -> Done:
        return self.run(sys.executable, "-m", "wellkept", *words, given=given)

    def git(self, *words: str, given: str = "") -> str:
        """What git prints, and it must have gone well."""
        done = self.run("git", *words, given=given)
        assert done.code == 0, done
        return done.out

    def set(self, **values: str | None) -> None:
        """Set keys, or remove them, `a__b` for `a.b`, and commit that."""
        source = SecretsSource(environ_of())
        for key, value in values.items():
            source.write(Reference("enc", tuple(key.split("__")), base=str(self.file)), value)
        self.git("commit", "-qam", "of a test")

    def change(self, edit: Callable[[Opened], str | Refusal]) -> None:
        """Make another text of the file, and commit that."""

        def checked(opened: Opened) -> str:
            text = edit(opened)
            assert not isinstance(text, Refusal)
            return text

        SecretsFile(str(self.file), environ_of()).change(checked)
        self.git("commit", "-qam", "of a test")

    def values(self, identity: Identity = IDENTITY) -> Mapping[str, object]:
        """All that the file holds for somebody, and that is all of it."""
        return values_of(SecretsFile(str(self.file), environ_of(identity)).open())

    def lines_of(self, key: str) -> list[int]:
        """The numbers of the lines of a key, from 1."""
        return [number for number, line in enumerate(self.text.splitlines(), 1) if line.startswith(f"{key} = ")]


def values_of(opened: Opened) -> Mapping[str, object]:
    """All that a file holds."""
    assert not opened.text.flaws
    assert not list(opened.text.repeated())
    assert not list(opened.text.covered())
    return {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository | None:
    """What `wellkept init` made in a new repository, and five values; None where there is no git."""
    if shutil.which("git") is None:
        return None
    made = Repository(tmp_path_factory.mktemp("template") / "clone")
    made.folder.mkdir()
    made.git("init", "-q", "-b", "main")
    done = made.wellkept("init", "--name", "ada@laptop")
    assert done.code == 0, done
    made.git("add", ".")
    made.git("commit", "-qm", "of a test")
    made.git("tag", "start")
    for key, value in START.items():
        made.set(**{key.replace(".", "__"): value})
    return made


@pytest.fixture
def clone(tmp_path: Path, template: Repository | None, missing: Callable[[str], NoReturn]) -> Repository:
    """A repository of its own."""
    if template is None:
        missing("git")
    shutil.copytree(template.folder, tmp_path / "clone")
    return Repository(tmp_path / "clone")


def both(clone: Repository, ours: Callable[[], None], theirs: Callable[[], None]) -> None:
    """Do one thing on a branch and another on main, and stay there."""
    clone.git("checkout", "-qb", "theirs")
    theirs()
    clone.git("checkout", "-q", "main")
    ours()


def merged(clone: Repository, ours: Callable[[], None], theirs: Callable[[], None]) -> Repository:
    """Do one thing on a branch and another on main, and merge."""
    both(clone, ours, theirs)
    clone.git("merge", "-q", "theirs")
    return clone


# All that two branches can do to neighbours

Texts = tuple[str, str, str]  # of the file where the branches part, and on each of them
Change = tuple[str, str]  # what is done, and to which key
NEIGHBOURS = ("all.a.one", "all.b.one", "all.c.one")
LAYOUTS = {"keys with dots": "", "keys of one table": "\n[all]\n"}


@dataclass(frozen=True)
class Pair:
    """What two branches do, and what both together must give."""

    name: str
    texts: Texts
    values: Mapping[str, object]


def changed(opened: Opened, who: str, *changes: Change) -> Opened:
    """A file after some changes; `add` makes a new key beside the one that is named."""
    for what, key in changes:
        path = tuple(key.split("."))
        if what == "add":
            path = (*path[:-1], f"{who}{path[-1]}")
        if what == "unset":
            text = without_secret(opened.text, path)
        else:
            text = with_secret(opened.text, path, opened.seal(path, f"CANARY-{who}"))
        opened = Opened(opened.name, read_text(text), opened.header, opened.key)
    return opened


def pair(base: Opened, ours: Sequence[Change], theirs: Sequence[Change]) -> Pair:
    """What two branches do to different keys."""
    first, second = changed(base, "ours", *ours), changed(base, "theirs", *theirs)
    before, mine, others = values_of(base), values_of(first), values_of(second)
    together = {key: value for key, value in before.items() if key in mine and key in others}
    for side in (mine, others):
        together.update({key: value for key, value in side.items() if before.get(key) != value})
    return Pair(f"{ours}, {theirs}", (str(base.text), str(first.text), str(second.text)), together)


def pairs(base: Opened, keys: Sequence[str]) -> list[Pair]:
    """Each change of one branch with each of the other, but for those that cannot both be had."""
    every = [(what, key) for what in ("set", "unset", "add") for key in keys]
    both_had = [(one, other) for one, other in product(every, repeat=2) if one[1] != other[1] or "add" in one + other]
    return [pair(base, [one], [other]) for one, other in both_had]


def merge_all(clone: Repository, all_texts: Sequence[Texts]) -> Iterator[str]:
    """Merge them, each by a `git merge` of two branches; only the commits are made all at once."""
    start = clone.git("rev-parse", "HEAD").strip()
    stream = ""
    for number, (base, *sides) in enumerate(all_texts):
        for branch, text, parent in (
            (f"base{number}", base, start),
            *((f"{one}{number}", side, f"refs/heads/base{number}") for one, side in zip(BRANCHES, sides, strict=True)),
        ):
            size = len(text.encode())
            stream += f"commit refs/heads/{branch}\ncommitter {WHO}\ndata 1\n.\nfrom {parent}\n"
            stream += f"M 100644 inline {FILE}\ndata {size}\n{text}\n"
    clone.git("fast-import", "--quiet", given=stream)
    for number, _ in enumerate(all_texts):
        clone.git("checkout", "-q", f"ours{number}")
        clone.git("merge", "-q", "-m", "of a test", f"theirs{number}")
        yield clone.text


def judge_all(clone: Repository, base: Opened, found: Sequence[Pair]) -> None:
    """Merge all pairs, and compare what is there with what both did."""
    texts = merge_all(clone, [pair.texts for pair in found])
    wrong = [pair.name for pair, text in zip(found, texts, strict=True) if not is_right(base, text, pair)]
    assert not wrong, f"{len(wrong)} of {len(found)}: {wrong}"


def is_right(base: Opened, text: str, pair: Pair) -> bool:
    read = read_text(text)
    if read.flaws or any(read.repeated()) or read.header_table() != base.text.header_table():
        return False
    return values_of(Opened(base.name, read, base.header, base.key)) == pair.values


@pytest.fixture(params=LAYOUTS)
def neighbours(request: pytest.FixtureRequest, empty: Opened) -> Opened:
    """Three keys that stand below each other."""
    text = str(empty.text).replace("\n[wellkept]\n", f"{LAYOUTS[request.param]}\n[wellkept]\n")
    made = Opened(empty.name, read_text(text), empty.header, empty.key)
    return changed(made, "base", *(("set", key) for key in NEIGHBOURS))


@pytest.fixture
def empty(clone: Repository) -> Opened:
    """The file as `wellkept init` made it."""
    opened = SecretsFile(str(clone.file), environ_of()).open()
    return Opened(opened.name, read_text(clone.git("show", f"start:{FILE}")), opened.header, opened.key)


def test_whatever_two_branches_do_to_neighbours_a_merge_gives_what_both_did(
    clone: Repository, neighbours: Opened
) -> None:
    found = pairs(neighbours, NEIGHBOURS)
    assert len(found) == 69
    judge_all(clone, neighbours, found)


def test_the_next_merge_of_what_a_merge_made_gives_what_both_did_too(clone: Repository, neighbours: Opened) -> None:
    added = [changed(neighbours, who, ("add", "all.b.one")) for who in ("ada", "bob")]
    (text,) = merge_all(clone, [(str(neighbours.text), str(added[0].text), str(added[1].text))])
    base = Opened(neighbours.name, read_text(text), neighbours.header, neighbours.key)
    found = pairs(base, ["all.b.one", "all.b.adaone", "all.b.bobone", "all.c.one"])
    assert len(found) == 128
    clone.git("checkout", "-q", "main")
    clone.git("branch", "-qD", *(f"{one}0" for one in ("base", *BRANCHES)))
    judge_all(clone, base, found)


def test_a_key_that_comes_back_beside_another_change_is_where_it_was(clone: Repository, neighbours: Opened) -> None:
    base = changed(neighbours, "base", ("unset", "all.b.one"))
    others = [(what, key) for what in ("set", "unset", "add") for key in ("all.a.one", "all.c.one")]
    judge_all(clone, base, [pair(base, [("set", "all.b.one")], [other]) for other in others])


def test_two_branches_that_do_several_things_each_get_all_of_them(clone: Repository, neighbours: Opened) -> None:
    adds = [("add", key) for key in NEIGHBOURS]
    several = [
        (adds, adds),
        (adds, [("set", "all.a.one"), ("unset", "all.b.one"), *adds]),
        ([("unset", "all.a.one"), ("unset", "all.c.one")], [("unset", "all.b.one"), *adds]),
        ([*adds, ("unset", "all.b.one")], [*adds, ("unset", "all.a.one"), ("set", "all.a.one")]),
    ]
    judge_all(clone, neighbours, [pair(neighbours, *one) for one in several])


def test_the_first_keys_of_two_branches_merge(clone: Repository, empty: Opened) -> None:
    keys = [[("set", f"{who}{number % 2}.key{number}") for number in range(4)] for who in ("same", "ours", "theirs")]
    adds = [("add", key) for _, key in keys[0]]
    judge_all(clone, empty, [pair(empty, adds, adds), pair(empty, keys[1], keys[2]), pair(empty, keys[1][:1], keys[2])])


# Who may open it


def with_somebody(name: str, who: Identity) -> Callable[[Opened], str | Refusal]:
    """Add a recipient."""

    def edit(opened: Opened) -> str | Refusal:
        header = with_access(opened.header, opened.key, name, who.recipient, None)
        return with_header(opened.text, header.values()) if isinstance(header, Header) else header

    return edit


def test_a_new_recipient_and_a_new_value_merge_and_the_one_opens_the_other(clone: Repository) -> None:
    merged(clone, lambda: clone.change(with_somebody("bob", BOB)), lambda: clone.set(zebra="CANARY-new", late="CANARY"))
    assert clone.values(BOB) == {**START, "zebra": "CANARY-new", "late": "CANARY"}


def test_two_branches_add_a_recipient_each_and_everybody_opens_everything(clone: Repository) -> None:
    merged(clone, lambda: clone.change(with_somebody("bob", BOB)), lambda: clone.change(with_somebody("eve", EVE)))
    assert [clone.values(who) for who in (IDENTITY, BOB, EVE)] == [START] * 3
    clone.git("branch", "-qD", "theirs")
    more = Identity.new("x25519")
    merged(clone, lambda: clone.change(with_somebody("a", more)), lambda: clone.change(with_somebody("z", BOB)))
    assert [clone.values(who) for who in (IDENTITY, BOB, EVE, more)] == [START] * 4
    assert "ada@laptop" in clone.wellkept("recipients", "list").out


def test_a_recipient_of_both_branches_is_told_with_both_lines(clone: Repository) -> None:
    merged(clone, lambda: clone.change(with_somebody("bob", BOB)), lambda: clone.change(with_somebody("bob", EVE)))
    places = " and ".join(map(str, clone.lines_of("bob")))
    done = clone.wellkept("get", "zebra")
    assert f"Secrets.toml: has wellkept.recipients.bob in lines {places}: two branches changed it\n" in done.err
    assert done.code == 1


def test_a_value_that_was_set_beside_a_rekey_is_told_and_can_be_set_again(clone: Repository) -> None:
    merged(clone, lambda: clone.change(rekeyed), lambda: clone.set(late="CANARY"))
    done = clone.wellkept("get", "late")
    assert "error: late: was encrypted with a data key that the file has no more\n" in done.err
    assert {key: value for key, value in clone.values().items() if key != "late"} == START
    assert clone.wellkept("set", "late", given="CANARY").code == 0
    assert clone.values() == {**START, "late": "CANARY"}


def test_a_recipient_that_was_added_beside_a_rekey_is_told_by_name(clone: Repository) -> None:
    merged(clone, lambda: clone.change(rekeyed), lambda: clone.change(with_somebody("eve", EVE)))
    done = clone.wellkept("get", "zebra")
    assert "error: Secrets.toml: has a recipient that nobody added who could open it: eve\n" in done.err
    (line,) = clone.lines_of("eve")
    lines = clone.text.splitlines(keepends=True)
    clone.file.write_text("".join([*lines[: line - 1], *lines[line:]]), encoding="utf-8")  # as the hint says
    clone.change(with_somebody("eve", EVE))
    assert clone.values() == clone.values(EVE) == START


@pytest.mark.parametrize("words", [("get", "zebra"), ("set", "other"), ("unset", "zebra"), ("rekey",)], ids=" ".join)
def test_two_branches_with_a_new_data_key_each_are_told(clone: Repository, words: Sequence[str]) -> None:
    merged(clone, lambda: clone.change(rekeyed), lambda: clone.change(rekeyed))
    text = clone.text
    done = clone.wellkept(*words, given="CANARY")
    assert "error: Secrets.toml: has wellkept." in done.err
    assert ": two branches changed it\n" in done.err
    assert done.code == 1
    assert clone.text == text


def test_the_file_of_one_branch_is_the_way_out_of_two_new_data_keys(clone: Repository) -> None:
    def renew_and_set() -> None:
        clone.change(rekeyed)
        clone.set(late="CANARY")

    merged(clone, lambda: clone.change(rekeyed), renew_and_set)
    assert "hint: git checkout BRANCH -- the file" in clone.wellkept("get", "zebra").err
    clone.git("checkout", "-q", "theirs", "--", FILE)
    assert clone.values() == {**START, "late": "CANARY"}


# A key that both branches changed


class Config(Settings):
    api_key: Secret[str]
    zebra: Secret[str]


@pytest.fixture
def disputed(clone: Repository) -> Repository:
    """Two branches changed zebra, and were merged."""
    return merged(clone, lambda: clone.set(zebra="CANARY-ours"), lambda: clone.set(zebra="CANARY-theirs"))


def test_both_values_of_a_key_are_kept_until_one_is_chosen(disputed: Repository) -> None:
    first, second = disputed.lines_of("zebra")
    done = disputed.wellkept("get", "zebra")
    assert f"error: zebra: stands in lines {first} and {second}: two branches gave it a value\n" in done.err
    assert f"wellkept get zebra --line {first} --reveal" in done.err
    assert "wellkept set zebra --line " in done.err
    assert (done.out, done.code) == ("", 1)
    assert disputed.wellkept("get", "zebra", "--line", str(first), "--reveal").out == "CANARY-ours"
    assert disputed.wellkept("get", "zebra", "--line", str(second), "--reveal").out == "CANARY-theirs"


@pytest.mark.parametrize("side", [0, 1], ids=BRANCHES)
def test_one_line_is_kept_and_then_all_is_well(disputed: Repository, side: int) -> None:
    lines, before = disputed.lines_of("zebra"), disputed.text.splitlines()
    done = disputed.wellkept("set", "zebra", "--line", str(lines[side]))
    assert (done.code, done.out) == (0, "")
    assert disputed.values() == {**START, "zebra": f"CANARY-{BRANCHES[side]}"}
    assert len(disputed.text.splitlines()) == len(before) - 1
    assert set(before) - set(disputed.text.splitlines()) <= {before[line - 1] for line in lines}
    for words in (("list",), ("check",), ("get", "zebra")):
        after = disputed.wellkept(*words)
        assert (after.code, after.err) == (0, "")


@pytest.mark.parametrize("words", [("list",), ("get", "apiKey"), ("set", "other"), ("unset", "apiKey")], ids=" ".join)
def test_commands_for_other_keys_work_and_name_it(disputed: Repository, words: Sequence[str]) -> None:
    places = " and ".join(map(str, disputed.lines_of("zebra")))
    done = disputed.wellkept(*words, given="CANARY-other")
    assert f"warning: zebra: stands in lines {places}: two branches gave it a value; look" in done.err
    assert done.code == 0
    assert len(disputed.lines_of("zebra")) == 2


def test_a_rekey_is_refused_as_long_as_a_key_stands_twice(disputed: Repository) -> None:
    done = disputed.wellkept("rekey")
    assert "error: Secrets.toml: holds zebra, which stands in lines" in done.err
    assert done.code == 1


def test_check_fails_and_names_it_with_both_lines(disputed: Repository) -> None:
    first, second = disputed.lines_of("zebra")
    done = disputed.wellkept("check")
    assert f"repeats zebra, which stands at Secrets.toml:{first}:1 already" in done.err
    assert f"Secrets.toml:{second}:1" in done.err
    assert "wellkept set KEY --line N keeps one" in done.err
    assert done.code == 1


def test_a_program_fails_with_both_lines_and_the_way_out(disputed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(disputed.folder)
    first, second = disputed.lines_of("zebra")
    with pytest.raises(ConfigError) as caught:
        load(Config, redact=False, environ=environ_of())
    problem = next(one for one in caught.value.problems if "repeats" in one.message)
    assert problem.message == f"repeats zebra, which stands at Secrets.toml:{first}:1 already"
    assert problem.place == f"Secrets.toml:{second}:1"
    assert problem.hint == "a merge left both: wellkept list names them, and wellkept set KEY --line N keeps one"
    assert "CANARY" not in str(caught.value)


def test_two_branches_that_add_the_same_key_are_told_too(clone: Repository) -> None:
    merged(clone, lambda: clone.set(db__late="CANARY-ours"), lambda: clone.set(db__late="CANARY-theirs"))
    done = clone.wellkept("list")
    assert f"db.late: stands in lines {' and '.join(map(str, clone.lines_of('db.late')))}" in done.err


def test_a_key_that_one_branch_changed_and_the_other_removed_keeps_the_change(clone: Repository) -> None:
    merged(clone, lambda: clone.set(zebra=None), lambda: clone.set(zebra="CANARY-theirs"))
    assert clone.values() == {**START, "zebra": "CANARY-theirs"}


def test_a_key_that_both_branches_removed_is_gone(clone: Repository) -> None:
    merged(clone, lambda: clone.set(zebra=None), lambda: clone.set(zebra=None, apiKey=None))
    assert clone.values().keys() == {"db.user", "db.password"}


# Other ways to bring branches together, and other files


@pytest.mark.parametrize("words", [("rebase", "-q"), ("cherry-pick",)], ids=" ".join)
def test_a_rebase_or_cherry_pick_gives_what_both_did(clone: Repository, words: Sequence[str]) -> None:
    both(clone, lambda: clone.set(db__user="CANARY-ours", more="CANARY"), lambda: clone.set(zebra=None, last="CANARY"))
    clone.git(*words, "theirs")
    expected = {**START, "db.user": "CANARY-ours", "more": "CANARY", "last": "CANARY"}
    del expected["zebra"]
    assert clone.values() == expected


@pytest.mark.parametrize("words", [("rebase", "-q"), ("cherry-pick",)], ids=" ".join)
def test_a_rebase_or_cherry_pick_keeps_both_values_of_a_key(clone: Repository, words: Sequence[str]) -> None:
    both(clone, lambda: clone.set(zebra="CANARY-ours"), lambda: clone.set(zebra="CANARY-theirs"))
    clone.git(*words, "theirs")
    lines = clone.lines_of("zebra")
    shown = {clone.wellkept("get", "zebra", "--line", str(line), "--reveal").out for line in lines}
    assert shown == {"CANARY-ours", "CANARY-theirs"}


def test_a_checkout_with_crlf_is_read_and_a_set_changes_one_line_of_it(clone: Repository) -> None:
    with (clone.folder / ".gitattributes").open("a", encoding="utf-8") as attributes:
        attributes.write("* text eol=crlf\n")
    clone.git("commit", "-qam", "of a test")
    clone.file.unlink()
    clone.git("checkout", "-q", "--", FILE)
    before = clone.file.read_bytes()
    assert before.count(b"\r\n") == before.count(b"\n") > 10
    assert clone.values() == START
    assert clone.wellkept("set", "zebra", given="CANARY-new").code == 0
    after = clone.file.read_bytes()
    assert after.count(b"\r\n") == after.count(b"\n") == before.count(b"\n")
    assert sum(one != other for one, other in zip(before.splitlines(), after.splitlines(), strict=True)) == 1
    assert clone.git("diff", "--numstat") == f"1\t1\t{FILE}\n"
    clone.git("commit", "-qam", "of a test")
    merged(clone, lambda: clone.set(db__user="CANARY-ours"), lambda: clone.set(db__password=None, late="CANARY"))
    assert clone.values().keys() == {"apiKey", "db.user", "zebra", "late"}
    text = clone.file.read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n")


def test_a_file_that_is_renamed_opens_as_before(clone: Repository) -> None:
    clone.git("mv", FILE, "Other.toml")
    done = clone.wellkept("get", "zebra", "--file", "Other.toml", "--reveal")
    assert done == Done("CANARY-zebra", "", 0)
    assert clone.wellkept("set", "zebra", "--file", "Other.toml", given="CANARY-new").code == 0
    assert clone.wellkept("get", "zebra", "--file", "Other.toml", "--reveal").out == "CANARY-new"


def test_a_rename_merges_with_a_change_on_another_branch(clone: Repository) -> None:
    def rename() -> None:
        clone.git("mv", FILE, "Secrets.prod.toml")
        clone.git("commit", "-qm", "of a test")

    merged(clone, lambda: clone.set(zebra="CANARY-new"), rename)
    assert not clone.file.exists()
    opened = SecretsFile(str(clone.folder / "Secrets.prod.toml"), environ_of()).open()
    assert values_of(opened) == {**START, "zebra": "CANARY-new"}


# What a diff shows


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("set", "db.user"), "1\t1"),
        (("set", "db.host"), "3\t0"),
        (("unset", "db.user"), "0\t1"),
        (("recipients", "add", "bob", str(BOB.recipient), "--yes"), "3\t0"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_diff_has_the_lines_of_the_change_and_no_others(
    clone: Repository, words: Sequence[str], numbers: str
) -> None:
    assert clone.wellkept(*words, given="CANARY-new").code == 0
    assert clone.git("diff", "--numstat") == f"{numbers}\t{FILE}\n"


def test_a_diff_shows_keys_and_marks_and_no_ciphertext(clone: Repository) -> None:
    clone.set(db__user="CANARY-new", db__host="CANARY-host")
    shown = clone.git("show", "--format=", "-U99")
    marks = {
        key: re.findall(rf"^([-+ ]){re.escape(key)} = \(encrypted ([0-9a-f]{{8}})\)$", shown, re.MULTILINE)
        for key in (*START, "db.host")
    }
    assert {key: [sign for sign, _ in found] for key, found in marks.items()} == {
        "apiKey": [" "],
        "db.user": ["-", "+"],
        "db.password": [" "],
        "zebra": [" "],
        "db.host": ["+"],
    }
    assert len({mark for found in marks.values() for _, mark in found}) == 6
    assert "enc:1:" not in shown
    assert "wk-x25519-" not in shown


# Without what init wrote for git


@pytest.fixture
def conflicted(clone: Repository) -> Repository:
    """Two branches changed zebra, and there are no attributes that merge it."""
    clone.git("rm", "-q", ".gitattributes")
    clone.git("commit", "-qm", "of a test")
    both(clone, lambda: clone.set(zebra="CANARY-ours"), lambda: clone.set(zebra="CANARY-theirs"))
    assert clone.run("git", "merge", "theirs").code == 1
    assert "<<<<<<< HEAD\n" in clone.text
    return clone


@pytest.mark.parametrize(
    "words",
    [("list",), ("get", "apiKey"), ("get", "zebra"), ("set", "apiKey"), ("unset", "apiKey"), ("rekey",)],
    ids=" ".join,
)
def test_marks_of_a_conflict_are_told_by_their_lines(conflicted: Repository, words: Sequence[str]) -> None:
    lines = conflicted.text.splitlines()
    marks = [number for number, line in enumerate(lines, 1) if line[:7] in {"<" * 7, "=" * 7, ">" * 7}]
    done = conflicted.wellkept(*words, given="CANARY-new")
    assert len(marks) == 3
    for line in marks:
        assert f"line {line}: is a conflict mark of git" in done.err


def test_check_names_the_line_of_the_first_mark(conflicted: Repository) -> None:
    line = conflicted.text.splitlines().index("<<<<<<< HEAD") + 1
    done = conflicted.wellkept("check")
    assert f"(Secrets.toml:{line}:1)" in done.err
    assert done.code == 1


def test_without_the_marks_one_of_the_lines_is_kept(conflicted: Repository) -> None:
    marks = ("<" * 7, "=" * 7, ">" * 7)
    lines = [line for line in conflicted.text.splitlines(keepends=True) if not line.startswith(marks)]
    conflicted.file.write_text("".join(lines), encoding="utf-8")
    _, theirs = conflicted.lines_of("zebra")
    assert conflicted.wellkept("set", "zebra", "--line", str(theirs)).code == 0
    assert conflicted.values() == {**START, "zebra": "CANARY-theirs"}

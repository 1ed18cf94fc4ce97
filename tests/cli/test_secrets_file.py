"""Secrets.toml from the command line: started, shared, renewed, left; and what each command refuses."""

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from tests.cli.shelf import CommandLine
from tests.cli.terminal import Terminal
from tests.secrets_files import environ_of, secrets_file
from wellkept.crypto.keys import Identity

PASSPHRASE = "CANARY five words at random"


@pytest.fixture
def started(wellkept: CommandLine) -> CommandLine:
    """A folder with a Secrets.toml of two keys, and an identity in its home."""
    assert wellkept("init", "--x25519", "--name", "ada@laptop").code == 0
    for key in ("db.password", "apiKey"):
        assert wellkept("set", key, given=f"CANARY-{key}\n".encode()).code == 0
    return wellkept


def text_of(wellkept: CommandLine) -> str:
    return (wellkept.folder / "Secrets.toml").read_text(encoding="utf-8")


def test_init_makes_an_identity_for_its_owner_only(wellkept: CommandLine) -> None:
    done = wellkept("init")
    file = wellkept.folder / ".config" / "wellkept" / "identity"
    assert f"made your identity: {file} (keep a copy where you keep passwords)\n" in done.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert (file.parent / ".gitignore").read_text() == "*\n"  # a home folder may stand in a repository
    assert file.read_text().splitlines()[-1].startswith("WK-SECRET-HYBRID-")


def test_init_again_changes_nothing_even_after_a_set(started: CommandLine) -> None:
    names = ("Secrets.toml", ".gitignore", ".gitattributes", ".config/wellkept/identity")
    before = {name: (started.folder / name).read_bytes() for name in names}
    done = started("init")
    assert (done.err, done.code) == ("Secrets.toml is there already, and you can open it\n", 0)
    assert {name: (started.folder / name).read_bytes() for name in names} == before


def test_init_adds_to_the_files_of_git_what_they_lack(wellkept: CommandLine) -> None:
    (wellkept.folder / ".gitignore").write_text("*.pyc\nConfig.toml", encoding="utf-8")
    wellkept("init")
    lines = (wellkept.folder / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines == ["*.pyc", "Config.toml", "**/Config.toml", ".wellkept-*"]
    assert (wellkept.folder / ".gitattributes").read_text() == "Secrets*.toml merge=union diff=wellkept\n"


def test_init_refuses_a_file_that_is_plain(wellkept: CommandLine) -> None:
    (wellkept.folder / "Secrets.toml").write_text('password = "CANARY-plain"\n', encoding="utf-8")
    done = wellkept("init")
    assert "error: Secrets.toml: exists, and is not encrypted\n" in done.err
    assert done.code == 2
    assert text_of(wellkept) == 'password = "CANARY-plain"\n'
    assert not (wellkept.folder / ".config").exists()


def test_init_gives_a_file_of_comments_its_header(wellkept: CommandLine) -> None:
    (wellkept.folder / "Secrets.toml").write_text("# of the payments team\n", encoding="utf-8")
    assert wellkept("init", "--x25519").code == 0
    assert text_of(wellkept).startswith("# of the payments team\n\n[wellkept]\nversion = 1\n")


def test_init_writes_the_identity_where_a_variable_names_a_new_file(wellkept: CommandLine) -> None:
    file = wellkept.folder / "own.secret"
    assert wellkept("init", environ={"WELLKEPT_IDENTITY_FILE": str(file)}).code == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_init_beside_a_file_of_others_says_what_to_send_them(wellkept: CommandLine) -> None:
    secrets_file(wellkept.folder / "Secrets.toml", {"a": "CANARY"}, Identity.new("x25519"))
    done = wellkept("init", "--x25519")
    assert done.code == 0
    assert "Secrets.toml is there already, and you cannot open it yet: let somebody who can run\n" in done.err
    public = wellkept("identity").out.strip()
    assert f"  wellkept recipients add {os_user()} {public}\n" in done.err


def os_user() -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from wellkept.cli.own import own_name; print(own_name())"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.stdout.strip()


def test_init_as_json(wellkept: CommandLine) -> None:
    record = cast("dict[str, object]", wellkept("init", "--json").document)
    assert record["new"] is True
    assert str(record["public"]).startswith("wk-hybrid-")
    assert "SECRET" not in str(record)


def test_an_identity_for_a_machine_is_a_new_private_file(wellkept: CommandLine) -> None:
    done = wellkept("identity", "--new", "ci.secret", "--x25519")
    assert done.out.startswith("wk-x25519-")
    assert done.err.endswith("written to ci.secret\n")
    assert (wellkept.folder / "ci.secret").stat().st_mode & 0o777 == 0o600
    assert "ci.secret: exists already" in wellkept("identity", "--new", "ci.secret").err
    again = wellkept("identity", environ={"WELLKEPT_IDENTITY_FILE": "ci.secret"})
    assert again.out == done.out


def test_an_identity_inside_a_repository_is_a_warning(wellkept: CommandLine) -> None:
    (wellkept.folder / ".git").mkdir()
    done = wellkept("identity", "--new", "ci.secret", "--x25519")
    assert "warning: ci.secret: stands in a repository: move it out" in done.err


def test_without_an_identity_there_is_a_way_to_one(wellkept: CommandLine) -> None:
    done = wellkept("identity")
    assert done.err == ("error: identity: there is none\nhint: make one with wellkept init, or set WELLKEPT_IDENTITY\n")
    assert done.code == 77


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("WK-SECRET-X25519-CANARY", "was cut, or has a character that does not belong to it"),
        ("CANARY", "begins with none of WK-SECRET-HYBRID-, WK-SECRET-X25519-"),
        ("wk-x25519-gWZJliK6yHwhTbLoAMXJd_WGCfj5DUpkcBV3oq5jSHuHLISJ", "is a public key"),
    ],
)
def test_an_identity_that_is_none_is_refused_and_not_quoted(started: CommandLine, text: str, fact: str) -> None:
    done = started("get", "apiKey", environ={"WELLKEPT_IDENTITY": text})
    assert f"the identity of WELLKEPT_IDENTITY {fact}" in done.err
    assert "CANARY" not in done.err
    assert done.code == 77


def test_a_passphrase_opens_the_file_at_a_terminal(started: CommandLine) -> None:
    terminal = Terminal(started, "recipients", "add", "team", "--passphrase")
    terminal.type(f"{PASSPHRASE}\n", after="new passphrase of Secrets.toml: ")
    terminal.type(f"{PASSPHRASE}\n", after="the same again: ")
    assert terminal.end() == 0
    assert "CANARY" not in terminal.shown
    (started.folder / ".config" / "wellkept" / "identity").unlink()
    terminal = Terminal(started, "get", "apiKey")
    terminal.type(f"{PASSPHRASE}\n", after="passphrase of Secrets.toml: ")
    assert terminal.end() == 0
    assert "apiKey" in terminal.shown
    shown = started("get", "apiKey", "--reveal", environ={"WELLKEPT_PASSPHRASE": PASSPHRASE})
    assert shown.out == "CANARY-apiKey"
    wrong = started("get", "apiKey", environ={"WELLKEPT_PASSPHRASE": "CANARY another one"})
    assert "Secrets.toml: is not opened by that passphrase" in wrong.err
    assert wrong.code == 77


def test_a_rekey_needs_no_passphrase_and_keeps_it(started: CommandLine) -> None:
    terminal = Terminal(started, "recipients", "add", "team", "--passphrase")
    terminal.type(f"{PASSPHRASE}\n", after="new passphrase of Secrets.toml: ")
    terminal.type(f"{PASSPHRASE}\n", after="the same again: ")
    assert terminal.end() == 0
    assert started("rekey").code == 0
    (started.folder / ".config" / "wellkept" / "identity").unlink()
    assert started("get", "apiKey", "--reveal", environ={"WELLKEPT_PASSPHRASE": PASSPHRASE}).out == "CANARY-apiKey"


@pytest.mark.parametrize(
    ("first", "second", "fact"),
    [
        ("CANARY-short", "CANARY-other", "was typed differently the second time"),
        ("CANARY", "CANARY", "has fewer than 12 characters"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused(started: CommandLine, first: str, second: str, fact: str) -> None:
    before = text_of(started)
    terminal = Terminal(started, "recipients", "add", "team", "--passphrase")
    terminal.type(f"{first}\n", after="new passphrase of Secrets.toml: ")
    terminal.type(f"{second}\n", after="the same again: ")
    assert terminal.end() == 2
    assert fact in terminal.shown
    assert text_of(started) == before


def test_adding_somebody_shows_the_fingerprint_and_asks(started: CommandLine) -> None:
    public = Identity.new("x25519").recipient
    terminal = Terminal(started, "recipients", "add", "bob", str(public))
    terminal.type("n\n", after="and may they read all of Secrets.toml?")
    assert terminal.end() == 1
    assert f"the key of bob has the fingerprint {public.fingerprint}" in terminal.shown
    assert "bob" not in text_of(started)
    terminal = Terminal(started, "recipients", "add", "bob", str(public))
    terminal.type("y\n", after="and may they read all of Secrets.toml?")
    assert terminal.end() == 0
    assert "\n# bob\nbob = " in text_of(started)


def test_who_is_a_recipient_already_is_not_added_again(started: CommandLine) -> None:
    public = str(Identity.new("x25519").recipient)
    done = started("recipients", "add", "ada@laptop", public, "--yes")
    assert "error: ada@laptop: is a recipient already" in done.err


def test_an_identity_is_no_public_key(started: CommandLine) -> None:
    done = started("recipients", "add", "bob", Identity.new("x25519").text(), "--yes")
    assert "PUBLIC-KEY: is an identity, which stays with its owner" in done.err


def test_the_list_says_who_you_are_and_what_the_file_is(started: CommandLine) -> None:
    report = cast("dict[str, object]", started("recipients", "list", "--json").document)
    (row,) = cast("list[dict[str, object]]", report["recipients"])
    assert (row["name"], row["kind"], row["you"]) == ("ada@laptop", "x25519", True)
    pinned = {"WELLKEPT_STORE": str(report["fingerprint"])}
    assert started("get", "apiKey", environ=pinned).code == 0
    started("rekey")
    done = started("get", "apiKey", environ=pinned)
    assert "is not a file that WELLKEPT_STORE pins" in done.err
    assert done.code == 1


def test_the_last_recipient_cannot_leave(started: CommandLine) -> None:
    before = text_of(started)
    done = started("recipients", "remove", "ada@laptop", "--yes")
    assert "error: Secrets.toml: would be opened by nobody" in done.err
    assert text_of(started) == before


def test_a_stranger_that_slipped_in_stops_everything_and_is_named(started: CommandLine) -> None:
    stranger = Identity.new("x25519")
    other = secrets_file(started.folder / "other.secret", {}, stranger).read_text()
    line = next(line for line in other.splitlines() if "ada@laptop" in line and " = " in line)
    file = started.folder / "Secrets.toml"
    file.write_text(text_of(started) + line.replace('"ada@laptop"', "mallory") + "\n")
    for words in (("get", "apiKey"), ("rekey",), ("set", "new")):
        done = started(*words, given=b"CANARY")
        assert "error: Secrets.toml: has a recipient that nobody added who could open it: mallory" in done.err
        assert done.code == 1


def test_a_value_that_does_not_decrypt_stops_a_rekey(started: CommandLine) -> None:
    file = started.folder / "Secrets.toml"
    file.write_text(text_of(started).replace("apiKey = ", "moved = "))
    before = text_of(started)
    done = started("rekey")
    assert "error: Secrets.toml: holds moved, which does not decrypt" in done.err
    assert text_of(started) == before


def test_a_secret_moves_to_a_provider_with_one_command(started: CommandLine) -> None:
    (started.folder / "Config.toml").write_text("# kept\ntimeout = 5 # too\n", encoding="utf-8")
    done = started("move", "db.password", "shelf:prod/db#password")
    assert (done.err, done.code) == ("moved db.password to shelf:prod/db#password; Config.toml refers to it\n", 0)
    assert started.newest("prod/db") == {"password": "CANARY-db.password"}
    config = (started.folder / "Config.toml").read_text(encoding="utf-8")
    assert config.startswith("# kept\ntimeout = 5 # too\n")
    assert 'password = "${shelf:prod/db#password}"' in config
    assert started("list").out == "apiKey\n"
    assert started("check", "--json").code == 0


def test_a_move_overwrites_nothing(started: CommandLine) -> None:
    started.put("prod/db", {"password": "CANARY-other"})
    done = started("move", "db.password", "shelf:prod/db#password")
    assert "error: shelf:prod/db#password: holds another value already" in done.err
    assert started.newest("prod/db") == {"password": "CANARY-other"}
    assert "db.password" in started("list").out
    assert not (started.folder / "Config.toml").exists()


def test_a_move_that_stopped_half_way_goes_on(started: CommandLine) -> None:
    started.put("prod/db", {"password": "CANARY-db.password"})
    (started.folder / "Config.toml").write_text('[db]\npassword = "${shelf:prod/db#password}"\n', encoding="utf-8")
    assert started("move", "db.password", "shelf:prod/db#password", "--json").code == 0
    assert started("list").out == "apiKey\n"


def test_a_move_beside_a_plain_value_is_refused(started: CommandLine) -> None:
    (started.folder / "Config.toml").write_text('[db]\npassword = "CANARY-old"\n', encoding="utf-8")
    done = started("move", "db.password", "shelf:prod/db#password")
    assert "error: Config.toml: says something about db.password already" in done.err
    assert started.newest("prod/db") is None


@pytest.mark.parametrize("words", [("apiKey", "db.x"), ("shelf:a/b#c", "shelf:a/b#c"), ("apiKey", "shelf:a/b")])
def test_a_move_needs_both_ends(started: CommandLine, words: tuple[str, str]) -> None:
    done = started("move", *words)
    assert "error: move: needs a key of Secrets.toml, and a reference with a #key" in done.err
    assert done.code == 2


def test_a_diff_shows_keys_and_marks(started: CommandLine) -> None:
    before = started("textconv", "Secrets.toml").out
    started("set", "apiKey", given=b"CANARY-new")
    after = started("textconv", "Secrets.toml").out
    changed = [(one, other) for one, other in zip(before.splitlines(), after.splitlines(), strict=True) if one != other]
    assert [one.partition(" = ")[0] for one, _ in changed] == ["apiKey"]
    assert "${enc:" not in after
    assert max(map(len, after.splitlines())) < 100


def test_the_keys_are_completed(started: CommandLine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from wellkept.cli.app import app; app(prog_name='wellkept')"],
        cwd=started.folder,
        env={"_WELLKEPT_COMPLETE": "fish_complete", "COMP_WORDS": "wellkept get d", "COMP_CWORD": "d"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "db.password" in done.stdout


def test_another_file_is_named_and_only_one(started: CommandLine) -> None:
    assert started("init", "--x25519", "--file", "Secrets.prod.toml").code == 0
    assert started("set", "apiKey", "--file", "Secrets.prod.toml", given=b"CANARY-prod").code == 0
    assert started("get", "apiKey", "--reveal", "--file", "Secrets.prod.toml").out == "CANARY-prod"
    assert started("get", "apiKey", "--reveal").out == "CANARY-apiKey"
    done = started("get", "apiKey", "--file", "Secrets.toml", "--file", "Secrets.prod.toml")
    assert "error: --file: names more than one file" in done.err


def test_a_link_stays_a_link(started: CommandLine) -> None:
    file = started.folder / "Secrets.toml"
    real = started.folder / "secrets-of-all" / "Secrets.toml"
    real.parent.mkdir()
    file.rename(real)
    file.symlink_to(real)
    assert started("set", "apiKey", given=b"CANARY-linked").code == 0
    assert file.is_symlink()
    assert started("get", "apiKey", "--reveal").out == "CANARY-linked"


def test_the_mode_of_the_file_is_kept(started: CommandLine) -> None:
    file = started.folder / "Secrets.toml"
    for mode in (0o640, 0o600, 0o644):
        file.chmod(mode)
        assert started("set", "apiKey", given=b"CANARY-mode").code == 0
        assert file.stat().st_mode & 0o777 == mode


def test_what_a_person_spoilt_is_told_by_its_line(started: CommandLine) -> None:
    file = started.folder / "Secrets.toml"
    file.write_text('<<<<<<< HEAD\nport = "CANARY-plain"\n' + text_of(started))
    done = started("list")
    assert "warning: line 1: is a conflict mark of git" in done.err
    assert "warning: line 2: gives port a value that is not encrypted" in done.err
    assert "CANARY" not in done.err
    assert done.out == "apiKey\ndb.password\n"


def test_a_child_of_run_gets_neither_identity_nor_passphrase(started: CommandLine) -> None:
    script = (
        'test -z "$WELLKEPT_IDENTITY$WELLKEPT_PASSPHRASE" && printf %s "$BAL_CONFIG_VAR_APIKEY$BAL_CONFIG_VAR_API_KEY"'
    )
    identity = (started.folder / ".config" / "wellkept" / "identity").read_text().splitlines()[-1]
    environ = {"WELLKEPT_IDENTITY": identity, "WELLKEPT_PASSPHRASE": "CANARY-pass", "HOME": os.devnull}
    done = started("run", "--settings", "--", "sh", "-c", f"{script} | wc -c", environ=environ)
    assert (done.out.strip(), done.code) == (str(len("CANARY-apiKey")), 0)


def test_a_program_in_a_clone_needs_an_identity_and_nothing_else(started: CommandLine, tmp_path: Path) -> None:
    program = (
        "from wellkept import Secret, Settings, load\n"
        "class Db(Settings):\n    password: Secret[str]\n"
        "class C(Settings):\n    api_key: Secret[str]\n    db: Db\n"
        "print(len(load(C).db.password.reveal()))\n"
    )
    identity = (started.folder / ".config" / "wellkept" / "identity").read_text().splitlines()[-1]
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "Secrets.toml").write_text(text_of(started))
    environ = {**started.environ, "HOME": str(clone), "WELLKEPT_IDENTITY": identity}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=clone, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{len('CANARY-db.password')}\n"


def test_a_project_is_not_hidden_from_git_by_an_identity_in_it(wellkept: CommandLine) -> None:
    subprocess.run(["git", "init", "--quiet", str(wellkept.folder)], check=True)
    done = wellkept("init", environ={"WELLKEPT_IDENTITY_FILE": "identity.secret"})
    assert "*" not in (wellkept.folder / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "warning: identity.secret: stands in a repository: move it out" in done.err


def test_many_first_inits_at_once_keep_one_identity(wellkept: CommandLine) -> None:
    program = [sys.executable, "-m", "wellkept", "init", "--x25519", "--file"]
    files = [f"Secrets.{number}.toml" for number in range(6)]
    children = [
        subprocess.Popen([*program, name], cwd=wellkept.folder, env=wellkept.environ, stderr=subprocess.PIPE)
        for name in files
    ]
    assert [(child.communicate(timeout=50), child.returncode)[1] for child in children] == [0] * 6
    for name in files:
        assert wellkept("set", "a", "--file", name, given=b"CANARY").code == 0


@pytest.mark.parametrize("name", ["Secrets-prod.toml", "Secrets.toml", "link.toml"])
def test_a_file_that_lost_its_header_is_still_known_by_its_name(started: CommandLine, name: str) -> None:
    target = started.folder / ("Secrets.other.toml" if name == "link.toml" else name)
    target.write_text('apiKey = "CANARY-of-somebody-else"\n', encoding="utf-8")
    if name == "link.toml":
        (started.folder / name).symlink_to(target)
    done = started("check", environ={"BAL_CONFIG_FILES": name})
    assert "is not encrypted, and stands in a file where everything is" in done.err
    assert done.code == 1


def test_a_piece_of_a_long_text_is_not_named_as_a_key(started: CommandLine) -> None:
    text = '"""\nCANARYdGhpcyBpcyBhIHRlc3Q=\nCANARY = "x"\n"""\n'
    (started.folder / "Secrets.toml").write_text(f"jwtKey = {text}{text_of(started)}", encoding="utf-8")
    done = started("list")
    assert "CANARY" not in done.err
    assert "warning: line 2: is no key with an encrypted value" in done.err


def test_two_names_of_one_key_are_refused(started: CommandLine) -> None:
    public = str(Identity.new("x25519").recipient)
    assert started("recipients", "add", "bob", public, "--yes").code == 0
    done = started("recipients", "add", "bobby", public, "--yes")
    assert "error: PUBLIC-KEY: is that of bob, who is a recipient already" in done.err
    assert "NAME: is no name" in started("recipients", "add", " bo", public, "--yes").err


def test_nobody_locks_themselves_out(started: CommandLine) -> None:
    public = str(Identity.new("x25519").recipient)
    assert started("recipients", "add", "bob", public, "--yes").code == 0
    done = started("recipients", "remove", "ada@laptop", "--yes")
    assert "error: ada@laptop: is you, and you could not open the file any more" in done.err
    assert started("get", "apiKey").code == 0


def test_a_line_of_an_older_data_key_is_taken_out_by_name(started: CommandLine) -> None:
    public = str(Identity.new("x25519").recipient)
    assert started("recipients", "add", "carol", public, "--yes").code == 0
    line = next(line for line in text_of(started).splitlines() if line.startswith("carol = "))
    assert started("recipients", "remove", "carol", "--yes").code == 0
    file = started.folder / "Secrets.toml"
    file.write_text(f"{text_of(started)}{line}\n", encoding="utf-8")  # as a merge of that branch leaves it
    assert (
        "hint: wellkept recipients remove carol; after a merge with a rekey, add them again" in started("get", "a").err
    )
    done = started("recipients", "remove", "carol", "--yes")
    assert "removed the line of carol, which did not fit to this data key" in done.err
    assert started("get", "apiKey", "--reveal").out == "CANARY-apiKey"


def test_a_diff_without_wellkept_shows_the_file_as_it_is(started: CommandLine) -> None:
    def git(*words: str) -> str:
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(started.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=started.folder, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "--quiet")
    started("init")
    git("add", "Secrets.toml", ".gitattributes")
    git("commit", "--quiet", "-m", "start")
    started("set", "apiKey", given=b"CANARY-new")
    assert "+apiKey = " in git("diff", "Secrets.toml")


@pytest.mark.parametrize("config", ["db = 5\n", 'db = "${env:HOME}"\n', "db = [1]\n", "[[db]]\nx = 1\n", "x = \n"])
def test_a_move_judges_the_other_file_before_it_writes(started: CommandLine, config: str) -> None:
    (started.folder / "Config.toml").write_text(config, encoding="utf-8")
    done = started("move", "db.password", "shelf:prod/db#password")
    assert done.code == 1
    assert "fault in wellkept" not in done.err
    assert started.newest("prod/db") is None
    assert "db.password" in started("list").out


def test_moves_at_once_lose_no_reference(started: CommandLine) -> None:
    keys = [f"group.key{number}" for number in range(8)]
    for key in keys:
        assert started("set", key, given=b"CANARY").code == 0
    program = [sys.executable, "-m", "wellkept", "move"]
    children = [
        subprocess.Popen([*program, key, f"shelf:prod/{key}#value"], cwd=started.folder, env=started.environ)
        for key in keys
    ]
    codes = [child.wait(timeout=50) for child in children]
    config = (started.folder / "Config.toml").read_text(encoding="utf-8")
    left = started("list").out
    for key, code in zip(keys, codes, strict=True):
        assert (f"shelf:prod/{key}#value" in config) == (code == 0)
        assert (key in left) == (code != 0)


def test_a_date_is_shown_bare(wellkept: CommandLine) -> None:
    secrets_file(wellkept.folder / "Secrets.toml", {"when": date(2026, 11, 24), "much": Decimal("1.10")})
    environ = environ_of()
    assert wellkept("get", "when", "--reveal", environ=environ).out == "2026-11-24"
    assert wellkept("get", "much", "--reveal", environ=environ).out == "1.10"


def test_a_file_above_is_named_where_there_is_none_here(started: CommandLine) -> None:
    below = started.folder / "below"
    below.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "wellkept", "list"],
        cwd=below,
        env=started.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hint: there is one above: --file ../Secrets.toml" in done.stderr

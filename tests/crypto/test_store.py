"""What a change of Secrets.toml must never do: make a file that nobody can read any more."""

import os
from pathlib import Path

import pytest

from tests.frames import shown_by
from tests.secrets_files import IDENTITY, environ_of, secrets_file
from wellkept.crypto.change import with_header
from wellkept.crypto.header import with_access
from wellkept.crypto.keys import Identity
from wellkept.crypto.opened import Opened
from wellkept.crypto.passphrase import Stretching
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.store import SecretsFile
from wellkept.errors import Malformed, UsageError
from wellkept.model import Reference


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two keys, one of them below a table of its own."""
    return secrets_file(tmp_path / "Secrets.toml", {"apiKey": "CANARY-key", "db.password": "CANARY-password"})


def at(file: Path, key: str) -> Reference:
    return Reference("enc", tuple(key.split(".")), base=str(file))


def put(file: Path, key: str, value: str | None) -> None:
    SecretsSource(environ_of()).write(at(file, key), value)


def value(file: Path, key: str) -> object:
    return SecretsSource(environ_of()).fetch(at(file, key)).value


def add(file: Path, name: str) -> None:
    """Add a recipient of that name."""

    def edit(opened: Opened) -> str:
        header = with_access(opened.header, opened.key, name, Identity.new("x25519").recipient, None)
        if isinstance(header, Refusal):
            raise header.error(name)
        return with_header(opened.text, header.values())

    SecretsFile(str(file), environ_of()).change(edit)


def test_a_key_that_is_called_like_a_recipient_does_not_land_among_them(file: Path) -> None:
    add(file, "deploy")
    put(file, "deploy", "CANARY-deploy")
    assert value(file, "deploy") == "CANARY-deploy"
    assert value(file, "apiKey") == "CANARY-key"


def test_a_comment_in_another_table_is_no_place_for_a_key(file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace("[wellkept]", "[other]\n# user\n\n[wellkept]", 1))
    put(file, "user", "CANARY-user")
    assert value(file, "user") == "CANARY-user"


def test_a_key_comes_back_behind_its_comment(file: Path) -> None:
    before = file.read_text().splitlines()
    put(file, "apiKey", None)
    put(file, "apiKey", "CANARY-again")
    after = file.read_text().splitlines()
    changed = [one for one, other in zip(before, after, strict=True) if one != other]
    assert [one.partition(" = ")[0] for one in changed] == ["apiKey"]


def test_a_value_that_would_make_the_file_too_large_is_not_written(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(Malformed, match="then is larger than 1 MiB; nothing was written") as caught:
        put(file, "big", "CANARY" * 150_000)
    assert file.read_bytes() == before
    assert "CANARY" not in shown_by(caught.value)


def test_the_key_of_the_header_is_no_key_for_a_secret(file: Path) -> None:
    for key in ("wellkept.x", "well_kept.x", "WELLKEPT"):
        with pytest.raises(UsageError, match="is no key for a secret") as caught:
            put(file, key, "CANARY")
        assert "CANARY" not in shown_by(caught.value)


def test_half_a_character_is_refused_and_not_quoted(file: Path) -> None:
    with pytest.raises(Malformed, match="a value: cannot be written as TOML") as caught:
        put(file, "apiKey", "CANARY\ud800")
    assert "CANARY" not in shown_by(caught.value)
    assert value(file, "apiKey") == "CANARY-key"


@pytest.mark.parametrize("name", ["", "a\nb", "a\x1b[2J"])
def test_a_recipient_needs_a_name_that_can_be_printed(file: Path, name: str) -> None:
    with pytest.raises(Malformed, match="is no name for a recipient"):
        add(file, name)
    assert value(file, "apiKey") == "CANARY-key"


def test_a_fifth_passphrase_is_too_much_work_for_whoever_opens_the_file(file: Path) -> None:
    opened = SecretsFile(str(file), environ_of()).open()
    header = opened.header
    for number in range(5):
        recipient = Identity.new("x25519").recipient
        made = with_access(header, opened.key, f"team{number}", recipient, Stretching(65536, 3, 4, os.urandom(16)))
        if number == 4:
            assert isinstance(made, Refusal)
            assert made.fact == "would be passphrase number 5"
        else:
            assert not isinstance(made, Refusal)
            header = made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version = 1", 'version = "1"'),
        ("version = 1", "version = 01"),
        ("version = 1", "version = 2"),
        ("[wellkept]", "[Wellkept]"),
        ("[wellkept.recipients]", 'recipients = "x"\n[wellkept.recipients]'),
    ],
)
def test_a_header_that_is_spelt_otherwise_opens_for_nobody(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(Malformed):
        SecretsFile(str(file), environ_of()).open()


@pytest.mark.parametrize("pinned", [" ", ",", "aaaaa", "\udcff"])
def test_a_pin_that_pins_nothing_opens_nothing(file: Path, pinned: str) -> None:
    with pytest.raises(Malformed, match="is not a file that WELLKEPT_STORE pins"):
        SecretsFile(str(file), {**environ_of(), "WELLKEPT_STORE": pinned}).open()


def test_a_passphrase_that_nobody_asked_for_does_not_hide_the_cause(file: Path) -> None:
    environ = {"WELLKEPT_PASSPHRASE": "CANARY", **environ_of(Identity.new("x25519"))}
    with pytest.raises(Exception, match="is not encrypted for the identity at hand") as caught:
        SecretsFile(str(file), environ).open()
    assert "CANARY" not in shown_by(caught.value)


def test_what_a_change_raises_leaves_the_file_and_nothing_else(file: Path) -> None:
    before = file.read_bytes()

    def edit(_opened: Opened) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SecretsFile(str(file), environ_of()).change(edit)
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir()] == ["Secrets.toml"]


def test_what_a_killed_writer_left_is_cleared_away_by_the_next(file: Path) -> None:
    left = file.parent / ".wellkept-store-0123456789abcdef"
    left.write_text("half of it", encoding="utf-8")
    put(file, "apiKey", "CANARY-new")
    assert [one.name for one in file.parent.iterdir()] == ["Secrets.toml"]


def test_line_ends_of_windows_are_kept(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes().split(b"\r\n")
    put(file, "apiKey", "CANARY-new")
    after = file.read_bytes().split(b"\r\n")
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert value(file, "db.password") == "CANARY-password"


def test_the_identity_shows_only_its_fingerprint() -> None:
    assert repr(IDENTITY) == f"Identity({IDENTITY.recipient.fingerprint})"

"""Where identities are looked for, and what is said where none opens a file."""

import subprocess
from pathlib import Path

import pytest

from tests.frames import shown_by
from tests.providers.sops.encrypting import Sops, make_identity
from wellkept.errors import Denied, Malformed

HELD = {"a": "CANARY"}


def keys_file(path: Path, *lines: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def read(sops: Sops, environ: dict[str, str]) -> object:
    return dict(sops.fetch("a.yaml", environ).value)  # type: ignore[call-overload]  # it is a table


@pytest.fixture(autouse=True)
def _file(sops: Sops) -> None:
    sops.encrypt("a.yaml", "a: CANARY\n")


def test_identities_come_from_a_variable_and_from_files(sops: Sops, tmp_path: Path) -> None:
    other = make_identity()[0]
    home = {"HOME": str(tmp_path)}
    assert read(sops, {"SOPS_AGE_KEY": f"# mine\n{other}\n{sops.identity}\n".replace("# mine\n", "")}) == HELD
    assert read(sops, {"SOPS_AGE_KEY": f"{other} {sops.identity}"}) == HELD
    named = keys_file(tmp_path / "keys.txt", "# created: today", "", sops.identity, other)
    assert read(sops, {"SOPS_AGE_KEY_FILE": named}) == HELD
    keys_file(tmp_path / "xdg/sops/age/keys.txt", sops.identity)
    assert read(sops, home | {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "SOPS_AGE_KEY": other}) == HELD


def test_the_home_folder_has_a_place_for_them(sops: Sops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for platform, folder in (("linux", ".config"), ("darwin", "Library/Application Support")):
        monkeypatch.setattr("sys.platform", platform)
        path = tmp_path / folder / "sops/age/keys.txt"
        keys_file(path, sops.identity)
        assert read(sops, {"HOME": str(tmp_path)}) == HELD
        path.unlink()


def test_this_process_environment_is_not_read(sops: Sops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", sops.identity)
    error = sops.refusal("a.yaml", {})
    assert isinstance(error, Denied)
    assert error.message == "a.yaml: no age identity is at hand"
    assert error.hint == f"give the identity of {sops.recipient} in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE"


def test_an_identity_of_somebody_else_is_denied_and_the_recipients_are_named(sops: Sops) -> None:
    error = sops.refusal("a.yaml", {"SOPS_AGE_KEY": make_identity()[0], "HOME": "/home/me"})
    assert isinstance(error, Denied)
    assert error.message == "a.yaml: none of the 1 age identities at hand opens it"
    assert sops.recipient in str(error.hint)
    assert "/sops/age/keys.txt" in str(error.hint)
    assert "AGE-SECRET-KEY" not in shown_by(error)


def test_each_of_several_recipients_opens_a_file(sops: Sops) -> None:
    people = [make_identity() for _ in range(4)]
    sops.encrypt("a.yaml", "a: CANARY\n", to=",".join(recipient for _identity, recipient in people))
    for identity, _recipient in people:
        assert read(sops, {"SOPS_AGE_KEY": identity}) == HELD
    hint = str(sops.refusal("a.yaml").hint)
    assert [recipient in hint for _identity, recipient in people] == [True, True, True, False]
    assert ", … in" in hint


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("SOPS_AGE_KEY", "CANARY-nonsense", "holds a line that is no age identity"),
        ("SOPS_AGE_KEY", " ", "holds no identity"),
        ("SOPS_AGE_KEY", "AGE-PLUGIN-YUBIKEY-1CANARY", "holds an identity of an age plugin, which is not supported"),
        ("SOPS_AGE_KEY", "AGE-SECRET-KEY-PQ-1CANARY", "holds a post-quantum identity, which is not supported"),
        ("SOPS_AGE_KEY_FILE", "/nowhere/keys", "does not exist"),
        ("SOPS_AGE_KEY_FILE", "/", "is a directory, not a file"),
        ("SOPS_AGE_KEY_CMD", "CANARY", "is not run here: give SOPS_AGE_KEY instead"),
        ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "CANARY", "is not run here: give SOPS_AGE_SSH_PRIVATE_KEY_FILE instead"),
    ],
)
def test_what_cannot_be_used_is_named_and_not_shown(sops: Sops, name: str, text: str, note: str) -> None:
    environ = {name: text}
    place = f"the file of {name}" if name.endswith("_FILE") else name
    error = sops.refusal("a.yaml", environ)
    assert isinstance(error, Denied)
    assert str(error.hint).startswith(f"{place} {note}; give the identity of ")
    assert "CANARY" not in shown_by(error)


def test_a_file_of_identities_behind_a_passphrase_is_named(sops: Sops, tmp_path: Path) -> None:
    path = keys_file(tmp_path / "keys.txt", "-----BEGIN AGE ENCRYPTED FILE-----", "YWdl")
    hint = str(sops.refusal("a.yaml", {"SOPS_AGE_KEY_FILE": path}).hint)
    assert hint.startswith("the file of SOPS_AGE_KEY_FILE is encrypted with a passphrase, and nobody is asked for it")


def test_a_good_identity_beside_a_bad_line_opens_a_file(sops: Sops) -> None:
    assert read(sops, {"SOPS_AGE_KEY": f"nonsense {sops.identity}", "SOPS_AGE_KEY_FILE": "/nowhere"}) == HELD


def test_ssh_keys_open_what_is_encrypted_for_them(sops: Sops, tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir(mode=0o700)
    for name, phrase in (("id_ed25519", ""), ("locked", "CANARY")):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-C", "me", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    public = (folder / "id_ed25519.pub").read_text().strip()
    sops.encrypt("a.yaml", "a: CANARY\n", to=f"'{public}'")
    assert read(sops, {"HOME": str(tmp_path)}) == HELD
    assert read(sops, {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(folder / "id_ed25519")}) == HELD
    hint = str(sops.refusal("a.yaml", {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(folder / "locked")}).hint)
    assert hint.startswith("the file of SOPS_AGE_SSH_PRIVATE_KEY_FILE is no SSH key that can be used")


def test_ssh_keys_are_left_alone_where_no_recipient_is_one(sops: Sops, tmp_path: Path) -> None:
    keys_file(tmp_path / ".ssh/id_ed25519", "nonsense")
    assert "SSH" not in str(sops.refusal("a.yaml", {"HOME": str(tmp_path)}).hint)


def test_a_damaged_data_key_is_malformed_where_no_other_opens(sops: Sops) -> None:
    path = sops.folder / "a.yaml"
    path.write_text(path.read_text().replace("-----END AGE ENCRYPTED FILE-----", "-----END"))
    error = sops.refusal("a.yaml")
    assert isinstance(error, Malformed)
    assert error.message == "a.yaml: holds an encrypted data key that is damaged"

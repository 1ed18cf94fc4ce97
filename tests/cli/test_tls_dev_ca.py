"""`wellkept tls dev-ca`: what it writes, prints and refuses; nothing on this machine is changed."""

import json
import stat
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from wellkept.cli import tls_dev_ca
from wellkept.cli.entry import guarded
from wellkept.cli.tls_system_trust import SystemTrust
from wellkept.tls.certificates import names_of
from wellkept.tls.devca_files import Folder, make_authority, renew_authority

Run = Callable[..., tuple[str, str, int]]


class System:
    """A machine that is none: a folder as its root, and a program that takes note of its calls."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[str] = []
        self.code = 0
        self.trust = SystemTrust(root, self.run)

    def run(self, program: Path) -> int:
        self.calls.append(str(program.relative_to(self.root)))
        return self.code

    def become_debian(self) -> None:
        (self.root / "usr/local/share/ca-certificates").mkdir(parents=True)
        (self.root / "usr/sbin").mkdir(parents=True)
        (self.root / "usr/sbin/update-ca-certificates").touch()

    @property
    def trusted(self) -> list[Path]:
        return sorted(self.root.glob("usr/local/share/ca-certificates/*"))


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    made = System(tmp_path / "root")
    monkeypatch.setattr(tls_dev_ca, "SYSTEM", made.trust)
    return made


@pytest.fixture
def dev_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command in a folder of its own: what it printed, what it said, its code."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    def run(*words: str) -> tuple[str, str, int]:
        def call() -> object:
            return tls_dev_ca.command.main(list(words), prog_name="dev-ca", standalone_mode=False)

        code = guarded(call, is_run=False)
        shown = capsys.readouterr()
        assert "PRIVATE" not in shown.out + shown.err
        return shown.out, shown.err, code

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where it is kept unless another place is named."""
    return Folder(str(tmp_path / ".config" / "wellkept" / "dev-ca"))


def aged(folder: Folder, days: int) -> None:
    """Make a CA that was made so many days ago."""
    assert make_authority(folder, datetime.now(UTC) - timedelta(days=days))


def document(out: str) -> dict[str, object]:
    read: dict[str, object] = json.loads(out)
    return read


def test_it_is_made_once(dev_ca: Run, folder: Folder) -> None:
    out, err, code = dev_ca("init")
    assert (out, code) == (f"{folder.ca_file}\n", 0)
    assert err.startswith("the development CA made, until 2")
    held = Path(folder.key_file).read_bytes()
    out, err, code = dev_ca("init")
    assert (out, code) == (f"{folder.ca_file}\n", 0)
    assert err.startswith("the development CA is there already, until 2")
    assert Path(folder.key_file).read_bytes() == held


def test_each_command_prints_one_json_document(dev_ca: Run, folder: Folder, tmp_path: Path) -> None:
    made = document(dev_ca("init", "--json")[0])
    assert (made["ca_file"], made["created"], made["renewed"]) == (folder.ca_file, True, False)
    assert document(dev_ca("init", "--json")[0])["created"] is False
    words = ["issue", "api.test", "127.0.0.1", "--spiffe", "spiffe://dev/api", "--client", "--out", str(tmp_path)]
    issued = document(dev_ca(*words, "--json")[0])
    expires = datetime.fromisoformat(str(issued.pop("expires")))
    assert timedelta(days=6) < expires - datetime.now(UTC) <= timedelta(days=7)
    assert issued == {
        "cert_file": str(tmp_path / "api.test.crt"),
        "key_file": str(tmp_path / "api.test.key"),
        "ca_file": folder.ca_file,
        "names": ["api.test", "127.0.0.1"],
        "spiffe": "spiffe://dev/api",
        "purpose": "client",
    }
    told = document(dev_ca("trust", "--json")[0])
    assert (told["ca_file"], told["fingerprint"], told["system"]) == (folder.ca_file, made["fingerprint"], False)
    assert document(dev_ca("init", "--renew", "--json")[0])["renewed"] is True


def test_a_certificate_is_written_here_and_named_by_its_host(dev_ca: Run, tmp_path: Path, folder: Folder) -> None:
    dev_ca("init")
    out, err, code = dev_ca("issue", "localhost", "::1")
    assert (out, code) == ("localhost.crt\nlocalhost.key\n", 0)
    assert err.startswith("for a server, localhost, ::1, until 2")
    assert err.endswith(f"; the CA is {folder.ca_file}\n")
    key = tmp_path / "here" / "localhost.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate(key.with_suffix(".crt").read_bytes())
    assert names_of(certificate).dns == ("localhost",)
    assert dev_ca("issue", "localhost")[2] == 0


def test_a_client_may_be_named_by_its_spiffe_id_alone(dev_ca: Run) -> None:
    dev_ca("init")
    out, err, code = dev_ca("issue", "--client", "--spiffe", "spiffe://prod/ns/pay/sa/orders")
    assert (out, code) == ("orders.crt\norders.key\n", 0)
    assert err.startswith("for a client, spiffe://prod/ns/pay/sa/orders, until 2")


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["example.com"], "example.com: is no local name, and this CA signs for no other"),
        (["a b"], "a b: is neither a host name nor an address"),
        (["localhost", "--spiffe", "orders"], "orders: is no SPIFFE id"),
        ([], "the certificate: is for no name"),
    ],
)
def test_a_wrong_name_is_wrong_use_and_has_a_hint(dev_ca: Run, words: Sequence[str], fact: str) -> None:
    dev_ca("init")
    out, err, code = dev_ca("issue", *words)
    assert (out, code) == ("", 2)
    assert err.startswith(f"error: {fact}\nhint: ")


def test_a_certificate_of_somebody_else_is_not_replaced(dev_ca: Run, tmp_path: Path) -> None:
    dev_ca("init")
    (tmp_path / "here" / "localhost.key").write_text("a key that is needed")
    _, err, code = dev_ca("issue", "localhost")
    assert err.startswith("error: localhost.key: exists already, and is not of a development CA\n")
    assert code == 2


def test_without_a_ca_the_command_that_makes_it_is_named(dev_ca: Run, folder: Folder, tmp_path: Path) -> None:
    for words in (["issue", "localhost"], ["trust"]):
        _, err, code = dev_ca(*words)
        fact = f"error: {folder.ca_file}: there is no development CA\n"
        assert (err, code) == (f"{fact}hint: wellkept tls dev-ca init\n", 1)
    _, err, _ = dev_ca("trust", "--folder", "ca")
    assert err.endswith("hint: wellkept tls dev-ca init --folder ca\n")
    assert not (tmp_path / "here" / "ca").exists()


def test_an_expired_ca_says_so_until_it_is_renewed(dev_ca: Run, folder: Folder) -> None:
    aged(folder, 366)
    for words in (["init"], ["issue", "localhost"], ["trust"], ["trust", "--system"]):
        out, err, code = dev_ca(*words)
        assert (out, code) == ("", 1)
        assert err.startswith(f"error: {folder.ca_file}: expired on 2")
        assert err.endswith("\nhint: wellkept tls dev-ca init --renew\n")
    _, err, code = dev_ca("init", "--renew")
    assert err.startswith("the development CA renewed: issue certificates again, until 2")
    assert dev_ca("issue", "localhost")[2] == code == 0


def test_a_ca_that_ends_soon_says_so_and_goes_on(dev_ca: Run, folder: Folder) -> None:
    aged(folder, 340)
    for words in (["init"], ["issue", "localhost"], ["trust"]):
        _, err, code = dev_ca(*words)
        assert err.startswith(f"warning: {folder.ca_file}: ends on 2")
        assert "wellkept tls dev-ca init --renew" in err
        assert code == 0


def test_it_is_kept_where_a_person_says(dev_ca: Run, tmp_path: Path, folder: Folder) -> None:
    assert dev_ca("init", "--folder", "ca")[0] == "ca/ca.crt\n"
    assert dev_ca("issue", "localhost", "--folder", "ca")[2] == 0
    assert (tmp_path / "here" / "ca" / "ca.key").exists()
    assert not Path(folder.path).exists()


def test_without_a_home_folder_one_must_be_named(dev_ca: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    _, err, code = dev_ca("init")
    assert err.startswith("error: dev-ca: there is no home folder to keep it in\n")
    assert code == 2


def test_a_key_in_a_repository_is_warned_of(dev_ca: Run, tmp_path: Path) -> None:
    here = tmp_path / "here"
    subprocess.run(["git", "init", "-q", str(here)], check=True)
    (here / "ca").mkdir()
    warning = "stands in a repository: move it out, or name it in .gitignore, before you commit"
    assert f"warning: ca/ca.key: {warning}" in dev_ca("init", "--folder", "ca")[1]
    assert f"warning: localhost.key: {warning}" in dev_ca("issue", "localhost", "--folder", "ca")[1]


def test_trust_tells_a_client_its_line_and_changes_nothing(dev_ca: Run, folder: Folder, system: System) -> None:
    system.become_debian()
    dev_ca("init")
    out, err, code = dev_ca("trust")
    assert (out, code) == (f"{folder.ca_file}\n", 0)
    assert err == f'in Config.toml of a client: cert = "{folder.ca_file}"\ncurl: --cacert {folder.ca_file}\n'
    assert (system.trusted, system.calls) == ([], [])


def test_with_system_the_machine_trusts_it_until_it_is_taken_off(dev_ca: Run, folder: Folder, system: System) -> None:
    system.become_debian()
    dev_ca("init")
    _, err, code = dev_ca("trust", "--system")
    assert (err, code) == ("this machine trusts it; browsers may have a store of their own\n", 0)
    [file] = system.trusted
    assert file.name.startswith("wellkept-dev-ca-")
    assert file.suffix == ".crt"
    assert file.read_bytes() == Path(folder.ca_file).read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert system.calls == ["usr/sbin/update-ca-certificates"]
    assert document(dev_ca("trust", "--json")[0])["system"] is True
    _, err, code = dev_ca("trust", "--system", "--remove")
    assert (err, code, system.trusted) == ("this machine trusts it no longer\n", 0, [])
    assert len(system.calls) == 2
    _, err, code = dev_ca("trust", "--system", "--remove")
    assert (err, code, len(system.calls)) == ("this machine did not trust it\n", 0, 2)


def test_a_ca_that_the_machine_trusts_is_not_lost_by_a_renewal(dev_ca: Run, system: System, folder: Folder) -> None:
    system.become_debian()
    dev_ca("init")
    dev_ca("trust", "--system")
    held = Path(folder.ca_file).read_bytes()
    _, err, code = dev_ca("init", "--renew")
    assert err == (
        f"error: {folder.ca_file}: is trusted by this machine\n"
        "hint: take it off first: wellkept tls dev-ca trust --system --remove\n"
    )
    assert (code, Path(folder.ca_file).read_bytes()) == (2, held)


def test_an_expired_ca_can_still_be_taken_off(dev_ca: Run, system: System, folder: Folder) -> None:
    system.become_debian()
    aged(folder, 366)
    certificate = x509.load_pem_x509_certificate(Path(folder.ca_file).read_bytes())
    system.trust.add(certificate, folder.ca_file, "")
    assert dev_ca("trust", "--system", "--remove")[2] == 0
    assert system.trusted == []


def test_a_damaged_ca_can_be_renewed(dev_ca: Run, folder: Folder) -> None:
    dev_ca("init")
    Path(folder.ca_file).write_text("nothing")
    assert dev_ca("issue", "localhost")[2] == 1
    assert dev_ca("init", "--renew")[2] == 0
    Path(folder.ca_file).unlink()
    assert dev_ca("init")[1].endswith("hint: wellkept tls dev-ca init --renew\n")
    assert dev_ca("init", "--renew")[2] == 0
    assert dev_ca("issue", "localhost")[2] == 0


@pytest.mark.parametrize(
    ("folders", "hint"),
    [
        (["etc/pki/ca-trust/source/anchors"], "sudo cp ca/ca.crt /etc/pki/ca-trust/source/anchors/ && "),
        (["System/Library/Keychains"], "sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain"),
        ([], "the manual of the system says where a CA goes"),
    ],
    ids=["fedora", "macos", "other"],
)
def test_elsewhere_it_says_what_to_do(dev_ca: Run, system: System, folders: Sequence[str], hint: str) -> None:
    for name in folders:
        (system.root / name).mkdir(parents=True)
    dev_ca("init", "--folder", "ca")
    _, err, code = dev_ca("trust", "--system", "--folder", "ca")
    assert err.startswith("error: --system: this system has no update-ca-certificates\n")
    assert hint.replace("ca/ca.crt", str(Path.cwd() / "ca" / "ca.crt")) in err
    assert (code, system.calls) == (2, [])


def test_when_the_program_fails_the_ca_is_taken_off_again(dev_ca: Run, system: System) -> None:
    system.become_debian()
    system.code = 1
    dev_ca("init")
    _, err, code = dev_ca("trust", "--system")
    assert "update-ca-certificates: failed\nhint: run it by hand" in err
    assert (code, system.trusted) == (1, [])


def test_a_removal_that_fails_says_so(dev_ca: Run, system: System) -> None:
    system.become_debian()
    dev_ca("init")
    dev_ca("trust", "--system")
    system.code = 1
    assert dev_ca("trust", "--system", "--remove")[2] == 1


def test_remove_is_for_the_system_only(dev_ca: Run) -> None:
    dev_ca("init")
    _, err, code = dev_ca("trust", "--remove")
    assert err.startswith("error: --remove: is for the system's trust\nhint: add --system")
    assert code == 2


def test_who_may_not_change_the_system_is_told_the_line_for_root(dev_ca: Run, system: System, folder: Folder) -> None:
    system.become_debian()
    dev_ca("init")
    # A directory of that name stands in the way of everybody, root too.
    certificate = x509.load_pem_x509_certificate(Path(folder.ca_file).read_bytes())
    system.trust.file_of(certificate).mkdir()
    _, err, code = dev_ca("trust", "--system", "--remove")
    assert f"hint: as root: sudo wellkept tls dev-ca trust --system --remove --folder {folder.path}\n" in err
    assert code == 77


def test_the_program_of_the_system_is_run_without_words(tmp_path: Path) -> None:
    program = tmp_path / "usr/sbin/update-ca-certificates"
    (tmp_path / "usr/local/share/ca-certificates").mkdir(parents=True)
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$# words" > {tmp_path}/log\n')
    program.chmod(0o755)
    folder = Folder(str(tmp_path / "ca"))
    renew_authority(folder, datetime.now(UTC))
    certificate = x509.load_pem_x509_certificate(Path(folder.ca_file).read_bytes())
    assert SystemTrust(tmp_path).add(certificate, folder.ca_file, "").exists()
    assert (tmp_path / "log").read_text() == "0 words\n"

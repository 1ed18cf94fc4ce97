"""`wellkept tls check`: sorts out what files are, and says what is wrong with them; it asks for nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cli.shelf import CommandLine
from tests.cli.terminal import Terminal
from tests.tls.pki import CA, CASES, DAY, Case, Files, chain_of, pem_of, self_signed
from wellkept.cli import tls_check
from wellkept.cli.entry import guarded

Run = Callable[..., tuple[str, str, int]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run it in a folder of its own: what it printed, what it said, its code."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[str, str, int]:
        code = guarded(
            lambda: tls_check.command.main(list(words), prog_name="check", standalone_mode=False), is_run=False
        )
        shown = capsys.readouterr()
        assert "PRIVATE KEY-----\n" not in shown.out + shown.err
        return shown.out, shown.err, code

    return run


class Findings:
    """What `--json` says."""

    def __init__(self, text: str) -> None:
        self.document = json.loads(text)

    @property
    def codes(self) -> list[str]:
        return [one["code"] for one in self.document["findings"]]

    @property
    def errors(self) -> list[str]:
        return [one["code"] for one in self.document["findings"] if one["severity"] == "error"]

    @property
    def names(self) -> list[str]:
        return [one["name"] for one in self.document["certificates"]]

    def of(self, code: str) -> dict[str, str]:
        return next(one for one in self.document["findings"] if one["code"] == code)


@pytest.fixture
def found(check: Run) -> Callable[..., Findings]:
    """The findings about files."""

    def run(*words: str) -> Findings:
        out, _, code = check("--json", *words)
        findings = Findings(out)
        assert code == (1 if findings.errors else 0)
        for one in findings.document["findings"]:
            assert one["what"]
            assert one["fix"]
            assert not one["what"].endswith(".")
        return findings

    return run


def write(case: Case) -> tuple[str, ...]:
    """The files of a case, in the current folder."""
    case.leaf.write(Path(), "server")
    Path("ca.crt").write_bytes(case.trust)
    if case.crl is not None:
        Path("ca.crl").write_bytes(case.crl)
    return "server.crt", "server.key"


def test_good_files_are_listed_with_the_days_that_are_left(check: Run) -> None:
    out, err, code = check(*write(CASES["good"]()), "--trust", "ca.crt")
    head, leaf, ca = out.splitlines()
    assert head.split() == ["certificate", "what", "place", "until", "days", "left"]
    assert leaf.split()[:3] == ["localhost", "certificate", "server.crt"]
    assert leaf.endswith("29")
    assert ca.split()[:4] == ["Test", "CA", "CA", "ca.crt"]
    assert (err, code) == ("nothing is wrong\n", 0)


def test_a_finding_is_a_row_with_code_severity_place_fact_and_fix(check: Run) -> None:
    out, _, code = check(*write(CASES["expired"]()))
    head, row = out.splitlines()
    assert head.split() == ["code", "severity", "place", "what", "fix"]
    assert row.startswith("TLS003  error     server.crt  the certificate localhost has expired")
    assert row.endswith("renew it")
    assert code == 1


def test_the_order_of_the_files_says_nothing(found: Callable[..., Findings]) -> None:
    write(CASES["good"]())
    Path("ca.crl").write_bytes(CASES["revoked-crl"]().crl or b"")
    for order in (("server.key", "ca.crt", "server.crt"), ("ca.crt", "server.crt", "server.key")):
        assert found(*order).codes == []


# The case, and the codes of the errors that it has with its CA as trust.
MATRIX = {
    "good": [],
    "expired": ["TLS003"],
    "not-yet-valid": ["TLS004"],
    "wrong-host": [],  # nobody says what the host is called
    "ip-san-missing": [],
    "cn-only": [],
    "self-signed": ["TLS015"],
    "untrusted-root": ["TLS015"],
    "same-name-root": ["TLS015"],
    "expired-root": ["TLS021", "TLS016"],
    "incomplete-chain": ["TLS015"],
    "misordered-chain": [],
    "root-first-chain": [],
    "extra-chain-cert": [],
    "trust-is-intermediate": [],
    "no-eku": [],
    "name-constraint": ["TLS016"],
    "pathlen": ["TLS016"],
    "issuer-not-ca": ["TLS016"],
    "issuer-is-leaf": ["TLS016"],
    "leaf-is-ca": [],
    "no-aki": ["TLS016"],
    "no-ski": ["TLS016"],
    "bc-not-critical": ["TLS016"],
    "openssl-recipe": ["TLS016"],
    "rsa1024": ["TLS006"],
    "revoked-crl": ["TLS016"],
    "crl-expired": ["TLS030"],
    "crl-wrong-issuer": ["TLS030", "TLS030"],
    "crl-missing": ["TLS030"],
}


@pytest.mark.parametrize("name", MATRIX)
def test_every_case_of_the_matrix_has_its_code(found: Callable[..., Findings], name: str) -> None:
    case = CASES[name]()
    words = [*write(case), "--server", "--trust", "ca.crt"]
    findings = found(*words, *(("--crl", "ca.crl") if case.crl is not None else ()))
    assert sorted(findings.errors) == sorted(MATRIX[name])


def test_a_certificate_for_clients_is_one_for_clients_unless_it_is_said_otherwise(
    found: Callable[..., Findings],
) -> None:
    files = write(CASES["wrong-eku"]())
    assert found(*files).codes == []
    assert found(*files, "--client").codes == []
    assert found(*files, "--server").codes == ["TLS009"]


def test_a_client_is_shown_to_a_server(found: Callable[..., Findings]) -> None:
    ca = CA()
    files = write(Case.of(ca, ca.issue("orders.test", server=False)))
    assert found(*files, "--trust", "ca.crt").codes == []
    files = write(Case.of(ca, ca.issue("orders.test", client=False)))
    assert "TLS016" in found(*files, "--client", "--trust", "ca.crt").errors
    assert found(*files, "--client").codes == ["TLS009"]


def test_an_incomplete_chain_is_told_from_an_untrusted_root(found: Callable[..., Findings]) -> None:
    root, below = chain_of("Root", "Intermediate")
    write(Case.of(root, below.issue("localhost").with_chain()))
    Path("below.crt").write_bytes(below.pem)
    finding = found("server.crt", "server.key", "below.crt", "ca.crt").of("TLS015")
    assert "not complete: Intermediate" in finding["what"]
    assert "below.crt" in finding["fix"]
    assert "neither in the file nor trusted" in found("server.crt", "ca.crt").of("TLS015")["what"]
    write(Case.of(CA("Other"), self_signed("localhost")))
    assert "ends at localhost, which is not trusted" in found("server.crt", "ca.crt").of("TLS015")["what"]


def test_a_certificate_without_its_key_is_judged_all_the_same(found: Callable[..., Findings]) -> None:
    write(CASES["expired"]())
    assert found("server.crt").codes == ["TLS003"]


def test_a_key_that_does_not_match_names_both_files(found: Callable[..., Findings]) -> None:
    write(CASES["good"]())
    Path("server.key").write_bytes(CA().issue("localhost").key_pem)
    finding = found("server.crt", "server.key").of("TLS001")
    assert finding["place"] == "server.crt"
    assert "the private key in server.key does not match" in finding["what"]


def test_several_pairs_find_each_other(found: Callable[..., Findings]) -> None:
    ca = CA()
    for name in ("one", "two", "three"):
        ca.issue(f"{name}.test").write(Path(), name)
    CA("Other").issue("other.test").write(Path(), "other")
    files = [f"{name}.{end}" for end in ("key", "crt") for name in ("two", "three", "one")]
    findings = found(*files)
    assert findings.codes == []
    assert sorted(findings.names) == ["one.test", "three.test", "two.test"]
    assert found(*files, "other.key").codes == ["TLS043"]


def test_a_key_that_others_can_read_is_a_warning_and_with_strict_an_error(check: Run) -> None:
    files = write(CASES["good"]())
    Path("server.key").chmod(0o644)
    out, _, code = check(*files)
    assert "TLS010  warning" in out
    assert "chmod 600 server.key" in out
    assert code == 0
    assert check("--strict", *files)[2] == 1


def test_a_leaf_that_is_named_as_trust_is_told_of(found: Callable[..., Findings]) -> None:
    write(CASES["good"]())
    assert "TLS020" in found("ca.crt", "--trust", "server.crt").codes


@pytest.mark.parametrize("kind", ["pkcs8", "sec1"])
def test_an_encrypted_key_is_a_finding_or_opened_by_its_password(found: Callable[..., Findings], kind: str) -> None:
    case = CASES["good"]()
    files = write(case)
    Path("server.key").write_bytes(case.leaf.key_pem_as(kind, "key-CANARY"))
    finding = found(*files).of("TLS041")
    assert "encrypted private key" in finding["what"]
    assert "--password-file" in finding["fix"]
    Path("right.secret").write_text("key-CANARY\n")
    Path("wrong.secret").write_text("no-CANARY\n")
    for name in ("right", "wrong"):
        Path(f"{name}.secret").chmod(0o600)
    assert found(*files, "--password-file", "right.secret").codes == []
    assert "the password is wrong" in found(*files, "--password-file", "wrong.secret").of("TLS041")["what"]


def test_a_keystore_is_looked_into(found: Callable[..., Findings]) -> None:
    ca = CA()
    Path("server.p12").touch(0o600)
    Path("server.p12").write_bytes(ca.issue("localhost", not_after=-DAY).p12("store-CANARY"))
    assert "none was given" in found("server.p12").of("TLS041")["what"]
    Path("store.secret").touch(0o600)
    Path("store.secret").write_text("store-CANARY")
    assert found("server.p12", "--password-file", "store.secret").codes == ["TLS003"]


def test_der_is_looked_at_and_said_to_be_of_no_use(found: Callable[..., Findings]) -> None:
    leaf = CA().issue("localhost", not_after=-DAY)
    Path("server.der").write_bytes(leaf.certificate.public_bytes(Encoding.DER))
    Path("key.der").touch(0o600)
    Path("key.der").write_bytes(leaf.key_pem_as("der"))
    findings = found("server.der", "key.der")
    assert findings.codes == ["TLS042", "TLS042", "TLS003"]
    assert "tls convert server.der" in findings.of("TLS042")["fix"]


def test_a_damaged_file_is_named_by_its_line_and_the_others_are_judged(found: Callable[..., Findings]) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    Path("chain.crt").write_bytes(leaf.pem + ca.pem[:200])
    Path("old.crt").write_bytes(ca.issue("localhost", not_after=-DAY).pem)
    findings = found("chain.crt", "old.crt")
    line = leaf.pem.count(b"\n") + 1
    assert findings.of("TLS040")["place"] == f"chain.crt:{line}"
    assert findings.of("TLS003")["place"] == "old.crt"


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x00\xff", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"],
)
def test_a_file_of_something_else_says_what_it_holds(found: Callable[..., Findings], data: bytes) -> None:
    Path("odd.pem").write_bytes(data)
    assert "holds nothing that can be checked: it " in found("odd.pem").of("TLS040")["what"]


def test_what_cannot_be_read_at_all_is_2(check: Run) -> None:
    os.mkfifo("fifo")
    Path("folder").mkdir()
    for name, words in (("nothing", "does not exist"), ("fifo", "is a FIFO"), ("folder", "is a directory")):
        out, err, code = check(name)
        assert (out, code) == ("", 2)
        assert f"{name}: {words}" in err


def test_a_folder_of_revocation_lists_is_read(found: Callable[..., Findings]) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    write(Case.of(ca, leaf))
    Path("lists").mkdir()
    Path("lists/one.crl").write_bytes(ca.crl(leaf))
    assert "revoked" in found("server.crt", "server.key", "ca.crt", "--crl", "lists").of("TLS016")["what"]
    Path("lists/two.crl").write_bytes(b"")
    assert "TLS040" in found("server.crt", "ca.crt", "--crl", "lists").codes


def test_a_root_first_chain_says_which_is_ours(found: Callable[..., Findings]) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    leaf.write(Path(), "server")
    Path("server.crt").write_bytes(pem_of(ca.certificate, leaf.certificate))
    assert "number 2" in found("server.crt", "server.key").of("TLS002")["what"]


def test_a_password_in_the_arguments_is_refused(check: Run) -> None:
    out, err, code = check("server.crt", "--password", "typed-CANARY")
    assert (out, code) == ("", 2)
    assert "CANARY" not in err


def test_nobody_is_asked_at_a_terminal(wellkept: CommandLine) -> None:
    leaf = CA().issue("localhost")
    files: Files = leaf.write(wellkept.folder)
    files.key_file.write_bytes(leaf.key_pem_as("sec1", "key-CANARY"))
    terminal = Terminal(wellkept, "tls", "check", "server.crt", "server.key")
    assert terminal.end() == 1
    assert "TLS041" in terminal.shown
    assert "assphrase" not in terminal.shown  # OpenSSL's own question


APP = """
from wellkept import Settings
from wellkept.tls import ClientTLS, ServerTLS


class App(Settings):
    secure_socket: ServerTLS
    billing: ClientTLS
    port: int = 9443


class Plain(Settings):
    port: int = 9443
"""
CONFIG = """
[secure_socket.key]
certFile = "server.crt"
keyFile = "server.key"

[secure_socket.mutualSsl]
cert = "ca.crt"

[billing]
cert = "ca.crt"
"""


def declare(folder: Path) -> None:
    (folder / "tls_check_app.py").write_text(APP)
    (folder / "Config.toml").touch(0o600)
    (folder / "Config.toml").write_text(CONFIG)


def test_the_tls_of_a_class_is_checked_by_setting(wellkept: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(wellkept.folder)
    declare(wellkept.folder)
    write(CASES["good"]())
    done = wellkept("tls", "check", "tls_check_app:App")
    assert done.code == 0, done.err
    assert "secure_socket: server.crt" in done.out
    assert "billing: ca.crt" in done.out
    write(CASES["expired"]())
    done = wellkept("tls", "check", "tls_check_app:App", "--json")
    assert done.code == 1
    (finding,) = json.loads(done.out)["findings"]
    assert (finding["code"], finding["place"]) == ("TLS003", "secure_socket: server.crt")
    Path("ca.crt").unlink()
    done = wellkept("tls", "check", "tls_check_app:App", "--json")
    assert [one["place"] for one in json.loads(done.out)["findings"]] == ["secure_socket: ca.crt", "billing: ca.crt"]


def test_a_class_without_tls_or_with_files_beside_it_is_wrong_use(
    wellkept: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(wellkept.folder)
    declare(wellkept.folder)
    Path("plain.toml").touch(0o600)
    Path("plain.toml").write_text("port = 1\n")
    for words in (
        ("tls_check_app:Plain", "--file", "plain.toml"),
        ("tls_check_app:App", "server.crt"),
        ("tls_check_app:App", "--server"),
    ):
        done = wellkept("tls", "check", *words)
        assert done.code == 2, done.err
    done = wellkept("tls", "check", "server.crt", "-C", "port=1")
    assert done.code == 2


def test_a_revocation_list_may_be_der_and_may_stand_among_the_files(found: Callable[..., Findings]) -> None:
    ca = CA()
    write(Case.of(ca, ca.issue("localhost")))
    Path("ca.crl").write_bytes(x509.load_pem_x509_crl(ca.crl()).public_bytes(Encoding.DER))
    assert found("server.crt", "server.key", "ca.crt", "ca.crl").codes == []
    Path("ca.crl").write_bytes(ca.crl(next_update=-DAY, last_update=-2 * DAY))
    assert found("server.crt", "server.key", "ca.crt", "ca.crl").errors == ["TLS030"]


def test_a_damaged_block_is_a_finding_whatever_it_is(found: Callable[..., Findings]) -> None:
    for label in ("CERTIFICATE", "PRIVATE KEY", "X509 CRL"):
        Path("odd.pem").write_bytes(f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode())
        assert "damaged" in found("odd.pem").of("TLS040")["what"]


def test_a_key_of_der_that_tls_does_not_use_is_nothing(found: Callable[..., Findings]) -> None:
    Path("odd.der").touch(0o600)
    key = x25519.X25519PrivateKey.generate()
    Path("odd.der").write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    assert "holds nothing that can be checked" in found("odd.der").of("TLS040")["what"]


MANY = """
from wellkept import Settings
from wellkept.tls import ClientTLS


class Many(Settings):
    partners: dict[str, ClientTLS]
    others: list[ClientTLS]
"""


def test_tls_in_a_table_or_a_list_is_named_by_its_place(wellkept: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(wellkept.folder)
    Path("tls_check_many.py").write_text(MANY)
    Path("Config.toml").touch(0o600)
    Path("Config.toml").write_text('[partners.bank]\ncert = "ca.crt"\n[[others]]\ncert = "ca.crt"\n')
    Path("ca.crt").write_bytes(CA(not_after=-DAY).pem)
    done = wellkept("tls", "check", "tls_check_many:Many", "--json")
    places = [one["place"] for one in json.loads(done.out)["findings"]]
    assert places == ["partners.bank: ca.crt", "others[0]: ca.crt"]
    Path("Config.toml").write_text("")
    done = wellkept("tls", "check", "tls_check_many:Many")
    assert done.code == 1
    assert "partners" in done.err

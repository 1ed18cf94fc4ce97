"""`wellkept tls probe` as a person runs it: what it prints, how it ends."""

import ssl
import time
from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine
from tests.tls.exposed import exposed, serving, wants_client
from tests.tls.pki import CA, CASES, chain_of


def test_a_good_server_is_fine(wellkept: CommandLine, tmp_path: Path) -> None:
    root, below = chain_of("Root", "Intermediate")
    root.write(tmp_path)
    with exposed(serving(below.issue("localhost"), tmp_path)) as server:
        done = wellkept("tls", "probe", f"localhost:{server.port}", "--cert", "ca.crt")
    assert done.code == 0
    assert not done.err
    lines = done.out.splitlines()
    assert lines[0] == "protocol: TLSv1.3, TLS_AES_256_GCM_SHA384, x25519"
    assert lines[1] == "versions: TLSv1.3 yes, TLSv1.2 yes, older no"
    assert lines[2] == "client certificate: not asked for"
    assert lines[4].split() == ["1", "localhost", "CN=Intermediate", "29", "EC", "secp256r1", "localhost"]
    assert lines[6] == f"fine: localhost:{server.port} is trusted, and is localhost"


def test_what_is_wrong_is_printed_with_its_fix(wellkept: CommandLine, tmp_path: Path) -> None:
    case = CASES["incomplete-chain"]()
    (tmp_path / "ca.crt").write_bytes(case.trust)
    with exposed(serving(case.leaf, tmp_path)) as server:
        done = wellkept("tls", "probe", f"https://localhost:{server.port}/path", "--cert", "ca.crt")
    assert done.code == 1
    assert f"error: localhost:{server.port}: incomplete chain: localhost is signed by CN=Intermediate" in done.out
    assert "  hint: let the server send it" in done.out


def test_json_has_it_all(wellkept: CommandLine, tmp_path: Path) -> None:
    ca = CA()
    ca.write(tmp_path)
    with exposed(serving(ca.issue("other.test", ips=["127.0.0.1"]), tmp_path)) as server:
        address = f"127.0.0.1:{server.port}"
        good = wellkept("tls", "probe", address, "--cert", "ca.crt", "--json").document
        bad = wellkept("tls", "probe", address, "--cert", "ca.crt", "--server-name", "my.test", "--json").document
    assert isinstance(good, dict)
    assert isinstance(bad, dict)
    assert good["findings"] == []
    assert good["chain"][0]["names"] == ["other.test", "127.0.0.1"]
    assert good["chain"][0]["days_left"] == 29
    assert good["versions"] == {"TLSv1.3": True, "TLSv1.2": True, "older": False}
    assert bad["findings"][0]["id"] == "wrong-name"
    assert bad["server_name"] == "my.test"


def test_without_a_ca_the_systems_are_trusted(wellkept: CommandLine, tmp_path: Path) -> None:
    ca = CA()
    ca.write(tmp_path)
    with exposed(serving(ca.issue("localhost"), tmp_path)) as server:
        address = f"localhost:{server.port}"
        assert "neither sent nor trusted" in wellkept("tls", "probe", address).out
        named = {"SSL_CERT_FILE": str(tmp_path / "ca.crt")}
        assert wellkept("tls", "probe", address, environ=named).code == 0
        CA("Other").write(tmp_path, "other")
        assert wellkept("tls", "probe", address, "--cert", "other.crt", environ=named).code == 1
        assert wellkept("tls", "probe", address, "--cert", "other.crt", "--system", environ=named).code == 0


def test_a_client_certificate_is_tried(wellkept: CommandLine, tmp_path: Path) -> None:
    ca, clients = CA(), CA("Clients")
    ca.write(tmp_path)
    mine = clients.issue("orders.test")
    mine.write(tmp_path, "mine")
    (tmp_path / "locked.secret").write_bytes(mine.key_pem_as(password="CANARY of a key"))
    (tmp_path / "password.secret").write_text("CANARY of a key\n")
    (tmp_path / "password.secret").chmod(0o600)
    CA("Strangers").issue("orders.test").write(tmp_path, "other")
    with exposed(wants_client(serving(ca.issue("localhost"), tmp_path), clients.pem)) as server:

        def shown(*words: str) -> tuple[int, str]:
            done = wellkept("tls", "probe", f"localhost:{server.port}", "--cert", "ca.crt", *words)
            return done.code, done.out + done.err

        none = shown()
        good = shown("--client-cert", "mine.crt", "--client-key", "mine.key")
        locked = shown("--client-cert", "mine.crt", "--client-key", "locked.secret")
        opened = shown(
            *("--client-cert", "mine.crt", "--client-key", "locked.secret", "--password-file", "password.secret")
        )
        bad = shown("--client-cert", "other.crt", "--client-key", "other.key")
    assert none[0] == good[0] == opened[0] == 0
    assert "client certificate: required" in none[1]
    assert locked[0] == 1
    assert "locked.secret" in locked[1]
    assert bad[0] == 1
    assert "the server does not trust the CA of our certificate" in bad[1]


def test_nobody_there_is_69(wellkept: CommandLine) -> None:
    done = wellkept("tls", "probe", "localhost:1", "--timeout", "5s")
    assert done.code == 69
    assert "error: localhost:1: cannot be reached: connection refused" in done.err
    assert not done.out


def test_a_silent_server_is_69_and_progress_is_told(wellkept: CommandLine) -> None:
    with exposed(lambda _: time.sleep(5)) as server:
        done = wellkept("tls", "probe", f"localhost:{server.port}", "--timeout", "1s")
    assert done.code == 69
    assert f"connecting to localhost:{server.port} …" in done.waits
    assert "did not answer within 1 s" in done.err


def test_a_plain_port_is_a_finding(wellkept: CommandLine) -> None:
    with exposed(lambda one: one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + one.recv(1)[:0])) as server:
        done = wellkept("tls", "probe", f"localhost:{server.port}")
    assert done.code == 1
    assert "the server speaks no TLS: it speaks plain HTTP (plain-text)" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("a:b:c",),
        ("",),
        ("user:CANARY@localhost:1",),
        ("localhost:99999",),
        ("localhost:1", "--timeout", "soon"),
        ("localhost:1", "--timeout", "0s"),
        ("localhost:1", "--server-name", "a..b"),
        ("localhost:1", "--client-key", "mine.key"),
        ("localhost:1", "--starttls", "gopher"),
    ],
)
def test_wrong_use_is_2_and_shows_no_credentials(wellkept: CommandLine, words: tuple[str, ...]) -> None:
    done = wellkept("tls", "probe", *words)
    assert done.code == 2
    assert "CANARY" not in done.out + done.err
    assert "hint: " in done.err


def test_a_file_that_is_missing_is_named(wellkept: CommandLine) -> None:
    done = wellkept("tls", "probe", "localhost:1", "--cert", "nothing.crt")
    assert done.code == 1
    assert "nothing.crt" in done.err


def test_a_server_without_alpn_in_common_is_looked_at_all_the_same(wellkept: CommandLine, tmp_path: Path) -> None:
    ca = CA()
    ca.write(tmp_path)
    context = serving(ca.issue("localhost"), tmp_path)
    context.set_alpn_protocols(["postgresql"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with exposed(context) as server:
        done = wellkept("tls", "probe", f"localhost:{server.port}", "--cert", "ca.crt")
    assert done.code == 0
    assert "versions: TLSv1.3 yes, TLSv1.2 no, older no" in done.out

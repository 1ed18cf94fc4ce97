"""`wellkept tls explain`: a message in, its meaning out, and never the message itself."""

import pytest

from tests.cli.shelf import CommandLine

UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"


def test_a_message_is_explained_with_causes_and_what_to_do(wellkept: CommandLine) -> None:
    done = wellkept("tls", "explain", UNTRUSTED)
    assert done.code == 0
    assert "likely causes:\n  1. " in done.out
    assert "what to do:\n  - wellkept tls probe HOST:PORT" in done.out
    assert not done.err


@pytest.mark.parametrize("words", [(), ("-",)])
def test_it_is_read_from_standard_input(wellkept: CommandLine, words: tuple[str, ...]) -> None:
    log = f"10:42 starting\n{UNTRUSTED} (_ssl.c:1006)\n".encode() + b"\xff\n"
    done = wellkept("tls", "explain", *words, given=log)
    assert done.code == 0
    assert "what to do:" in done.out


def test_it_needs_no_quotes(wellkept: CommandLine) -> None:
    assert wellkept("tls", "explain", "remote", "error:", "tls:", "bad", "certificate").code == 0


def test_json_has_the_same(wellkept: CommandLine) -> None:
    document = wellkept("tls", "explain", "--json", UNTRUSTED).document
    assert isinstance(document, dict)
    assert document["name"] == "untrusted"
    assert document.keys() == {"name", "meaning", "causes", "fixes"}


def test_an_unknown_message_is_wrong_use_and_names_the_next_step(wellkept: CommandLine) -> None:
    done = wellkept("tls", "explain", "the disk is full")
    assert done.code == 2
    assert "is no TLS error that is known" in done.err
    assert "wellkept tls probe HOST:PORT" in done.err
    assert not done.out


@pytest.mark.parametrize("message", [f"password=CANARY {UNTRUSTED}", "password=CANARY is wrong"])
def test_the_message_is_never_repeated(wellkept: CommandLine, message: str) -> None:
    for done in (wellkept("tls", "explain", message), wellkept("tls", "explain", "-", given=message.encode())):
        assert "CANARY" not in done.out + done.err

"""Text, bytes, paths, URLs, UUIDs and IP addresses."""

import subprocess
import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from wellkept.config.convert.converter import Answer
from wellkept.config.types import URL
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]

_UUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize("lax", [False, True])
@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (str, "text", "text"),
        (str, " kept as it is ", " kept as it is "),
        (str, "", ""),
        (str, "Zürich", "Zürich"),
        (str, b"text of a file", "text of a file"),
        (bytes, "é", b"\xc3\xa9"),
        (bytes, "\udcff", b"\xff"),
        (bytes, b"\x00\xff", b"\x00\xff"),
        (bytes, [0, 255], b"\x00\xff"),
        (Path, "data/file", Path("data/file")),
        (Path, Path("given"), Path("given")),
        (URL, "https://api.example.com/v1?q=1#top", URL("https://api.example.com/v1?q=1#top")),
        (UUID, _UUID, UUID(_UUID)),
        (UUID, f"urn:uuid:{_UUID.upper()}", UUID(_UUID)),
        (UUID, _UUID.replace("-", ""), UUID(_UUID)),
        (IPv4Address, "192.0.2.1", IPv4Address("192.0.2.1")),
        (IPv4Address, IPv4Address("192.0.2.1"), IPv4Address("192.0.2.1")),
        (IPv6Address, "fe80::1%eth0", IPv6Address("fe80::1%eth0")),
        (IPv4Network, "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
        (IPv6Network, "2001:db8::/32", IPv6Network("2001:db8::/32")),
        (IPv4Interface, "192.0.2.1/24", IPv4Interface("192.0.2.1/24")),
        (IPv6Interface, "2001:db8::1/64", IPv6Interface("2001:db8::1/64")),
    ],
    ids=map(str, count()),
)
def test_a_good_text_is_taken(convert: Convert, hint: type, value: object, made: object, lax: bool) -> None:
    result = convert(hint, value, lax=lax)
    assert result == made
    assert isinstance(result, hint)


@pytest.mark.parametrize("lax", [False, True])
@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (str, True),
        (str, ["a"]),
        (str, None),
        (str, "\udcff"),
        (str, b"\xff"),
        (bytes, 5),
        (bytes, [256]),
        (bytes, [True]),
        (bytes, ["a"]),
        (bytes, "\ud800"),
        (Path, ""),
        (Path, "a\0b"),
        (Path, 5),
        (URL, "no url"),
        (URL, "api.example.com"),
        (URL, "file:///etc/passwd"),
        (URL, "https://"),
        (URL, "https://host:99999"),
        (URL, "https://host name/"),
        (URL, "https://host/\x07"),
        (URL, "https://host/" + "a" * 8192),
        (URL, 5),
        (UUID, "not-a-uuid"),
        (UUID, "1_2e4567e89b12d3a456426614174000"),
        (UUID, 5),
        (IPv4Address, "256.0.0.1"),
        (IPv4Address, "2001:db8::1"),
        (IPv4Address, 5),
        (IPv6Address, "192.0.2.1"),
        (IPv4Network, "10.0.0.1/8"),
        (IPv4Interface, "192.0.2.1/99"),
    ],
    ids=map(str, count()),
)
def test_what_is_no_such_text_is_refused(refuse: Refuse, hint: type, value: object, lax: bool) -> None:
    assert len(refuse(hint, value, lax=lax)) == 1


def test_a_number_where_toml_needs_text_is_told_to_be_quoted(refuse: Refuse) -> None:
    (problem,) = refuse(str, 5432)
    assert (problem.message, problem.hint) == ("expected text", "write it in quotes")


def test_a_number_in_a_json_answer_is_text_where_text_is_wanted(convert: Convert) -> None:
    assert convert(str, 5432, lax=True) == "5432"


def test_a_table_in_an_answer_is_told_to_be_picked_from(refuse: Refuse) -> None:
    (problem,) = refuse(str, {"password": "CANARY-a1"}, lax=True)
    assert problem.hint == "name one of its keys in the reference: …#key"


def test_a_relative_path_starts_at_the_folder_of_its_file(convert: Convert) -> None:
    assert convert(Path, "certs/ca.pem", base="/etc/app") == Path("/etc/app/certs/ca.pem")


def test_an_absolute_path_stays(convert: Convert) -> None:
    assert convert(Path, "/srv/ca.pem", base="/etc/app") == Path("/srv/ca.pem")


def test_a_url_with_a_password_needs_a_secret(refuse: Refuse) -> None:
    (problem,) = refuse(URL, "https://user:CANARY-b2@host/")
    assert (problem.message, problem.hint) == ("holds a password, but is no Secret", "declare Secret[URL]")


def test_a_url_with_a_password_is_taken_inside_a_secret(convert: Convert) -> None:
    made = convert(Secret[URL], "https://user:CANARY-b3@host/")
    assert isinstance(made, Secret)
    assert made.reveal().host == "host"
    assert repr(made.reveal()) == "'***'"


def test_a_url_with_a_user_only_is_plain(convert: Convert) -> None:
    assert convert(URL, "ssh://git@host/repo") == "ssh://git@host/repo"


def test_an_answer_of_a_secret_store_is_no_plain_bytes(refuse: Refuse) -> None:
    answer = Answer(b"CANARY-c4", Origin(Layer.FILE, "Config.toml:1:5", answer="vault a"), is_secret=True)
    (problem,) = refuse(bytes, answer)
    assert problem.message == "takes a reference to a secret, but is no Secret"


def test_a_plain_answer_may_be_bytes(convert: Convert) -> None:
    answer = Answer(b"\xff\x00", Origin(Layer.FILE, "Config.toml:1:5", answer="file a"), is_secret=False)
    assert convert(bytes, answer) == b"\xff\x00"


def test_uuid_is_not_imported_before_somebody_declares_it() -> None:
    script = (
        "import sys; sys.modules.pop('uuid', None)\n"  # coverage has imported it
        "import wellkept.config.convert.build; sys.exit('uuid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

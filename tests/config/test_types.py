"""The public types: Byte, Size, URL, Pattern."""

import copy
import traceback
from typing import Annotated, get_args

import pytest

from wellkept._revealed import seal
from wellkept.config.types import URL, Byte, Pattern, Size
from wellkept.errors import DeclarationError, SecretLeak, UsageError
from wellkept.secret import Secret


def test_a_size_is_an_int_that_may_be_written_with_a_unit() -> None:
    limit = Size("10 MiB")
    assert limit == 10_485_760
    assert repr(limit) == "10485760"
    assert Size(512) == 512


@pytest.mark.parametrize("value", ["CANARY-e1", -1, "512k"])
def test_what_is_no_size_is_refused_without_a_word_of_it(value: int | str) -> None:
    with pytest.raises(UsageError) as caught:
        Size(value)
    assert str(caught.value) == "Size: expected a number of bytes, or text with a unit\n  hint: write 10 MiB"


def test_the_parts_of_a_url_are_attributes() -> None:
    url = URL("HTTPS://User:CANARY-e2@API.Example.com:8443/v1/%20?q=1#top")
    assert (url.scheme, url.host, url.port, url.path) == ("https", "api.example.com", 8443, "/v1/%20")
    assert url.username == "User"
    assert url.has_password


def test_a_url_without_the_optional_parts_has_none_of_them() -> None:
    url = URL("redis://[2001:db8::1]")
    assert (url.host, url.port, url.path, url.username, url.has_password) == ("2001:db8::1", None, "", None, False)


def test_an_at_sign_in_a_password_belongs_to_it() -> None:
    assert URL("postgresql://app:CANARY@e3@db/app").host == "db"


def test_a_url_is_text_wherever_text_goes() -> None:
    assert URL("https://host") + "/path" == "https://host/path"


@pytest.mark.parametrize("text", ["CANARY-e4", "https:///path", "https://user:CANARY-e5@host:99999/"])
def test_what_is_no_url_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        URL(text)
    assert str(caught.value).startswith("URL: expected a scheme and a host\n")
    own = caught.tb.tb_next  # the first frame is this test, which holds the text
    assert own is not None
    found = traceback.TracebackException(type(caught.value), caught.value, own, capture_locals=True)
    assert "CANARY" not in "".join(str(frame.locals) for frame in found.stack)


def test_a_url_out_of_a_secret_shows_nothing() -> None:
    url = Secret(URL("https://user:CANARY-e6@host/")).reveal()
    assert repr(url) == "'***'"
    assert url.host == "host"
    assert copy.deepcopy(url) is url
    assert seal(url) is url
    with pytest.raises(SecretLeak):
        url.__reduce_ex__(4)


def test_a_byte_is_an_int_with_bounds() -> None:
    kind, bounds = get_args(Byte)
    assert kind is int
    assert (bounds.ge, bounds.le) == (0, 255)


def test_a_pattern_that_cannot_be_compiled_is_refused_where_it_is_written() -> None:
    with pytest.raises(DeclarationError) as caught:
        Annotated[str, Pattern("[a-z")]
    assert caught.value.message == "Pattern: [a-z is no regular expression"

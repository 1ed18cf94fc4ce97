"""Words of base64url, and parts that are joined so that nothing else is."""

import pytest

from wellkept.crypto.encoding import from_word, joined, to_word


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", ""),
        (b"\0", "AA"),
        (b"\0\0", "AAA"),
        (b"\0\0\0", "AAAA"),
        (b"\xfb\xff\xbf", "-_-_"),
        (b"\xff", "_w"),
    ],
)
def test_bytes_are_one_word_without_padding(data: bytes, word: str) -> None:
    assert to_word(data) == word
    assert from_word(word) == data


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("A", id="one letter is no byte"),
        pytest.param("AAAAA", id="five letters"),
        pytest.param("AB", id="bits that stand for nothing"),
        pytest.param("AAB", id="bits that stand for nothing, of two bytes"),
        pytest.param("AA==", id="padding"),
        pytest.param("AA=", id="half of a padding"),
        pytest.param("+/+/", id="the other alphabet"),
        pytest.param("AA AA", id="a space inside"),
        pytest.param(" AAAA", id="a space in front"),
        pytest.param("AAAA\n", id="a line end"),
        pytest.param("AA.A", id="a letter of no alphabet"),
        pytest.param("ÄAAA", id="a letter of another alphabet"),
        pytest.param("\udcffAAA", id="half a letter"),
        pytest.param("AAAA=AAAA", id="padding inside"),
    ],
)
def test_another_spelling_is_no_word(word: str) -> None:
    assert from_word(word) is None


def test_parts_are_joined_behind_their_lengths() -> None:
    assert joined() == b""
    assert joined(b"") == b"\0\0\0\0"
    assert joined(b"ab", b"c") == b"\0\0\0\2ab\0\0\0\1c"
    assert joined(bytes(256))[:4] == b"\0\0\1\0"


def test_other_parts_are_never_joined_to_the_same() -> None:
    parts: list[tuple[bytes, ...]] = [
        (b"a", b"b"),
        (b"ab",),
        (b"ab", b""),
        (b"", b"ab"),
        (b"", b"a", b"b"),
        (b"\0\0\0\1a",),
    ]
    assert len({joined(*one) for one in parts}) == len(parts)

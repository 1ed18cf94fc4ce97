"""INI files as SOPS reads and writes them, by the rules of Go's `ini.v1`. This file does no I/O.

A value ends at `#` or `;`, unless it stands in backquotes or three double quotes, which may go over
several lines; a backslash at the end goes on with the next line; one pair of quotes around is dropped.
"""

from collections.abc import Iterator
from typing import cast

from wellkept._patterns import pattern
from wellkept.providers.sops.document import PLAIN, Document, Refusal
from wellkept.providers.sops.flat import unflatten

_FIRST_SECTION = "DEFAULT"  # what stands before the first section
# What Go's `unicode.IsSpace` says.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_COMMENT = pattern(r"[#;]")
_DELIMITER = pattern(r"[=:]")
_NO_TEXT = Refusal("is no UTF-8 text", "where its name does not tell its format, add ?format=")


def parse_ini(data: bytes) -> Document | Refusal:
    """The document of an INI file: a table of sections."""
    try:
        lines = enumerate(data.decode("utf-8-sig").split("\n"), 1)
    except UnicodeDecodeError:
        return _NO_TEXT
    sections: dict[str, dict[str, str]] = {_FIRST_SECTION: {}}
    section = sections[_FIRST_SECTION]
    rest = (line for _number, line in lines)
    for number, raw in lines:
        line = raw.lstrip(_SPACE)
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            name = line[1 : line.rfind("]")]
            if "]" not in line or (name in sections and (name != _FIRST_SECTION or section is not sections[name])):
                return Refusal(f"has a section that is not closed, or comes again, in line {number}", "write it once")
            section = sections.setdefault(name, {})
            continue
        pair = _pair(line, rest)
        if pair is None or pair[0] in section:
            return Refusal(f"has no new key with its value in line {number}", "write key = value, each key once")
        section[pair[0]] = pair[1]
    metadata = sections.pop("sops", None)
    if metadata is None:
        return PLAIN
    if not sections[_FIRST_SECTION]:
        del sections[_FIRST_SECTION]
    return Document(cast("dict[str, object]", sections), unflatten(metadata))


def _pair(line: str, rest: Iterator[str]) -> tuple[str, str] | None:
    """The key and the value of a line, and of those that it goes on with."""
    quote = '"""' if line.startswith('"""') else line[0] if line[0] in '"`' else ""
    start = len(quote)
    end = line.find(quote, start) if quote else 0
    delimiter = _DELIMITER.search(line, end + start) if end >= 0 else None
    if delimiter is None:
        return None
    key = line[start : end if quote else delimiter.start()].strip(_SPACE)
    value = _value(line[delimiter.end() :].lstrip(_SPACE), rest)
    return None if not key or value is None else (key, value)


def _value(text: str, rest: Iterator[str]) -> str | None:
    quote = '"""' if text.startswith('"""') else "`" if text.startswith("`") else ""
    if quote:
        return _quoted(text.removeprefix(quote), quote, rest)
    text = text.rstrip(_SPACE)
    if text.endswith("\\"):
        return _continued(text[:-1], rest)
    text = _COMMENT.split(text, 1)[0].rstrip(_SPACE)
    is_quoted = len(text) > 1 and text[0] in "'\"" and text.find(text[0], 1) == len(text) - 1
    return text[1:-1] if is_quoted else text


def _quoted(text: str, quote: str, rest: Iterator[str]) -> str | None:
    """What stands up to the last quote of the line, or of the first line that has one."""
    lines: list[str] = []
    while quote not in text:
        lines.append(text)
        following = next(rest, None)
        if following is None:
            return None
        text = following
    return "\n".join([*lines, text[: text.rfind(quote)]])


def _continued(text: str, rest: Iterator[str]) -> str:
    parts = [text]
    for line in rest:
        following = line.strip(_SPACE)
        parts.append(following.removesuffix("\\"))
        if not following.endswith("\\"):
            break
    return "".join(parts)

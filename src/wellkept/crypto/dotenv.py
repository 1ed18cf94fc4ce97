r"""The text of a .env file, read strictly, and written so that it is read back the same. No I/O here.

    # a comment
    DB_HOST=localhost             # up to a space and a #, without the spaces around it
    export DB_USER=app
    DB_PASSWORD='as $it \ is'     # nothing means anything; may go over several lines
    GREETING="one\ntwo"           # \n \t \r \" \\ \$ \` are escapes; may go over several lines

Nothing is filled in: `$NAME` and `${NAME}` are text like any other. A line that is none of these
is refused by its number, and never quoted.
"""

from collections.abc import Iterable

from wellkept._dataclasses import dataclass, field
from wellkept._patterns import pattern


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: its name.
        text: its text; not in the repr.
        line: the number of the line where it begins, from 1.
        fills_in: whether its text holds a $ that a shell would fill something in for.
    """

    name: str
    text: str = field(repr=False)
    line: int
    fills_in: bool = False


@dataclass(frozen=True, slots=True)
class LineFault:
    """Why a text is no .env file.

    Attributes:
        line: the number of the line, from 1.
        fact: what is wrong there.
        hint: what to do.
    """

    line: int
    fact: str
    hint: str


_EMPTY = pattern(r"[ \t]*+(?:\#[^\n]*+)?(?:\n|\Z)")
_START = pattern(r"[ \t]*+(?:export[ \t]++)?([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+=")
_SINGLE = pattern(r"'([^']*+)'")
_DOUBLE = pattern(r'"((?:[^"\\]++|\\(?s:.))*+)"')
_SPACE = pattern(r"[ \t]*+")
_REST = pattern(r"(?:[ \t]*+|[ \t]++\#[^\n]*+)(?:\n|\Z)")
_PLAIN = pattern(r"((?:[^ \t\n]++|[ \t]++(?![ \t\#\n]|\Z))*+)")
_ESCAPE = pattern(r"\\((?s:.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$", "`": "`"}
_FILLED_IN = pattern(r"(?<!\\)(?:\\\\)*+\$[A-Za-z_{(]")
_BARE = pattern(r"[A-Za-z0-9_./:@%+,=-]+")
_MUST_ESCAPE = pattern(r'[\\"$`\r]')

_WRITE = "write NAME=VALUE, with the value in 'single' or \"double\" quotes where it has spaces"
_NOT_CLOSED = ("has a quote that is not closed", "close it with the quote that opens it")
_NO_ESCAPE = ("has a backslash that begins no escape", r"write \\ for a backslash, or put the value in 'single' quotes")


def parse_dotenv(text: str) -> list[Variable] | LineFault:
    """Read a text; a name that stands twice is refused.

    Args:
        text: with LF line ends.
    """
    found: dict[str, Variable] = {}
    at, line = 0, 1
    while at < len(text):
        empty = _EMPTY.match(text, at)
        if empty is None:
            one = _variable(text, at, line)
            if isinstance(one, LineFault):
                return one
            variable, end = one
            if variable.name in found:
                first = found[variable.name].line
                return LineFault(line, f"repeats {variable.name} of line {first}", "keep one of the two")
            found[variable.name] = variable
        else:
            end = empty.end()
        line += text.count("\n", at, end)
        at = end
    return list(found.values())


def to_dotenv(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and texts as a .env file.

    Args:
        pairs: names as variables have them; texts without NUL.
    """
    return "".join(f"{name}={_quoted(text)}\n" for name, text in pairs)


def _variable(text: str, at: int, line: int) -> tuple[Variable, int] | LineFault:
    """The variable that begins there, and where the next line does."""
    start = _START.match(text, at)
    if start is None:
        return LineFault(line, "is neither NAME=VALUE nor a comment", _WRITE)
    read = _value(text, start.end())
    if len(read) == 2:  # noqa: PLR2004 a fact and a hint
        return LineFault(line, *read)
    value, end, fills_in = read
    rest = _REST.match(text, end)
    if rest is None:
        return LineFault(line, "has something behind the closing quote", "put a space and a # in front of a comment")
    if "\0" in value:
        return LineFault(line, "has a NUL character", "remove it: no variable can hold one")
    return Variable(start[1], value, line, fills_in), rest.end()


def _value(text: str, at: int) -> tuple[str, int, bool] | tuple[str, str]:
    """A value, where it ends, and whether a shell would fill something in; or a fact and a hint."""
    space = _SPACE.match(text, at)
    begin = at if space is None else space.end()
    if text.startswith("'", begin):
        single = _SINGLE.match(text, begin)
        return _NOT_CLOSED if single is None else (single[1], single.end(), False)
    if text.startswith('"', begin):
        return _double(text, begin)
    if begin > at and text.startswith("#", begin):
        return "", at, False
    plain = _PLAIN.match(text, begin)
    value, end = ("", at) if plain is None else (plain[1], plain.end())
    return value, end, _FILLED_IN.search(value) is not None


def _double(text: str, at: int) -> tuple[str, int, bool] | tuple[str, str]:
    double = _DOUBLE.match(text, at)
    if double is None:
        return _NOT_CLOSED
    if any(escape[1] not in _ESCAPED for escape in _ESCAPE.finditer(double[1])):
        return _NO_ESCAPE
    value = _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], double[1])
    return value, double.end(), _FILLED_IN.search(double[1]) is not None


def _quoted(text: str) -> str:
    """A text in the quotes that a shell and other readers understand too, where there are such."""
    if _BARE.fullmatch(text):
        return text
    if "'" not in text and "\r" not in text:
        return f"'{text}'"
    escaped = _MUST_ESCAPE.sub(lambda found: "\\r" if found[0] == "\r" else f"\\{found[0]}", text)
    return f'"{escaped}"'

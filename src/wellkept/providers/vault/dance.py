"""A conversation with Vault as a generator: it yields requests and is sent answers. No I/O here.

So a login, or the reading of a secret, can be tested without a socket, and one driver
(`session.py`) adds tokens, retries and failures to all of them.
"""

from collections.abc import Generator, Mapping
from typing import TypeVar, cast

from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Malformed

T = TypeVar("T")

Dance = Generator[Request, Response, T]

_LONGEST_NAME = 64
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/+-")


class Faulty(Exception):
    """What is thrown into a dance whose request got no answer; a dance that knows nothing better lets it pass.

    Attributes:
        failure: what the dance ends in then.
        is_of_engine: whether it may be the fault of what stands behind an engine, and not of the server.
    """

    def __init__(self, failure: Failure, *, is_of_engine: bool) -> None:
        super().__init__(failure.fact)
        self.failure = failure
        self.is_of_engine = is_of_engine


OK, NO_CONTENT, BAD_REQUEST, FORBIDDEN, NOT_FOUND = 200, 204, 400, 403, 404


def table(value: object) -> Mapping[str, object]:
    """A JSON object, or an empty one for anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """A JSON array, or an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def data_of(response: Response) -> Mapping[str, object]:
    """What stands under `data` of an answer; every answer of Vault has that shape."""
    return table(table(response.data).get("data"))


def whole(value: object, *, most: int = 1 << 53) -> int | None:
    """A whole number from 0 on, or None for anything else; JSON's true is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= most else None


def is_plain(text: str) -> bool:
    """Whether a text of an answer may stand in one of ours: a short name, a time, nothing that could be a sentence."""
    return 0 < len(text) <= _LONGEST_NAME and set(text) <= _PLAIN


def says(response: Response, word: str) -> bool:
    """Whether one of the errors of an answer has a word; their text goes nowhere else."""
    return any(isinstance(one, str) and word in one for one in items(table(response.data).get("errors")))


def unexpected(response: Response) -> Failure:
    """The failure of an answer that nobody foresaw."""
    hint = "is this the address of a Vault? look at the log of the server"
    return Failure(Malformed, f"its answer cannot be used (status {response.status})", hint)

"""Performs a dance with answers that are written down: a login or a reading needs no socket."""

from collections.abc import Sequence
from typing import TypeVar

from wellkept._http.message import Request, Response
from wellkept.providers.vault.dance import Dance

T = TypeVar("T")


def perform(dance: Dance[T], *answers: Response) -> tuple[T, Sequence[Request]]:
    """What the dance ends in, and the requests that it made."""
    asked: list[Request] = []
    waiting = list(answers)
    try:
        asked.append(next(dance))
        while True:
            asked.append(dance.send(waiting.pop(0)))
    except StopIteration as end:
        assert not waiting, f"{len(waiting)} answers nobody asked for"
        result: T = end.value
        return result, asked


def path_of(request: Request) -> str:
    """The path of a request as one text."""
    return f"{request.method} {'/'.join(request.path)}"

"""All that can be heard of an action of ours: its error to the last local, its logs, events, warnings, output."""

import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import wellkept
from tests.leaks.canaries import shows
from tests.leaks.sinks import spoken
from wellkept.errors import ConfigError, WellkeptError
from wellkept.events import BUS

OURS = str(Path(wellkept.__file__).parent)


def overheard(action: Callable[[], object], level: int = logging.DEBUG) -> tuple[BaseException | None, str]:
    """Do it, and give its error and all that can be heard of it.

    Args:
        action: holds the values; its own frame is a caller's, and is not looked at.
        level: the level of the root logger meanwhile.
    """
    error: BaseException | None = None
    with _listening(level) as heard:
        try:
            action()
        except Exception as raised:  # noqa: BLE001 every error is looked at
            error = raised
    text = heard()
    return error, text if error is None else f"{text}\n{_told(error)}"


def assert_silent(action: Callable[[], object], level: int = logging.DEBUG) -> type[BaseException]:
    """Do what must fail; assert that nothing of it shows a canary, and that its error stands alone.

    Returns:
        The class of the error.
    """
    error, told = overheard(action, level)
    assert error is not None
    kind = type(error)
    assert (error.__cause__, error.__context__) == (None, None)
    del error
    is_shown, told = shows(told), ""  # a test runner may print the locals of a failing frame
    assert not is_shown, f"a canary shows in {kind.__name__}"
    return kind


@contextlib.contextmanager
def _listening(level: int) -> Iterator[Callable[[], str]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    unsubscribe = BUS.subscribe(lambda event: print(repr(event), file=stream))
    root.addHandler(handler)
    root.setLevel(level)
    with (
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
        warnings.catch_warnings(record=True, action="always") as warned,
    ):
        yield lambda: "\n".join([stream.getvalue(), *(repr(vars(one)) for one in warned)])
    unsubscribe()
    root.setLevel(before)
    root.removeHandler(handler)


def _told(error: BaseException) -> str:
    told = [spoken(error), *_frames(error.__traceback__)]
    if isinstance(error, WellkeptError):
        told.append(repr(error.hint))
    if isinstance(error, ConfigError):
        told += [repr(error.problems), *map(str, error.problems)]
    return "\n".join(told)


def _frames(trace: TracebackType | None) -> list[str]:
    """The traceback with its locals, from the first frame of ours on."""
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith(OURS):
        trace = trace.tb_next
    return traceback.StackSummary.extract(traceback.walk_tb(trace), capture_locals=True).format()

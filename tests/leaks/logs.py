"""Logs that a sink can read, and that no handler of the test run sees."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log(handler: logging.Handler, name: str = "payments") -> Iterator[logging.Logger]:
    """The logger of this name, at DEBUG, with one handler, and cut off from the root."""
    logger = logging.getLogger(name)
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


@contextmanager
def written(name: str = "payments") -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """Such a logger, and the text that its stream handler writes."""
    stream = io.StringIO()
    with log(logging.StreamHandler(stream), name) as logger:
        yield logger, stream


def logged(message: str) -> str:
    """What a log shows of a message."""
    with written() as (logger, stream):
        logger.error("%s", message)
    return stream.getvalue()

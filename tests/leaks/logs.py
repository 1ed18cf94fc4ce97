"""Logs that a sink can read: loggers of its own, that no handler of the test run sees."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log(handler: logging.Handler, name: str | None = None) -> Iterator[logging.Logger]:
    """A logger at DEBUG with one handler; one of this name is cut off from the root for so long."""
    logger = logging.Logger("payments") if name is None else logging.getLogger(name)
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
def written(name: str | None = None) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """Such a logger, and the text that its stream handler writes."""
    stream = io.StringIO()
    with log(logging.StreamHandler(stream), name) as logger:
        yield logger, stream


def logged(message: str) -> str:
    """What a log shows of a message."""
    with written() as (logger, stream):
        logger.error("%s", message)
    return stream.getvalue()

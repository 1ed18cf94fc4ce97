"""Sinks of the leak matrix: logging, structlog and loguru."""

import contextlib
import io
import json
import logging
import logging.handlers
import queue

from tests.leaks.logs import log, written
from tests.leaks.sinks import Foreign, Held, Means, object_sink, package, use_site

GROUP = "log"


class _Attributes(logging.Formatter):
    """The JSON formatter that everybody writes: all attributes of the record."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(record.__dict__, default=str, ensure_ascii=False)


class _Pickles(logging.handlers.SocketHandler):
    """Keeps the packets that it would send."""

    def __init__(self) -> None:
        super().__init__("localhost", None)
        self.sent = b""

    def send(self, s: Foreign) -> None:
        self.sent += bytes(s)


def fail_with(x: object) -> None:
    """Fail with an error that holds a value."""
    raise LookupError({"password": x})


def fail_quoting(text: str) -> None:
    """Fail with an error whose message quotes revealed text."""
    raise LookupError(f"no login with {text}")


def fail_beside(x: object) -> None:
    """Fail in a frame that holds a value, with an error that does not."""
    password = x  # noqa: F841 what is shown is the frame
    raise LookupError("no such login")


@object_sink(GROUP, "`log.info('%s', x)`")
def _percent_s(x: Held) -> str:
    with written() as (logger, stream):
        logger.info("password %s", x)
    return stream.getvalue()


@object_sink(GROUP, "`log.info(f'{x}')`")
def _f_string(x: Held) -> str:
    with written() as (logger, stream):
        logger.info(f"password {x}")  # noqa: G004 this is the sink
    return stream.getvalue()


@object_sink(GROUP, "`log.info('%(p)s', {'p': x})`")
def _percent_mapping(x: Held) -> str:
    with written() as (logger, stream):
        logger.info("password %(p)s", {"p": x})
    return stream.getvalue()


@object_sink(GROUP, "`log.info(extra=…)`, as JSON of `record.__dict__`")
def _extra(x: Held) -> str:
    with written() as (logger, stream):
        logger.handlers[0].setFormatter(_Attributes())
        logger.info("connected", extra={"password": x})
    return stream.getvalue()


@object_sink(GROUP, "wrong number of arguments: logging prints them to stderr")
def _wrong_count(x: Held) -> str:
    with contextlib.redirect_stderr(io.StringIO()) as stderr, written() as (logger, _stream):
        logger.info("connected", x)  # noqa: PLE1205 this is the sink
    return stderr.getvalue()


@object_sink(GROUP, "`log.exception` of an error that holds x")
def _exception(x: Held) -> str:
    with written() as (logger, stream):
        try:
            fail_with(x)
        except LookupError:
            logger.exception("failed")
    return stream.getvalue()


@object_sink(GROUP, "`QueueHandler`: the record that another process gets")
def _queue(x: Held) -> str:
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    with log(logging.handlers.QueueHandler(records)) as logger:
        logger.info("password %s", x)
    return repr(vars(records.get()))


@object_sink(GROUP, "`SocketHandler.makePickle` with `extra=`")
def _socket(x: Held) -> bytes:
    handler = _Pickles()
    with contextlib.redirect_stderr(io.StringIO()) as stderr, log(handler) as logger:
        logger.info("connected", extra={"password": x})
    return handler.sent + stderr.getvalue().encode()


@object_sink(GROUP, "structlog `JSONRenderer`")
def _structlog(x: Held) -> str:
    structlog = package("structlog")
    stream = io.StringIO()
    render = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.wrap_logger(structlog.PrintLogger(stream), processors=[render]).info("connected", password=x)
    return stream.getvalue()


@object_sink(GROUP, "structlog `dict_tracebacks`, which shows locals")
def _structlog_locals(x: Held) -> str:
    structlog = package("structlog")
    stream = io.StringIO()
    chain = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    logger = structlog.wrap_logger(structlog.PrintLogger(stream), processors=chain)
    try:
        fail_beside(x)
    except LookupError:
        logger.exception("failed")
    return stream.getvalue()


def _diagnosed(x: object) -> str:
    """What loguru writes of an error in a frame that holds a value: `diagnose` is on by default."""
    logger = package("loguru").logger
    stream = io.StringIO()
    logger.remove()
    handler = logger.add(stream)
    try:
        fail_beside(x)
    except LookupError:
        logger.exception("failed")
    finally:
        logger.remove(handler)
    return stream.getvalue()


@object_sink(GROUP, "loguru `exception`: x in a frame")
def _loguru(x: Held) -> str:
    return _diagnosed(x)


@use_site(GROUP, "`log.exception` of an error with revealed text in its message", closed_by=Means.FORMAT)
def _exception_text(text: str) -> str:
    with written() as (logger, stream):
        try:
            fail_quoting(text)
        except LookupError:
            logger.exception("failed")
    return stream.getvalue()


@use_site(GROUP, "loguru `exception`: revealed text in a frame", closed_by=Means.REPR)
def _loguru_text(text: str) -> str:
    return _diagnosed(text)

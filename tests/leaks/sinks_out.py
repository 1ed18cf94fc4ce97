"""Sinks of the leak matrix: the ways out of a process, and the limits of masking.

The 23 use-site sinks that were measured before the first line of wellkept ask what closes them. These
here go the other way: each place where masking stands, and each way past it that we know.
"""

import base64
import contextlib
import html
import io
import json
import logging
import urllib.parse

from tests.leaks.child import in_child
from tests.leaks.logs import log, logged, written
from tests.leaks.sinks import Means, package, use_site
from tests.leaks.sinks_log import fail_quoting
from tests.leaks.sinks_trace import drawn, with_object

GROUP = "way out"
ENCODED_TWICE = "only single encodings are looked for"


class _Own(logging.Handler):
    """A handler that never calls `format`."""

    def __init__(self, attribute: str) -> None:
        super().__init__()
        self._attribute = attribute
        self.shown = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.shown += record.getMessage() if self._attribute == "message" else repr(vars(record)[self._attribute])


@use_site(GROUP, "an error that nobody catches", is_slow=True, closed_by=Means.EXCEPTHOOK)
def _uncaught(text: str) -> bytes:
    return in_child(text, "raise LookupError('no login with ' + x)\n")


@use_site(GROUP, "an error that nobody catches in a thread", is_slow=True, closed_by=Means.THREADS)
def _uncaught_in_thread(text: str) -> bytes:
    return in_child(
        text,
        "import threading\n"
        "def fail():\n"
        "    raise LookupError('no login with ' + x)\n"
        "threading.Thread(target=fail).start()\n",
    )


@use_site(GROUP, "an error in `__del__`", is_slow=True, closed_by=Means.UNRAISABLE)
def _unraisable(text: str) -> bytes:
    return in_child(
        text,
        "class Connection:\n    def __del__(self):\n        raise LookupError('no login with ' + x)\nConnection()\n",
    )


@use_site(GROUP, "an `excepthook` that is set after masking", is_slow=True, closed_by=Means.STDERR)
def _later_excepthook(text: str) -> bytes:
    return in_child(
        text,
        "import sys, traceback\n"
        "sys.excepthook = lambda kind, error, trace: traceback.print_exception(kind, error, trace)\n"
        "raise LookupError('no login with ' + x)\n",
    )


@use_site(GROUP, "`sys.exit(text)`", is_slow=True, closed_by=Means.STDERR)
def _exit(text: str) -> bytes:
    return in_child(text, "import sys\nsys.exit('no login with ' + x)\n")


@use_site(GROUP, "`traceback.print_exc`", is_slow=True, closed_by=Means.STDERR)
def _print_exc(text: str) -> bytes:
    return in_child(
        text,
        "import traceback\n"
        "try:\n"
        "    raise LookupError('no login with ' + x)\n"
        "except LookupError:\n"
        "    traceback.print_exc()\n",
    )


@use_site(GROUP, "an error in a child that multiprocessing forked", is_slow=True, closed_by=Means.STDERR)
def _forked(text: str) -> bytes:
    return in_child(
        text,
        "import multiprocessing\n"
        "def fail():\n"
        "    raise LookupError('no login with ' + x)\n"
        "child = multiprocessing.get_context('fork').Process(target=fail)\n"
        "child.start()\n"
        "child.join()\n",
    )


@use_site(GROUP, "logging's own report of a wrong number of arguments", is_slow=True, closed_by=Means.STDERR)
def _handle_error(text: str) -> bytes:
    return in_child(text, "import logging\nlogging.error('no login', 'with ' + x)\n")


@use_site(GROUP, "`warnings.warn`", is_slow=True, closed_by=Means.WARNINGS)
def _warn(text: str) -> bytes:
    return in_child(text, "import warnings\nwarnings.warn('weak password ' + x)\n")


@use_site(GROUP, "asyncio: a task fails, and is never awaited", is_slow=True, closed_by=Means.FORMAT)
def _task(text: str) -> bytes:
    return in_child(
        text,
        "import asyncio\n"
        "async def fail():\n"
        "    raise LookupError('no login with ' + x)\n"
        "async def main():\n"
        "    asyncio.get_running_loop().create_task(fail())\n"
        "    await asyncio.sleep(0)\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())\n",
    )


@use_site(GROUP, "a log handler that calls `record.getMessage()`", closed_by=Means.MESSAGE)
def _get_message(text: str) -> str:
    handler = _Own("message")
    with log(handler) as logger:
        logger.error("no login with %s", f"password {text}")
    return handler.shown


@use_site(GROUP, "a log handler that reads `record.args`", open_because="it goes past `format` and `getMessage`")
def _record_args(text: str) -> str:
    handler = _Own("args")
    with log(handler) as logger:
        logger.error("no login with %s", f"password {text}")
    return handler.shown


@use_site(GROUP, "rich's log handler, with a message", closed_by=Means.FORMAT)
def _rich_handler(text: str) -> str:
    console = package("rich.console").Console(file=io.StringIO(), width=1000)
    plain = package("rich.highlighter").NullHighlighter()  # the other one takes a minute for 64 KiB
    with log(package("rich.logging").RichHandler(console=console, highlighter=plain)) as logger:
        logger.error("no login with %s", f"password {text}")
    return str(console.file.getvalue())


@use_site(
    GROUP,
    "rich's log handler, with `rich_tracebacks`",
    is_slow=True,
    open_because="it draws the traceback past `format`",
)
def _rich_handler_traceback(text: str) -> str:
    console = package("rich.console").Console(file=io.StringIO(), width=1000)
    with log(package("rich.logging").RichHandler(console=console, rich_tracebacks=True)) as logger:
        try:
            fail_quoting(text)
        except LookupError:
            logger.exception("failed")
    return str(console.file.getvalue())


@use_site(GROUP, "rich `show_locals`: more than 80 characters of revealed text", closed_by=Means.REPR)
def _rich_cut(text: str) -> str:
    return drawn(with_object(text))


@use_site(GROUP, "structlog's `PrintLogger`", open_because="it prints to stdout; hand its lines to logging")
def _structlog(text: str) -> str:
    structlog = package("structlog")
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        render = structlog.processors.JSONRenderer(ensure_ascii=False)
        structlog.wrap_logger(structlog.PrintLogger(), processors=[render]).error("failed", login=f"password {text}")
    return stdout.getvalue()


@use_site(
    GROUP,
    "loguru, imported before masking",
    is_slow=True,
    open_because="it keeps the stderr that it found: import it later, or hand its lines to logging",
)
def _loguru(text: str) -> bytes:
    # received() is called by the first lines of the script; what comes before it is what an application does.
    return in_child(text, "from loguru import logger\nlogger.error('no login with ' + x)\n", first="import loguru\n")


@use_site(GROUP, "`print(text)`", is_slow=True, open_because="what a program writes to stdout is its data")
def _print(text: str) -> bytes:
    return in_child(text, "print('no login with ' + x)\n")


@use_site(GROUP, "`os.write(2, …)`", is_slow=True, open_because="it goes past every object of Python")
def _write(text: str) -> bytes:
    return in_child(text, "import os\nos.write(2, x.encode())\n")


@use_site(GROUP, "one value in two writes to stderr", is_slow=True, open_because="each write is masked for itself")
def _two_writes(text: str) -> bytes:
    return in_child(text, "import sys\nsys.stderr.write(x[:9])\nsys.stderr.write(x[9:])\n")


@use_site(GROUP, "percent-encoded, logged", closed_by=Means.FORMAT)
def _percent(text: str) -> str:
    return logged(urllib.parse.quote(text, safe="") + urllib.parse.quote_plus(text))


@use_site(GROUP, "as JSON, logged", closed_by=Means.FORMAT)
def _json(text: str) -> str:
    return logged(json.dumps({"password": text}) + json.dumps({"password": text}, ensure_ascii=False))


@use_site(GROUP, "as HTML, logged", closed_by=Means.FORMAT)
def _html(text: str) -> str:
    return logged(html.escape(text))


@use_site(GROUP, "as hexadecimal digits, logged", closed_by=Means.FORMAT)
def _hex(text: str) -> str:
    return logged(text.encode().hex())


@use_site(GROUP, "base64 of user and password, as in a `Basic` header, logged", closed_by=Means.FORMAT)
def _basic(text: str) -> str:
    return logged("".join(base64.b64encode(f"{user}:{text}".encode()).decode() for user in ("a", "ap", "app")))


@use_site(GROUP, "the `repr` of its bytes, logged", closed_by=Means.FORMAT)
def _bytes(text: str) -> str:
    return logged(repr(text.encode()))


@use_site(GROUP, "line by line, logged", closed_by=Means.FORMAT)
def _lines(text: str) -> str:
    with written() as (logger, stream):
        for line in text.splitlines():
            logger.error("> %s", line)
    return stream.getvalue()


@use_site(GROUP, "base64 of its JSON, logged, where that escapes a character", open_because=ENCODED_TWICE)
def _twice(text: str) -> str:
    return logged(base64.b64encode(json.dumps({"password": text, "user": "app"}).encode()).decode())


@use_site(GROUP, "its first seven letters, logged", open_because="a part of a value is not looked for")
def _part(text: str) -> str:
    return logged(text[:7])

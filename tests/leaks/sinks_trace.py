"""Sinks of the leak matrix: tracebacks, debuggers, profilers, and the SDKs that collect them."""

import cProfile
import faulthandler
import inspect
import io
import json
import pstats
import tempfile
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import IO, NoReturn

from tests.leaks.child import in_child, revealed
from tests.leaks.logs import log, logged
from tests.leaks.sinks import Held, Means, object_sink, package, use_site

GROUP = "traceback"
Caught = tuple[type[BaseException], BaseException, TracebackType]


def _caught(error: BaseException) -> Caught:
    assert error.__traceback__ is not None
    return type(error), error, error.__traceback__


def _fail_with(password: object) -> NoReturn:
    """Fail in a frame that holds a value."""
    raise LookupError(f"no such login, after {type(password).__name__}")


def _connect(password: str) -> NoReturn:
    """Fail in a frame that holds revealed text, and a connection string that was made of it."""
    dsn = f"postgresql://app:{password}@db/app"
    raise LookupError("no such database", len(dsn))


def with_object(x: object) -> Caught:
    """An error from a frame that holds a value."""
    try:
        _fail_with(x)
    except LookupError as error:
        return _caught(error)


def _with_text(text: str) -> Caught:
    try:
        _connect(text)
    except LookupError as error:
        return _caught(error)


def _dump(file: IO[bytes], password: object) -> None:
    """Dump the stack, with a frame that holds a value."""
    file.write(f"holding a {type(password).__name__}\n".encode())
    file.flush()
    faulthandler.dump_traceback(file)


def _plain(caught: Caught) -> str:
    return "".join(traceback.format_exception(*caught))


def _locals(caught: Caught) -> str:
    return "".join(traceback.TracebackException(*caught, capture_locals=True).format())


def drawn(caught: Caught) -> str:
    """What rich draws of an error, with its locals."""
    console = package("rich.console").Console(file=io.StringIO(), width=400)
    console.print(package("rich.traceback").Traceback.from_exception(*caught, show_locals=True))
    return str(console.file.getvalue())


def _cgitb(caught: Caught) -> str:
    return str(package("cgitb").text(caught))


def _frames(caught: Caught) -> str:
    return repr([frame.frame.f_locals for frame in inspect.getinnerframes(caught[2])])


def _sentry(capture: Callable[[], object]) -> str:
    """The events that the SDK of Sentry would send, after its own scrubbing."""
    sentry = package("sentry_sdk")
    events: list[object] = []
    client = sentry.Client(
        dsn="http://key@127.0.0.1/1",
        default_integrations=False,
        auto_session_tracking=False,
        before_send=lambda event, _hint: events.append(event),  # None: nothing is sent
    )
    with sentry.isolation_scope(), sentry.new_scope() as scope:
        scope.set_client(client)
        capture()
    return json.dumps(events, ensure_ascii=False)


def _sentry_event(caught: Caught) -> str:
    return _sentry(lambda: package("sentry_sdk").capture_exception(caught))


@object_sink(GROUP, "`traceback.format_exception`: x in a frame")
def _plain_object(x: Held) -> str:
    return _plain(with_object(x))


@object_sink(GROUP, "`TracebackException(capture_locals=True)`: x in a frame")
def _locals_object(x: Held) -> str:
    return _locals(with_object(x))


@object_sink(GROUP, "rich `show_locals`: x in a frame")
def _rich_object(x: Held) -> str:
    return drawn(with_object(x))


@object_sink(GROUP, "`cgitb.text`: x in a frame (Python 3.11 and 3.12)")
def _cgitb_object(x: Held) -> str:
    return _cgitb(with_object(x))


@object_sink(GROUP, "Sentry event: x in a frame")
def _sentry_object(x: Held) -> str:
    return _sentry_event(with_object(x))


@object_sink(GROUP, "`repr` of the frames of `inspect.trace()`: x in a frame")
def _frames_object(x: Held) -> str:
    return _frames(with_object(x))


@object_sink(GROUP, "`traceback.format_exception`: the value, revealed, in a frame")
def _plain_text(x: Held) -> str:
    return _plain(_with_text(revealed(x)))


@object_sink(GROUP, "Sentry event: x in a variable called `password`, which its denylist knows")
def _sentry_denylist(x: Held) -> str:
    return _sentry_event(with_object(x))


@object_sink(GROUP, "Sentry breadcrumb of a log line")
def _sentry_breadcrumb(x: Held) -> str:
    sentry = package("sentry_sdk")

    def capture() -> None:
        with log(package("sentry_sdk.integrations.logging").BreadcrumbHandler()) as logger:
            logger.warning("password %s", x)
        sentry.capture_message("failed")

    return _sentry(capture)


@object_sink(GROUP, "OpenTelemetry `record_exception` and `set_attribute(str(x))`")
def _open_telemetry(x: Held) -> str:
    provider = package("opentelemetry.sdk.trace").TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("payments").start_span("connect")
    span.set_attribute("password", str(x))
    span.record_exception(LookupError({"password": x}))
    span.end()
    return str(span.to_json())


@object_sink(GROUP, "`faulthandler.dump_traceback`")
def _faulthandler(x: Held) -> bytes:
    with tempfile.TemporaryFile() as file:
        _dump(file, x)
        file.seek(0)
        return file.read()


@object_sink(GROUP, "`cProfile` and `pstats`")
def _profile(x: Held) -> str:
    profile = cProfile.Profile()
    profile.runcall(repr, x)
    stream = io.StringIO()
    pstats.Stats(profile, stream=stream).print_stats()
    return stream.getvalue()


@object_sink(GROUP, "`pdb`: `args`, and `p` of a local", is_slow=True)
def _pdb(x: Held) -> bytes:
    return in_child(
        x,
        "import io, pdb, sys\n"
        "def connect(password):\n"
        "    login = [password]\n"
        "    return login\n"
        "pdb.Pdb(stdin=io.StringIO('args\\nnext\\np login\\ncontinue\\n'), stdout=sys.stdout).runcall(connect, x)\n",
    )


@object_sink(GROUP, "an `ExceptionGroup`, with a note made of x")
def _group_note(x: Held) -> str:
    error = LookupError("no such login")
    error.add_note(f"tried {x}")
    return "".join(traceback.format_exception(ExceptionGroup("failed", [error])))


@use_site(
    GROUP, "`TracebackException(capture_locals=True)`, logged: a connection string in a frame", closed_by=Means.FORMAT
)
def _locals_text(text: str) -> str:
    return logged(_locals(_with_text(text)))


@use_site(
    GROUP,
    "rich `show_locals`, logged: a connection string in a frame",
    closed_by=Means.FORMAT,
    open_because="it cuts text of more than 80 characters",
    cuts_at=50,
)
def _rich_text(text: str) -> str:
    return logged(drawn(_with_text(text)))


@use_site(
    GROUP,
    "`cgitb.text`, logged: a connection string in a frame (Python 3.11 and 3.12)",
    closed_by=Means.FORMAT,
    open_because="it cuts text of more than 100 characters",
    cuts_at=70,
)
def _cgitb_text(text: str) -> str:
    return logged(_cgitb(_with_text(text)))


@use_site(
    GROUP,
    "Sentry event: a connection string in a frame",
    open_because="the SDK collects by itself: `include_local_variables=False` keeps frames out of it",
)
def _sentry_text(text: str) -> str:
    return _sentry_event(_with_text(text))


@use_site(GROUP, "`repr` of the frames of `inspect.trace()`, logged: a connection string", closed_by=Means.FORMAT)
def _frames_text(text: str) -> str:
    return logged(_frames(_with_text(text)))


@use_site(GROUP, "Sentry event: `{'db': {'password': text}}` in a frame", closed_by=Means.REPR)
def _sentry_nested(text: str) -> str:
    return _sentry_event(with_object({"db": {"password": text}}))

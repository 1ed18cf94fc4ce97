"""A Python process of its own that holds a value: for sinks that change or read a whole process."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.leaks.masking import is_on, masking
from tests.leaks.sinks import Held, package
from wellkept.secret import Secret

ROOT = Path(__file__).parents[2]
HELD, MASKED = "MATRIX_HELD", "MATRIX_MASKED"
VALUE = "value.secret"
PREAMBLE = "from tests.leaks.child import received\nx = received()\n"

_kept = ExitStack()  # what was received, for the life of the process


def in_child(x: object, body: str, *, first: str = "") -> bytes:
    """All that a script writes; it holds the value as `x`, wrapped and masked as it is here.

    Args:
        x: the value.
        body: what the script does with it.
        first: what it does before it has the value.
    """
    return _run(x, "use.py", first + PREAMBLE + body, [])


def in_pytest(x: object, body: str, *options: str) -> bytes:
    """All that pytest writes about a test file, which holds the value as `x`."""
    return _run(x, "test_use.py", PREAMBLE + body, ["-m", "pytest", "-p", "no:cacheprovider", *options])


def wrapped(kind: str, text: str) -> Held:
    """Wrap a text: in a Secret, in pydantic's type, as revealed text, or not at all."""
    if kind == "Secret":
        return Secret(text, name="db_password")
    if kind == "RevealedText":
        return Secret(text, name="db_password").reveal()
    return package("pydantic").SecretStr(text) if kind == "SecretStr" else text


def revealed(x: Held) -> Held:
    """The value itself, whatever it was wrapped in."""
    if isinstance(x, Secret):
        return x.reveal()
    return x.get_secret_value() if hasattr(x, "get_secret_value") else x


def received() -> Held:
    """In the child: the value that it was given."""
    if os.environ.pop(MASKED):
        _kept.enter_context(masking())
    return wrapped(os.environ.pop(HELD), Path(VALUE).read_bytes().decode())


def _run(x: object, name: str, body: str, options: list[str]) -> bytes:
    text = str(revealed(x))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, VALUE).write_bytes(text.encode())
        Path(folder, name).write_text(body, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, *options, name],
            cwd=folder,
            env=_environment(type(x).__name__),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.stdout


def _environment(held: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        HELD: held,
        MASKED: "1" if is_on() else "",
    }

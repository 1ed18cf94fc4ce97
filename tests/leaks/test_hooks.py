"""Each place where a process prints, tried in a child that prints a secret there."""

import logging
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from wellkept.leaks.hooks import MaskedStream, install
from wellkept.leaks.redact import Redactor

HEAD = """
import asyncio, logging, os, sys, threading, traceback, warnings
from wellkept.leaks.hooks import install
from wellkept.leaks.redact import Redactor
value = os.environ["VALUE"]
redactor = Redactor()
redactor.learn("db_password", value)
install(redactor)
"""

PLACES = {
    "a handler that is added later": "logging.basicConfig(); logging.error('login with %s', value)",
    "an exception that is logged": (
        "logging.basicConfig()\ntry:\n    raise ValueError(value)\nexcept ValueError:\n    logging.exception('x')"
    ),
    "a handler that formats by itself": (
        "class Own(logging.Handler):\n    def emit(self, record): print(record.getMessage())\n"
        "logging.getLogger().addHandler(Own()); logging.error('login with %s', value)"
    ),
    "a formatter that writes JSON": (
        "import json\nclass Json(logging.Formatter):\n"
        "    def format(self, record): return json.dumps({'extra': record.password})\n"
        "handler = logging.StreamHandler(sys.stdout); handler.setFormatter(Json())\n"
        "logging.getLogger().addHandler(handler); logging.error('x', extra={'password': value})"
    ),
    "logging's own error": "logging.basicConfig(); logging.error('%d', value)",
    "the last resort of logging": "logging.getLogger('lonely').warning(value)",
    "an exception that nobody catches": "raise ValueError(value)",
    "an exception in a thread": (
        "def work(): raise ValueError(value)\nthread = threading.Thread(target=work); thread.start(); thread.join()"
    ),
    "an exception that cannot be raised": (
        "class Late:\n    def __del__(self): raise ValueError(value)\none = Late(); del one"
    ),
    "a warning": "warnings.warn(value)",
    "a warning that is logged": "logging.captureWarnings(True); logging.basicConfig(); warnings.warn(value)",
    "sys.exit with a text": "sys.exit(value)",
    "print_exc": "try:\n    raise ValueError(value)\nexcept ValueError:\n    traceback.print_exc()",
    "a task of asyncio": (
        "async def fail(): raise ValueError(value)\n"
        "async def main():\n    task = asyncio.create_task(fail()); await asyncio.sleep(0); del task\n"
        "import gc; asyncio.run(main()); gc.collect()"
    ),
    "writelines": "sys.stderr.writelines([value, chr(10)])",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_secret_is_masked_in(place: str, tmp_path: Path) -> None:
    value = "CANARY-printed-7f3a"
    script = tmp_path / "script.py"
    script.write_text(HEAD + place, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"VALUE": value, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert value not in done.stdout + done.stderr
    assert "<secret db_password>" in done.stdout + done.stderr


def test_a_hook_that_was_there_before_still_runs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    before = (
        "import sys, threading\n"
        "sys.excepthook = lambda *args: print('mine', args[0].__name__)\n"
        "threading.excepthook = lambda args: print('thread', args.exc_type.__name__)\n"
        "sys.unraisablehook = lambda args: print('late', args.exc_type.__name__)\n"
    )
    after = (
        "\ndef work(): raise KeyError\nthread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "class Late:\n    def __del__(self): raise IndexError\none = Late(); del one\nraise ValueError"
    )
    script.write_text(before + HEAD + after, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], env={"VALUE": "CANARY-12"}, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["thread KeyError", "late IndexError", "mine ValueError"]


def state() -> list[object]:
    return [
        logging.Handler.format,
        logging.LogRecord.getMessage,
        warnings.formatwarning,
        sys.stderr,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
    ]


def test_taking_it_off_puts_everything_back() -> None:
    before = state()
    uninstall = install(Redactor())
    assert all(one is not other for one, other in zip(before, state(), strict=True))
    uninstall()
    uninstall()
    assert all(one is other for one, other in zip(before, state(), strict=True))


def test_several_that_ask_share_one_installation_and_the_last_one_takes_it_off() -> None:
    before, redactor = state(), Redactor()
    first = install(redactor)
    during = state()
    second = install(redactor)
    assert all(one is other for one, other in zip(during, state(), strict=True))
    first()
    assert all(one is other for one, other in zip(during, state(), strict=True))
    second()
    assert all(one is other for one, other in zip(before, state(), strict=True))


def test_a_hook_that_came_later_is_left_alone_and_ours_below_it_does_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original, redactor = warnings.formatwarning, Redactor()
    redactor.learn("a", "CANARY-below-us")
    uninstall = install(redactor)
    ours = warnings.formatwarning

    def theirs(*args: object, **kwargs: object) -> str:
        return ours(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(warnings, "formatwarning", theirs)
    uninstall()
    assert warnings.formatwarning is theirs
    assert "CANARY-below-us" in theirs("CANARY-below-us", UserWarning, "file", 1)
    monkeypatch.undo()
    warnings.formatwarning = original


def test_the_stream_is_the_one_behind_it_but_for_its_writes(tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("w+", encoding="utf-8") as file:
        stream = MaskedStream(file, str.upper)
        assert stream.write("quiet\n") == 6
        assert stream.fileno() == file.fileno()  # type: ignore[operator]  # what is behind it answers
        file.seek(0)
        assert file.read() == "QUIET\n"

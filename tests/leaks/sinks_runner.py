"""Sinks of the leak matrix: what test tools print about a value."""

import unittest
import warnings
from unittest.mock import Mock  # noqa: TID251 what it prints in the tests of others

import hypothesis
from hypothesis import strategies

from tests.leaks.child import in_pytest
from tests.leaks.sinks import Held, object_sink, use_site

GROUP = "test tools"


@object_sink(GROUP, "pytest: `assert x == 'other'`", is_slow=True)
def _assert(x: Held) -> bytes:
    return in_pytest(x, "def test_it():\n    assert x == 'other'\n")


@object_sink(GROUP, "pytest: `assert [x] == [y]`, with its diff", is_slow=True)
def _assert_diff(x: Held) -> bytes:
    return in_pytest(x, "def test_it():\n    assert [x] == [type(x)('other')]\n", "-vv")


@object_sink(GROUP, "pytest `--showlocals`: x in a frame", is_slow=True)
def _show_locals(x: Held) -> bytes:
    return in_pytest(x, "def test_it():\n    password = x\n    raise LookupError\n", "--showlocals")


@object_sink(GROUP, "pytest: the id that `parametrize` makes", is_slow=True)
def _parametrize(x: Held) -> bytes:
    test = "import pytest\n@pytest.mark.parametrize('password', [x])\ndef test_it(password): pass\n"
    return in_pytest(x, test, "-v")


@object_sink(GROUP, "`unittest.mock`: `assert_called_with` does not match")
def _mock(x: Held) -> str:
    connect = Mock()
    connect(x, password=x)
    try:
        connect.assert_called_with("other")
    except AssertionError as error:
        return str(error)
    return "matched"


@object_sink(GROUP, "unittest `assertEqual`")
def _assert_equal(x: Held) -> str:
    try:
        unittest.TestCase().assertEqual(x, "other")  # noqa: PT009 this is the sink
    except AssertionError as error:
        return str(error)
    return "equal"


@object_sink(GROUP, "hypothesis: the falsifying example")
def _falsifying(x: Held) -> str:
    @hypothesis.settings(database=None, max_examples=1)
    @hypothesis.given(password=strategies.just(x))
    def connect(password: object) -> None:
        raise LookupError(type(password).__name__)

    try:
        connect()
    except LookupError as error:
        return "\n".join(error.__notes__)
    return "passed"


@object_sink(GROUP, "`warnings.warn(f'{x}')`")
def _warn(x: Held) -> str:
    with warnings.catch_warnings(record=True, action="always") as caught:
        warnings.warn(f"weak password {x}", stacklevel=1)
    return warnings.formatwarning(caught[0].message, UserWarning, "payments.py", 1, "")


@use_site(
    GROUP,
    "pytest: `assert x.reveal() == 'other'`",
    is_slow=True,
    open_because="pytest takes assertions apart and prints by itself",
)
def _assert_text(text: str) -> bytes:
    return in_pytest(text, "def test_it():\n    assert x == 'other'\n")

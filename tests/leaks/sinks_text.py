"""Sinks of the leak matrix: turning a value into text."""

import functools
import pprint
from collections import namedtuple
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from tests.leaks.sinks import object_sink

GROUP = "text"


@object_sink(GROUP, "`repr(x)`")
def _repr(x: Any) -> str:
    return repr(x)


@object_sink(GROUP, "`str(x)`, `print(x)`")
def _str(x: Any) -> str:
    return str(x)


@object_sink(GROUP, "`f'{x}'`")
def _f_string(x: Any) -> str:
    return f"{x}"


@object_sink(GROUP, "`f'{x:>40}'`")
def _f_string_with_a_width(x: Any) -> str:
    return f"{x:>40}"


@object_sink(GROUP, "`'%s' % x`")
def _percent_s(x: Any) -> str:
    return "%s" % (x,)  # noqa: UP031 this is the sink


@object_sink(GROUP, "`'%r' % x`")
def _percent_r(x: Any) -> str:
    return "%r" % (x,)  # noqa: UP031 this is the sink


@object_sink(GROUP, "`'' + x`")
def _concatenate(x: Any) -> str:
    return str("" + x)


@object_sink(GROUP, "`','.join([x])`")
def _join(x: Any) -> str:
    return ",".join([x])


@object_sink(GROUP, "`list(x)`")
def _iterate(x: Any) -> str:
    return "".join(list(x))


@object_sink(GROUP, "`x[0:30]`")
def _slice(x: Any) -> str:
    return str(x[0:30])


@object_sink(GROUP, "`repr` of a dict and a list that hold x")
def _nested_repr(x: Any) -> str:
    return repr({"password": x, "all": [x, (x,)]})


@object_sink(GROUP, "`pprint.pformat`")
def _pretty(x: Any) -> str:
    return pprint.pformat({"password": [x]}, width=200)


@object_sink(GROUP, "`str.format` that walks attributes")
def _format_attributes(x: Any) -> str:
    names = ["", *(f".{name}" for name in ("_secret_value", "_value", "__dict__", *dir(x)))]
    shown = []
    for name in names:
        with suppress(AttributeError, TypeError):  # what is not there, or refuses, shows nothing
            shown.append(("{0%s}" % name).format(x))  # noqa: UP031, UP032 the template is what an attacker writes
    return "\n".join(shown)


@object_sink(GROUP, "`repr` of a `functools.partial`")
def _partial(x: Any) -> str:
    return repr(functools.partial(print, x, password=x))


@object_sink(GROUP, "`repr` of a namespace and a namedtuple")
def _namespace(x: Any) -> str:
    return repr([SimpleNamespace(password=x), namedtuple("Login", "password")(x)])  # noqa: PYI024 untyped ones are used


@object_sink(GROUP, "`bytes(x)`, `x.encode()`")
def _encode(x: Any) -> bytes:
    with suppress(TypeError):
        return bytes(x)
    return bytes(x.encode())

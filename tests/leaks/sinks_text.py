"""Sinks of the leak matrix: turning a value into text."""

import functools
import pprint
from collections import namedtuple
from contextlib import suppress
from types import SimpleNamespace

from tests.leaks.sinks import Held, object_sink

GROUP = "text"


@object_sink(GROUP, "`repr(x)`")
def _repr(x: Held) -> str:
    return repr(x)


@object_sink(GROUP, "`str(x)`, `print(x)`")
def _str(x: Held) -> str:
    return str(x)


@object_sink(GROUP, "`f'{x}'`")
def _f_string(x: Held) -> str:
    return f"{x}"


@object_sink(GROUP, "`f'{x:>40}'`")
def _f_string_with_a_width(x: Held) -> str:
    return f"{x:>40}"


@object_sink(GROUP, "`'%s' % x`")
def _percent_s(x: Held) -> str:
    return "%s" % (x,)  # noqa: UP031 this is the sink


@object_sink(GROUP, "`'%r' % x`")
def _percent_r(x: Held) -> str:
    return "%r" % (x,)  # noqa: UP031 this is the sink


@object_sink(GROUP, "`'' + x`")
def _concatenate(x: Held) -> str:
    return str("" + x)


@object_sink(GROUP, "`','.join([x])`")
def _join(x: Held) -> str:
    return ",".join([x])  # noqa: FLY002 this is the sink


@object_sink(GROUP, "`list(x)`")
def _iterate(x: Held) -> str:
    return "".join(list(x))


@object_sink(GROUP, "`x[0:30]`")
def _slice(x: Held) -> str:
    return str(x[0:30])


@object_sink(GROUP, "`repr` of a dict and a list that hold x")
def _nested_repr(x: Held) -> str:
    return repr({"password": x, "all": [x, (x,)]})


@object_sink(GROUP, "`pprint.pformat`")
def _pretty(x: Held) -> str:
    return pprint.pformat({"password": [x]}, width=200)


@object_sink(GROUP, "`str.format` that walks attributes")
def _format_attributes(x: Held) -> str:
    names = ["", *(f".{name}" for name in ("_secret_value", "_value", "__dict__", *dir(x)))]
    shown = []
    for name in names:
        with suppress(AttributeError, TypeError):  # what is not there, or refuses, shows nothing
            shown.append(("{0%s}" % name).format(x))  # noqa: UP031 the template is what an attacker writes
    return "\n".join(shown)


@object_sink(GROUP, "`repr` of a `functools.partial`")
def _partial(x: Held) -> str:
    return repr(functools.partial(print, x, password=x))


@object_sink(GROUP, "`repr` of a namespace and a namedtuple")
def _namespace(x: Held) -> str:
    return repr([SimpleNamespace(password=x), namedtuple("Login", "password")(x)])  # noqa: PYI024 untyped ones are used


@object_sink(GROUP, "`bytes(x)`, `x.encode()`")
def _encode(x: Held) -> bytes:
    with suppress(TypeError):
        return bytes(x)
    return bytes(x.encode())

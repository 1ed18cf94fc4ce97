"""YAML as SOPS reads and writes it; the only file that imports PyYAML. This file does no I/O.

Values in the clear count in the MAC, so they have to be what Go's `yaml.v3` makes of them: `no`
and `on` are texts, `0o17` and `017` numbers, a date is text. PyYAML would make other values, so
its parser gives events here, and no more. SOPS writes every alias out, so anchors and aliases
are refused, and with them all that grows when it is read.
"""

import math
from collections.abc import Iterable
from typing import Any, cast

from wellkept._patterns import pattern
from wellkept.providers.sops.cell import number
from wellkept.providers.sops.document import MAX_DEPTH, TOO_DEEP, Document, Refusal, split

try:
    import yaml  # type: ignore[import-untyped, unused-ignore]  # its types are a package of their own
except ImportError:  # pragma: no cover - the extra brings it; `source` says so
    _yaml: Any = None
else:
    _yaml = cast("Any", yaml)

IS_THERE = _yaml is not None

_HINT = "write what SOPS writes: one document, each key once, no anchors, aliases or tags"
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_WHOLE = pattern(r"[-+]?(?:0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}|0[oO]?[0-7]{1,22}|[1-9][0-9]{0,19}|0)")
_OCTAL = pattern(r"\A([-+]?0)(?=[0-9])")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_TABLE = Refusal("is no table of keys", "where its name does not tell its format, add ?format=")
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}  # the last: Go writes the text `<<` so


def parse_yaml(data: bytes) -> Document | Refusal:
    """The document of a YAML file."""
    line = None
    builder = _Builder()
    try:
        text = data.decode()
        # libyaml where there is one: forty times as fast, and what Go's parser was made from.
        loader = getattr(_yaml, "CSafeLoader", _yaml.SafeLoader)
        builder.build(_yaml.parse(text, Loader=loader))
    except UnicodeDecodeError:
        return Refusal("is no UTF-8 text", "where its name does not tell its format, add ?format=")
    except _yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 0
    if line is not None:
        return Refusal(f"is no YAML (line {line})" if line else "is no YAML", "correct it")
    if builder.refusal is not None:
        return builder.refusal
    root = builder.root
    return split(cast("dict[str, object]", root)) if isinstance(root, dict) else _NO_TABLE


def resolve(text: str) -> object:
    """The value of a plain scalar, as `yaml.v3` resolves it."""
    if text in _WORDS:
        return _WORDS[text]
    if not text or text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if _WHOLE.fullmatch(plain):
        whole = int(_OCTAL.sub(r"\1o", plain), 0)
        if -(1 << 63) <= whole < 1 << 64:
            return whole
    value = float(plain) if _FLOAT.fullmatch(plain) else math.inf
    return number(value) if math.isfinite(value) else text


class _Builder:
    """Makes a tree of events, without recursion.

    Attributes:
        root: what the document is.
        refusal: what was wrong first.
    """

    def __init__(self) -> None:
        self.root: object = None
        self.refusal: Refusal | None = None
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []  # of each open table, the key whose value comes next
        self._documents = 0
        self._steps = {
            "DocumentStartEvent": self._start_document,
            "AliasEvent": self._alias,
            "ScalarEvent": self._scalar,
            "MappingStartEvent": self._start,
            "SequenceStartEvent": self._start,
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
        }

    def build(self, events: Iterable[Any]) -> None:
        """Take the events of a file, up to the first that is refused."""
        for event in events:
            step = self._steps.get(type(event).__name__)
            if step is not None:
                step(event)
            if self.refusal is not None:
                return

    def _refuse(self, event: Any, fact: str) -> None:  # noqa: ANN401 PyYAML has no types
        self.refusal = Refusal(f"{fact} (line {event.start_mark.line + 1})", _HINT)

    def _start_document(self, event: Any) -> None:  # noqa: ANN401 as above
        self._documents += 1
        if self._documents > 1:
            self._refuse(event, "holds a second document, and no key says which one it means")

    def _alias(self, event: Any) -> None:  # noqa: ANN401 as above
        self._refuse(event, "holds a YAML alias")

    def _scalar(self, event: Any) -> None:  # noqa: ANN401 as above
        if event.anchor is not None or event.tag not in {None, *_TEXT_TAGS}:
            self._refuse(event, "holds a YAML anchor or tag")
            return
        is_plain = event.tag is None and event.implicit[0]
        self._put(event, resolve(event.value) if is_plain else event.value)

    def _start(self, event: Any) -> None:  # noqa: ANN401 as above
        if event.anchor is not None or event.tag is not None:
            self._refuse(event, "holds a YAML anchor or tag")
            return
        is_table = type(event).__name__ == "MappingStartEvent"
        made: dict[str, object] | list[object] = {} if is_table else []
        self._put(event, made)
        self._open.append(made)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            self.refusal = TOO_DEEP

    def _end(self, _event: Any) -> None:  # noqa: ANN401 as above
        self._open.pop()
        self._keys.pop()

    def _put(self, event: Any, value: object) -> None:  # noqa: ANN401 as above
        """Put a value where it belongs: into a list, as a key of a table, or as the value of that key."""
        into = self._open[-1] if self._open else None
        if into is None:
            self.root = value
        elif isinstance(into, list):
            into.append(value)
        elif (key := self._keys[-1]) is not None:
            into[key] = value
            self._keys[-1] = None
        elif not isinstance(value, str):
            self._refuse(event, "has a key that is no text")
        elif value in into:
            self._refuse(event, "has the same key again")
        else:
            self._keys[-1] = value

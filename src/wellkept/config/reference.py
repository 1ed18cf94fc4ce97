"""References in text: their grammar, and where a text holds them. This file does no I/O.

    ${scheme:path?option=value&option=value#key}

A path has segments that are not empty, `.` or `..`, and hold no backslash, control character
or encoded slash: judged after percent-decoding, so that no spelling can leave the path. What
a person wrote is never quoted in a refusal, because a value may stand there by mistake.
"""

from collections.abc import Collection, Iterable
from itertools import groupby
from urllib.parse import unquote_to_bytes

from wellkept._dataclasses import dataclass
from wellkept._names import closest
from wellkept._patterns import pattern
from wellkept.model import Reference, is_duration, is_fit_step

SEALED_SCHEME = "enc"
ESCAPE_HINT = "write $${ for a plain ${"

_OPENING = pattern(r"(\$?)\$\{")
_BODY = pattern(r"([A-Za-z][A-Za-z0-9_-]*):([^{}?#]*)(?:\?([^{}#]*))?(?:#([^{}#]*))?")
_SEALED = pattern(r"\$\{enc:1:[A-Za-z0-9_-]+\}")
_OPTION_NAME = pattern(r"[a-z][a-z0-9_-]*")
_BROKEN_ESCAPE = pattern(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is no reference, without the text.

    Attributes:
        message: the fact.
        hint: the fix.
    """

    message: str
    hint: str


Piece = str | Reference


@dataclass(frozen=True, slots=True)
class Template:
    """A text with references in it.

    Attributes:
        pieces: plain texts and references, in order.
    """

    pieces: tuple[Piece, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references in it, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Reference))

    @property
    def alone(self) -> Reference | None:
        """The reference, where the text is nothing else."""
        only = self.pieces[0] if len(self.pieces) == 1 else None
        return only if isinstance(only, Reference) else None

    def __str__(self) -> str:
        return "".join(piece if isinstance(piece, str) else f"${{{piece}}}" for piece in self.pieces)


def parse_reference(body: str, schemes: Collection[str], base: str | None = None) -> Reference | Refusal:
    """Parse what stands between `${` and `}`.

    Args:
        body: `vault:secret/prod/db#password`.
        schemes: the schemes that are known.
        base: the folder where a relative file path starts, or None for the current one.
    """
    found = _BODY.fullmatch(body)
    if found is None:
        return Refusal("holds ${ that begins no reference", f"{ESCAPE_HINT}; a reference is ${{scheme:path#key}}")
    scheme, path, options, key = found.groups()
    if scheme not in schemes:
        near = closest(scheme, schemes)
        guess = f"did you mean {near}:? known are" if near else "known are"
        return Refusal(
            "holds ${ that begins no reference to a known scheme",
            f"{guess} {', '.join(sorted(schemes))}; {ESCAPE_HINT}",
        )
    steps = _path_steps(path.removeprefix("/"))
    if isinstance(steps, Refusal):
        return steps
    pairs = _options(options)
    if isinstance(pairs, Refusal):
        return pairs
    keys = _key_steps(key)
    if isinstance(keys, Refusal):
        return keys
    # A ciphertext answers only where it stands, see `parse_sealed`: without a base it answers nothing.
    base = None if scheme == SEALED_SCHEME else base
    return Reference(scheme, steps, keys, pairs, is_absolute=path.startswith("/"), base=base)


def parse_sealed(raw: object, path: Iterable[str | int], file: str | None) -> Template | Refusal:
    """The reference of a value of Secrets.toml, which is a ciphertext and nothing else.

    Args:
        raw: what stands there.
        path: the steps of its key, by which it is found when it is decrypted.
        file: where Secrets.toml is.
    """
    steps = tuple(str(step) for step in path)
    name = ".".join(steps) if all(step.isprintable() for step in steps) else ascii(".".join(steps))
    if not isinstance(raw, str) or not _SEALED.fullmatch(raw):
        return Refusal(
            "is not encrypted, and stands in a file where everything is", f"remove it, and run wellkept set {name}"
        )
    return Template((Reference(SEALED_SCHEME, steps, base=file),))


def parse_strict(text: str, schemes: Collection[str], base: str | None = None) -> Template | Refusal:
    """Find the references in a text of a TOML file, where every `${` must begin one."""
    pieces: list[Piece] = []
    at = 0
    for opening in _OPENING.finditer(text):
        _append(pieces, text[at : opening.start()])
        if opening[1]:
            _append(pieces, "${")
            at = opening.end()
            continue
        end = text.find("}", opening.end())
        if end < 0:
            return Refusal("holds ${ without its }", f"close the reference; {ESCAPE_HINT}")
        body = text[opening.end() : end]
        if "${" in body:
            return Refusal("holds a ${ inside a reference", f"references do not nest; {ESCAPE_HINT}")
        reference = parse_reference(body, schemes, base)
        if isinstance(reference, Refusal):
            return reference
        pieces.append(reference)
        at = end + 1
    _append(pieces, text[at:])
    return _template(pieces)


def parse_lenient(text: str, schemes: Collection[str], base: str | None = None) -> Template:
    """Find the references in a variable or argument: well-formed, to a known scheme; the rest is text."""
    pieces: list[Piece] = []
    at = 0
    for opening in _OPENING.finditer(text):
        end = text.find("}", opening.end())
        if end < 0:
            break
        reference = parse_reference(text[opening.end() : end], schemes, base)
        if isinstance(reference, Refusal):
            continue
        _append(pieces, text[at : opening.start()])
        if opening[1]:
            _append(pieces, text[opening.start() + 1 : end + 1])
        else:
            pieces.append(reference)
        at = end + 1
    _append(pieces, text[at:])
    return _template(pieces)


def _append(pieces: list[Piece], text: str) -> None:
    if text:
        pieces.append(text)


def _template(pieces: Iterable[Piece]) -> Template:
    """The template of pieces, texts that stand side by side joined."""
    joined: list[Piece] = []
    for is_text, run in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        found = list(run)
        joined += ["".join(map(str, found))] if is_text else found
    return Template(tuple(joined))


def _path_steps(path: str) -> tuple[str, ...] | Refusal:
    steps: list[str] = []
    for raw in path.split("/"):
        step = _decoded(raw)
        if step is None:
            return Refusal("holds a reference with a broken % escape", "write %25 for a plain %")
        if step in {"", ".", ".."}:
            return Refusal("holds a reference with an empty, . or .. segment", "write the path that it means")
        if not is_fit_step(step):
            return Refusal(
                "holds a reference with a character that no path may hold",
                "leave out backslashes, control characters and encoded slashes",
            )
        steps.append(step)
    return tuple(steps)


def _options(text: str | None) -> tuple[tuple[str, str], ...] | Refusal:
    pairs: dict[str, str] = {}
    for part in text.split("&") if text is not None else ():
        name, is_given, raw = part.partition("=")
        value = _decoded(raw)
        if not is_given or not value or not value.isprintable() or not _OPTION_NAME.fullmatch(name):
            return Refusal("holds a reference with a broken option", "write ?name=value&name=value")
        if name in pairs:
            return Refusal(f"holds a reference that gives {name} twice", "leave one of them out")
        pairs[name] = value
    for name in ("optional", "plain"):
        if pairs.get(name, "true") not in {"true", "false"}:
            return Refusal(f"holds a reference with a broken {name}=", f"write {name}=true")
    for name in ("ttl", "max_stale"):
        if not is_duration(pairs.get(name, "1s")):
            return Refusal(f"holds a reference with a broken {name}=", f"write {name}=30s, 5m, 1h or 500ms")
    return tuple(pairs.items())


def _key_steps(key: str | None) -> tuple[str, ...] | Refusal:
    if key is None:
        return ()
    steps = tuple(_decoded(raw) for raw in (key[1:].split("/") if key.startswith("/") else [key]))
    if any(not step or not step.isprintable() for step in steps):
        return Refusal("holds a reference with a broken #key", "write #key, or #/outer/inner to go down")
    return tuple(step for step in steps if step)


def _decoded(text: str) -> str | None:
    if "%" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        return None
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return None

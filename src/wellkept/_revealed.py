"""What holds a secret in plain and does not show it in its repr: what `reveal()` gives, and a hidden dict."""

from typing import Any, NoReturn, SupportsIndex, TypeVar, cast, overload

from wellkept.errors import SecretLeak

T = TypeVar("T")


class Hidden(dict[str, T]):
    """A dict that shows nothing: it stands in the frames of a load, and a traceback may print those."""

    def __repr__(self) -> str:
        return "{…}"


class RevealedText(str):
    """The text of a secret: a `str` in every way, but for a masked repr and no pickle.

    A part of it is such a text, too; changed, joined or formatted it turns into a plain `str`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: "SupportsIndex | slice[Any, Any, Any]") -> "RevealedText":
        return RevealedText(super().__getitem__(key))  # a tool that cuts long text shows a part of it

    def __copy__(self) -> "RevealedText":
        return self

    def __deepcopy__(self, memo: object) -> "RevealedText":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "a revealed secret: cannot be pickled"
        raise SecretLeak(message, hint="send the reference, and resolve it where it is used")


class RevealedBytes(bytes):
    """The bytes of a secret: `bytes` in every way, but for a masked repr and no pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: "slice[Any, Any, Any]") -> "RevealedBytes": ...
    def __getitem__(self, key: "SupportsIndex | slice[Any, Any, Any]") -> "int | RevealedBytes":
        part = super().__getitem__(key)
        return RevealedBytes(part) if isinstance(part, bytes) else part  # as in RevealedText

    def __copy__(self) -> "RevealedBytes":
        return self

    def __deepcopy__(self, memo: object) -> "RevealedBytes":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "a revealed secret: cannot be pickled"
        raise SecretLeak(message, hint="send the reference, and resolve it where it is used")


def seal(value: object) -> object:
    """Return the value with a masked repr for each text in it, however deep."""
    if isinstance(value, (RevealedText, RevealedBytes)):
        return value
    if type(value) is str:
        return RevealedText(value)
    if type(value) is bytes:
        return RevealedBytes(value)
    if type(value) in {list, tuple, set, frozenset}:
        return cast("type[list[object]]", type(value))(map(seal, cast("list[object]", value)))
    if type(value) is dict:
        return {key: seal(one) for key, one in cast("dict[object, object]", value).items()}
    sealed = getattr(type(value), "_wellkept_seal", None)
    return value if sealed is None else sealed(value)

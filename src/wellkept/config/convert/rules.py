"""What a Settings instance's own `validate` finds wrong. No secret stands in the answer."""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol, runtime_checkable

from wellkept.config.declare import Settings
from wellkept.secret import Secret, leaves


@runtime_checkable
class Ruled(Protocol):
    """A dataclass of the house that knows what cannot be, as `validate` of a Settings class does."""

    def _wellkept_rules(self) -> Iterable[tuple[str, str]]: ...


MASK = "***"
_MAX_FOUND = 64  # a hook is a generator, and may have no end


def broken_rules(instance: Settings | Ruled, *, in_secret: bool = False) -> list[tuple[str, str]] | str:
    """Ask an instance what is wrong across its settings.

    Args:
        instance: whom to ask.
        in_secret: whether all of it is secret, not only its Secrets.

    Returns:
        Pairs of a setting's name and what is expected, with masks for secrets; or, where the
        hook itself failed, one fact about it: its own error may hold a value.
    """
    found: list[tuple[str, str]] = []
    fault = None
    try:
        found = [(str(name), str(expected)) for name, expected in islice(_rules_of(instance), _MAX_FOUND)]
    except Exception as error:  # noqa: BLE001 the hook is somebody else's code, and its text may hold a value
        fault = f"its validate() raised {type(error).__name__}"
    if fault is not None:
        return fault
    hidden = _hidden(instance, in_secret=in_secret)
    return [(_masked(name, hidden), _masked(expected, hidden)) for name, expected in found]


def _rules_of(instance: Settings | Ruled) -> Iterable[tuple[str, str]]:
    return instance.validate() if isinstance(instance, Settings) else instance._wellkept_rules()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  see `Ruled`


def _hidden(instance: Settings | Ruled, *, in_secret: bool) -> list[str]:
    """The texts to mask, the longest first, so that none is masked in part only."""
    found: set[str] = set()
    values: list[object] = list(vars(instance).values())
    secrets: list[object] = [value for value in values if in_secret or isinstance(value, Secret)]
    for value in secrets:
        for one in leaves(value):
            found |= {one} if isinstance(one, str) else {one.decode(errors="replace"), repr(one)}
    return sorted((str(one) for one in found if one), key=len, reverse=True)


def _masked(text: str, hidden: list[str]) -> str:
    for one in hidden:
        text = text.replace(one, MASK)
    return text

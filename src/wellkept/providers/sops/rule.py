"""Which values of a file are encrypted, as its metadata says. This file does no I/O.

SOPS has six rules and applies one. Four are about keys; two are about comments, which are not
read here: under those a value counts as encrypted where it looks so. That is as good as the
rule where the MAC covers every value, so where it covers the encrypted ones only, they are refused.
"""

from collections.abc import Callable, Mapping

from wellkept._dataclasses import dataclass
from wellkept.providers.sops.document import CHANGED_HINT, Refusal
from wellkept.providers.sops.regex import compile_regex

Matches = Callable[[str], bool]

DEFAULT_SUFFIX = "_unencrypted"

_RULES = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one file.

    Attributes:
        name: what the metadata calls it.
        matches: whether it names a key; None where it is about comments.
        is_in_time: whether it could be asked as often as was needed.
    """

    name: str
    matches: Matches | None
    is_in_time: Callable[[], bool]

    def covers(self, path: tuple[str, ...]) -> bool | None:
        """Whether the value at a path is encrypted, or None where its looks must tell."""
        if self.matches is None:
            return None
        return any(map(self.matches, path)) is self.name.startswith("encrypted")


def read_rule(metadata: Mapping[str, object], is_mac_of_encrypted_only: bool) -> Rule | Refusal:
    """The rule that metadata gives."""
    given = {name: text for name in _RULES if (text := metadata.get(name)) is not None and text != ""}
    if not all(isinstance(text, str) for text in given.values()):
        return Refusal(f"has {' and '.join(given)}, and no text there", CHANGED_HINT)
    if len(given) > 1:
        return Refusal(f"has {' and '.join(given)}, and one rule is all that SOPS knows", CHANGED_HINT)
    name, text = next(iter(given.items()), ("unencrypted_suffix", DEFAULT_SUFFIX))
    return _rule(name, str(text), is_mac_of_encrypted_only)


def _rule(name: str, text: str, is_mac_of_encrypted_only: bool) -> Rule | Refusal:
    if name.endswith("_comment_regex"):
        if is_mac_of_encrypted_only:
            return Refusal(f"has {name} with mac_only_encrypted, which is not supported", "choose values by their keys")
        return Rule(name, None, lambda: True)
    if name.endswith("_suffix"):
        return Rule(name, lambda key: key.endswith(text), lambda: True)
    regex = compile_regex(text)
    if regex is None:
        return Refusal(
            f"has an {name} that is not supported", "use groups, |, classes, and * + ? on them; no (?…), no \\b or \\p"
        )
    return Rule(name, _remembered(regex.is_in), lambda: not regex.is_exhausted)


def _remembered(matches: Matches) -> Matches:
    """The same, asked once for each key: the keys above a value come again with every value."""
    known: dict[str, bool] = {}

    def remembered(key: str) -> bool:
        if key not in known:
            known[key] = matches(key)
        return known[key]

    return remembered

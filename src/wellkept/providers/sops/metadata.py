"""What SOPS writes beside the values: MAC, rule, and to whom the data key is encrypted. This file does no I/O."""

import math
from collections.abc import Mapping, Sequence
from typing import cast

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern
from wellkept.providers.sops.document import CHANGED_HINT, Refusal
from wellkept.providers.sops.rule import Rule, read_rule

_SERVICES = {
    "kms": "AWS KMS",
    "gcp_kms": "Google Cloud KMS",
    "azure_kv": "Azure Key Vault",
    "hc_vault": "HashiCorp Vault",
    "hckms": "Huawei Cloud KMS",
    "pgp": "PGP",
}
_SMALL = pattern(r"[0-9]{1,3}(?:\.0+)?")  # SOPS used to write it as a float
_ADD_AGE = "give it an age recipient: sops rotate --in-place --add-age age1… FILE"


@dataclass(frozen=True, slots=True)
class Lock:
    """The data key, encrypted for one age recipient.

    Attributes:
        recipient: the public key, as the file calls it.
        sealed: the armored age file.
    """

    recipient: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of a file, checked.

    Attributes:
        locks: the encrypted data key, once for each age recipient.
        mac: the encrypted MAC.
        last_modified: when it was written, as it stands there: the MAC is bound to it.
        is_mac_of_encrypted_only: whether values in the clear may be changed by anybody.
        rule: which values are encrypted.
    """

    locks: tuple[Lock, ...]
    mac: str
    last_modified: str
    is_mac_of_encrypted_only: bool
    rule: Rule


def read_metadata(raw: Mapping[str, object]) -> Metadata | Refusal:
    """The metadata of a file, from what stands there."""
    groups = _list(raw.get("key_groups"))
    if len(groups) > 1 or _number(raw.get("shamir_threshold")) > 1:
        return Refusal(
            "splits its data key between key groups (Shamir), which is not supported",
            "keep it in one key group: sops updatekeys, without key_groups in .sops.yaml",
        )
    keys = cast("Mapping[str, object]", groups[0]) if groups and isinstance(groups[0], dict) else raw
    locks = tuple(lock for one in _list(keys.get("age")) if (lock := _lock(one)) is not None)
    if not locks:
        services = [name for key, name in _SERVICES.items() if keys.get(key)]
        fact = f"is encrypted for {' and '.join(services)} only" if services else "names nobody who can open it"
        return Refusal(f"{fact}, and age is what is read here", _ADD_AGE)
    is_mac_of_encrypted_only = str(raw.get("mac_only_encrypted")).lower() == "true"
    rule = read_rule(raw, is_mac_of_encrypted_only)
    if isinstance(rule, Refusal):
        return rule
    mac, last_modified = raw.get("mac"), raw.get("lastmodified")
    if not isinstance(mac, str) or not isinstance(last_modified, str):
        return Refusal("has no MAC, so nothing in it can be trusted", CHANGED_HINT)
    return Metadata(locks, mac, last_modified, is_mac_of_encrypted_only, rule)


def _lock(one: object) -> Lock | None:
    if not isinstance(one, dict):
        return None
    entry = cast("Mapping[str, object]", one)
    recipient, sealed = entry.get("recipient"), entry.get("enc")
    return Lock(recipient, sealed) if isinstance(recipient, str) and isinstance(sealed, str) else None


def _list(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _number(value: object) -> float:
    """A small number, that flat formats write as text; without end for what is none."""
    text = "0" if value is None else str(value)
    return float(text) if _SMALL.fullmatch(text) else math.inf

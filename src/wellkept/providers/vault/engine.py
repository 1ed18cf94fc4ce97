"""Engines that make what they give: a login to a database, the keys of a cloud. Dances; no I/O here.

Reading such a path makes something, mostly for a time: a lease. So it is never sent twice by itself.
delivery.md §2.6, and what OpenBao 2.7.2 answers: an unknown role is 400, a database that is down 500.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from wellkept._dataclasses import dataclass, field
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Absent, Malformed, Unreachable, WrongPath
from wellkept.providers.vault.answers import denied, is_vaults_own, no_mount
from wellkept.providers.vault.dance import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    OK,
    Dance,
    Faulty,
    data_of,
    is_plain,
    says,
    table,
    unexpected,
    whole,
)
from wellkept.providers.vault.lease import Granted, granted
from wellkept.providers.vault.mounts import Mount, only_mount

_NO_SUCH_METHOD: Final = 405
_UNKNOWN: Final = ("unknown", "not found", "could not find", "does not exist")  # of Vault, OpenBao and their plugins
_ROTATES: Final = frozenset({"rotation_period", "rotation_schedule"})
_ABOUT_ROTATION: Final = _ROTATES | {"ttl", "rotation_window", "last_vault_rotation"}

# Where the names are listed that may follow a folder.
_FOLDERS: Final[Mapping[str, Mapping[str, str]]] = {
    "database": {"creds": "roles", "static-creds": "static-roles"},
    "ldap": {"creds": "role", "static-cred": "static-role"},
    "pki": {"issue": "roles", "sign": "roles"},
    "totp": {"code": "keys"},
}
_USUAL: Final[Mapping[str, str]] = {"creds": "roles"}


@dataclass(frozen=True, slots=True)
class Given:
    """What an engine gave.

    Attributes:
        values: its parts; not in the repr.
        lease: for how long, or None where it is not leased.
        ttl_s: after how many seconds there is another one, where the answer says so.
    """

    values: Mapping[str, object] = field(repr=False)
    lease: Granted | None
    ttl_s: float | None


def give(mount: Mount, path: tuple[str, ...], label: str) -> Dance[Given | Failure]:
    """Have an engine give what stands at a path.

    Args:
        mount: the engine.
        path: the segments of mount and thing.
        label: what the token is called in errors.
    """
    if len(path) <= len(mount.path):
        return only_mount()
    try:
        answer = yield Request("GET", ("v1", *path), is_repeatable=False)
    except Faulty as fault:
        return _down(mount) if fault.is_of_engine else fault.failure
    if answer.status == FORBIDDEN:
        return (yield from denied(label, path, "read"))
    values = data_of(answer)
    if answer.status != OK or not values:
        return _no_answer(mount, path[-1], answer)
    lease = granted(answer)
    ttl_s = _ttl_of(values)
    # When a static role's password changes is told by the reading: a Login has no fields for it.
    parts = values if ttl_s is None else {key: one for key, one in values.items() if key not in _ABOUT_ROTATION}
    return Given(parts, lease if lease and lease.duration_s else None, ttl_s)


def names(mount: Mount, path: tuple[str, ...], label: str) -> Dance[Sequence[str] | Failure]:
    """Name what an engine can be asked for; see `give`."""
    folders = _FOLDERS.get(mount.kind, _USUAL)
    rest = list(path[len(mount.path) :])
    if not rest:
        return sorted(f"{one}/" for one in folders)
    if len(rest) > 1 or rest[0] not in folders:
        return Failure(
            Malformed, f"the mount {mount}/ is of kind {mount.kind}, and lists nothing here", f"list vault:{mount}"
        )
    where = (*mount.path, folders[rest[0]])
    answer = yield Request("GET", ("v1", *where), query={"list": "true"})
    if answer.status == FORBIDDEN:
        return (yield from denied(label, where, "list"))
    keys = data_of(answer).get("keys")
    if answer.status == OK and isinstance(keys, list):
        return sorted(str(one) for one in cast("list[object]", keys))
    is_own = answer.status == NOT_FOUND and is_vaults_own(answer)
    return () if is_own and not _is_strange(answer) else _no_answer(mount, rest[0], answer)


def is_moved(answer: object) -> bool:
    """Whether a mount that was known may be another one by now."""
    return isinstance(answer, Failure) and answer.error is WrongPath


def _no_answer(mount: Mount, name: str, answer: Response) -> Failure:
    where = f"vault:{mount}/{next(iter(_FOLDERS.get(mount.kind, _USUAL)))}/NAME"
    if answer.status == BAD_REQUEST:
        return _refused(mount, name, answer, where)
    if answer.status == _NO_SUCH_METHOD:
        fact = f"the mount {mount}/ is of kind {mount.kind}, and nobody can read this of it (405)"
        return Failure(Malformed, fact, f"write {where}")
    if answer.status != NOT_FOUND or not is_vaults_own(answer):
        return unexpected(answer)
    if says(answer, "no handler for route"):
        return no_mount(str(mount))
    if _is_strange(answer):
        fact = f"absent: the mount {mount}/ is of kind {mount.kind}, and has no such path"
        return Failure(WrongPath, fact, f"write {where}")
    return Failure(Absent, f"absent: there is nothing of that name in the mount {mount}/", f"write {where}")


def _is_strange(answer: Response) -> bool:
    """Whether a 404 says that there is no such path, and not that nothing is there."""
    told = table(answer.data)
    return bool(told.get("errors") or told.get("warnings"))


def _refused(mount: Mount, name: str, answer: Response, where: str) -> Failure:
    if not any(says(answer, one) for one in _UNKNOWN):
        fact = f"the mount {mount}/ is of kind {mount.kind}, and refuses the request (400)"
        return Failure(Malformed, fact, "look at its role, and at the log of the server")
    what = "key" if mount.kind == "totp" else "role"
    shown = f" {name}" if is_plain(name) else ""
    hint = f"see which there are: wellkept list {where.removesuffix('/NAME')}"
    return Failure(Absent, f"absent: there is no {what}{shown} in the mount {mount}/", hint)


def _down(mount: Mount) -> Failure:
    fact = f"unreachable: the mount {mount}/ is of kind {mount.kind}, and what it leads to fails (500)"
    return Failure(Unreachable, fact, "look whether that runs, then at the log of the server", was_sent=True)


def _ttl_of(values: Mapping[str, object]) -> float | None:
    """The time until a password that the engine changes by itself is another one; a second more, to be past it."""
    left_s = whole(values.get("ttl"))
    return left_s + 1.0 if left_s and _ROTATES.intersection(values) else None

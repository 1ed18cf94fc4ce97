"""Changing key-value secrets: read, change one key, write with check-and-set. Dances; no I/O here.

Vault takes a secret as a whole. So that nobody's change is lost, the version that was read goes
with the new one, and Vault refuses it where there is a newer one by then.
"""

from collections.abc import Mapping

from wellkept._http.message import Failure, Request
from wellkept.errors import Absent, Conflict, Malformed
from wellkept.providers.vault.answers import denied, is_vaults_own
from wellkept.providers.vault.dance import (
    BAD_REQUEST,
    FORBIDDEN,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    Dance,
    data_of,
    says,
    table,
    unexpected,
    whole,
)
from wellkept.providers.vault.kv import Held, Kv, get, is_bare_404
from wellkept.providers.vault.mounts import Mount, not_kv, only_mount, unfit
from wellkept.secret import Secret


def set_key(
    kv: Kv, path: tuple[str, ...], key: tuple[str, ...], value: Secret[str], expected: str | None
) -> Dance[int | Failure | None]:
    """Set one key of a secret; the others stay.

    Args:
        kv: the session's secrets.
        path: the segments of mount and secret.
        key: the one key.
        value: its text.
        expected: the version that must be the newest, or None for whichever is there.

    Returns:
        The version that was written; None in a mount of version 1.
    """
    if len(key) != 1:
        return Failure(Malformed, "a value is written under one key", "write vault:secret/prod/db#password")
    found = yield from _look(kv, path, expected)
    if isinstance(found, Failure):
        return found
    mount, held = found
    return (yield from _put(kv, mount, path, {**held.values, key[0]: value.reveal()}, held))


def remove_key(
    kv: Kv, path: tuple[str, ...], key: tuple[str, ...], expected: str | None
) -> Dance[int | Failure | None]:
    """Remove one key of a secret, or delete the newest version of all of it; see `set_key`."""
    if len(key) > 1:
        return Failure(Malformed, "one key is removed at a time", "write vault:secret/prod/db#password")
    found = yield from _look(kv, path, expected)
    if isinstance(found, Failure):
        return found
    mount, held = found
    missing = _missing(held, key)
    if missing is not None:
        return missing
    values = {name: one for name, one in held.values.items() if key and name != key[0]}
    if not key or (not values and mount.version == 1):  # version 1 holds no empty secret
        return (yield from _delete(kv, mount, path, held))
    return (yield from _put(kv, mount, path, values, held))


def _look(kv: Kv, path: tuple[str, ...], expected: str | None) -> Dance[tuple[Mount, Held] | Failure]:
    """What stands there now; nothing is an answer, too."""
    mount = yield from _mount_of(kv, path, expected)
    if isinstance(mount, Failure):
        return mount
    answer = yield get(mount, path, None)
    if is_bare_404(answer) and kv.mounts.kv_version is None:
        settled = yield from kv.settled(mount, path, None, answer)
        if not isinstance(settled, tuple):
            return not_kv(settled) if isinstance(settled, Mount) else settled
        mount, answer = settled
    held: Held | Failure
    if answer.status == NOT_FOUND and is_vaults_own(answer) and not table(answer.data).get("errors"):
        number = whole(table(data_of(answer).get("metadata")).get("version"))
        held = Held({}, (number or 0) if mount.version > 1 else None, is_there=False)
    else:
        held = yield from kv.judge(mount, path, None, answer)
    if isinstance(held, Failure):
        return held
    return _conflict(held) if expected is not None and expected != str(held.version) else (mount, held)


def _mount_of(kv: Kv, path: tuple[str, ...], expected: str | None) -> Dance[Mount | Failure]:
    """The mount of a path, where something can be written there."""
    fault = unfit(path)
    mount = fault if fault is not None else (yield from kv.mounts.sure(path))
    if isinstance(mount, Failure):
        return mount
    if not mount.is_kv:
        return not_kv(mount)
    if len(path) <= len(mount.path):
        return only_mount()
    if expected is not None and mount.version == 1:
        return Failure(Malformed, f"the mount {mount}/ is KV v1, which has no versions", "leave out the version")
    return mount


def _missing(held: Held, key: tuple[str, ...]) -> Failure | None:
    if not held.is_there:
        return Failure(Absent, "absent: there is nothing to remove", "look at what is there: wellkept list")
    if key and key[0] not in held.values:
        return Failure(Absent, "no such key", "look at what is there: wellkept list")
    return None


def _put(
    kv: Kv, mount: Mount, path: tuple[str, ...], values: Mapping[str, object], held: Held
) -> Dance[int | Failure | None]:
    where = mount.api_path(path)
    is_v2 = mount.version > 1
    body: Mapping[str, object] = {"data": values, "options": {"cas": held.version}} if is_v2 else values
    answer = yield Request("POST", ("v1", *where), body=body)
    if answer.status == FORBIDDEN:
        return (yield from denied(kv.label, where, "update" if held.is_there else "create"))
    if answer.status == BAD_REQUEST and says(answer, "check-and-set"):
        return _conflict(held)
    if answer.status not in {OK, NO_CONTENT}:
        return unexpected(answer)
    return whole(data_of(answer).get("version")) if is_v2 else None


def _delete(kv: Kv, mount: Mount, path: tuple[str, ...], held: Held) -> Dance[Failure | None]:
    """Delete the version that was seen, and no newer one; in a mount of version 1, all there is."""
    if mount.version == 1:
        request, capability = Request("DELETE", ("v1", *path)), "delete"
    else:
        where = ("v1", *mount.api_path(path, "delete"))
        request, capability = Request("POST", where, body={"versions": [held.version]}), "update"
    answer = yield request
    if answer.status == FORBIDDEN and mount.version > 1:  # a policy may give the older way only, which names no version
        seen = yield get(mount, path, None)
        if whole(table(data_of(seen).get("metadata")).get("version")) != held.version:
            return _conflict(held)
        answer = yield Request("DELETE", ("v1", *mount.api_path(path)))
    if answer.status == FORBIDDEN:
        return (yield from denied(kv.label, request.path[1:], capability))
    return None if answer.status in {OK, NO_CONTENT} else unexpected(answer)


def _conflict(held: Held) -> Failure:
    now = f"version {held.version} was the newest one seen" if held.version else "there was nothing"
    return Failure(Conflict, f"changed meanwhile: {now}, and nothing was written", "look at it, then run it again")

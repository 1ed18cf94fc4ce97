"""Reading and listing key-value secrets, version 1 and 2, as dances. No I/O here.

The first read of a mount takes it for version 2, which most are: its answer is the proof, and
costs no request of its own. Anything else makes us ask what is mounted there, once a mount.
Where that is another engine, its mount is all that these dances say.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from wellkept._dataclasses import dataclass
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Malformed
from wellkept.providers.vault.answers import denied, is_vaults_own, no_mount, no_secret
from wellkept.providers.vault.dance import (
    FORBIDDEN,
    NOT_FOUND,
    OK,
    Dance,
    data_of,
    says,
    table,
    unexpected,
    whole,
)
from wellkept.providers.vault.mounts import Mount, Mounts, only_mount, unfit

_LONGEST_VERSION = 10
_NO_SUCH_METHOD = 405

# Folders of other engines, by which they are known where nobody may ask what is mounted: with what each is asked for.
_OF_ENGINES = {"creds": "read", "static-creds": "read", "static-cred": "read", "issue": "update", "sign": "update"}
_DEPTH_OF_ENGINES = 3


@dataclass(frozen=True, slots=True)
class Held:
    """What stands at a path.

    Attributes:
        values: the keys and values of the secret; not in the repr.
        version: the version, or None in a mount of version 1.
        lease_s: for how long it may be used, where the secret says so.
        is_there: whether there is a secret at all; a deleted one is not, and has a version.
    """

    values: Mapping[str, object]
    version: int | None
    lease_s: int | None = None
    is_there: bool = True

    def __repr__(self) -> str:
        return f"Held(version={self.version})"


@dataclass(frozen=True, slots=True)
class Kv:
    """The key-value secrets of one session.

    Attributes:
        mounts: what is known of mounts.
        label: what the token is called in errors.
    """

    mounts: Mounts
    label: str

    def read(self, path: tuple[str, ...], version: str | None = None) -> Dance[Held | Mount | Failure]:
        """Read a secret.

        Args:
            path: the segments of mount and secret.
            version: which version, or None for the newest.

        Returns:
            The secret; or the mount, where it is another engine.
        """
        fault = unfit(path)
        if fault is not None:
            return fault
        if version is not None and not is_version(version):
            return Failure(Malformed, "version= is no number", "write version=3")
        known = self.mounts.find(path)
        # Nothing proves version 1: it is asked for first.
        mount = (yield from self.mounts.sure(path)) if known is None and self.mounts.kv_version == 1 else known
        if mount is not None and (isinstance(mount, Failure) or not mount.is_kv):
            return mount
        guess = mount or Mount(path[:1], 2)
        answer = yield get(guess, path, version)
        if mount is None and _proves_v2(answer):
            self.mounts.note(guess)
        elif mount is None or self._may_be_another(answer):
            settled = yield from self.settled(guess, path, version, answer)
            if not isinstance(settled, tuple):
                return settled
            guess, answer = settled
        return (yield from self.judge(guess, path, version, answer))

    def settled(
        self, mount: Mount, path: tuple[str, ...], version: str | None, answer: Response
    ) -> Dance[tuple[Mount, Response] | Mount | Failure]:
        """The mount as it is now, and its answer: one that was known may be another one, or another engine, by now."""
        found = yield from self.mounts.ask(path)
        if isinstance(found, Failure) or (found is not None and not found.is_kv):
            return found
        if found is None or found == mount or self.mounts.kv_version == 2:  # noqa: PLR2004 a person has said so
            return mount, answer
        return found, (yield get(found, path, version))

    def names(self, path: tuple[str, ...]) -> Dance[Sequence[str] | Mount | Failure]:
        """Name what stands below a path; of a secret, its keys as `#key`; or say which other engine it is."""
        fault = unfit((*path, "below"))
        mount = fault if fault is not None else (yield from self.mounts.sure(path))
        if isinstance(mount, Failure) or not mount.is_kv:
            return mount
        where = mount.api_path(path, "metadata")
        answer = yield Request("GET", ("v1", *where), query={"list": "true"})
        keys = data_of(answer).get("keys")
        if answer.status == OK and isinstance(keys, list):
            return sorted(str(one) for one in cast("list[object]", keys))
        if answer.status == FORBIDDEN:
            return (yield from denied(self.label, where, "list"))
        if answer.status != NOT_FOUND or not is_vaults_own(answer) or table(answer.data).get("errors"):
            return _no_handler(mount, answer)
        return () if len(path) <= len(mount.path) else (yield from self._keys(path))

    def _keys(self, path: tuple[str, ...]) -> Dance[Sequence[str] | Mount | Failure]:
        held = yield from self.read(path)
        return sorted(f"#{key}" for key in held.values) if isinstance(held, Held) else held

    def _denied(self, path: tuple[str, ...], where: tuple[str, ...]) -> Dance[Failure]:
        """Whoever may not read there may not ask what is mounted either: then the path itself has to tell."""
        capability = _OF_ENGINES.get(path[1]) if len(path) == _DEPTH_OF_ENGINES else None
        if capability is not None and self.mounts.find(path) is None:
            return (yield from denied(self.label, path, capability))
        return (yield from denied(self.label, where, "read"))

    def _may_be_another(self, answer: Response) -> bool:
        """Whether a mount that is known, or said to be of version 2, is worth a question in spite of that."""
        if self.mounts.kv_version is None:
            return is_bare_404(answer)
        is_strange = answer.status in {FORBIDDEN, _NO_SUCH_METHOD} or says(answer, "unsupported path")
        return self.mounts.kv_version == 2 and is_strange  # noqa: PLR2004 as it says

    def judge(
        self, mount: Mount, path: tuple[str, ...], version: str | None, answer: Response
    ) -> Dance[Held | Failure]:
        """Say what the answer to `get` means."""
        where = mount.api_path(path)
        if len(path) <= len(mount.path):
            return only_mount()
        if mount.version == 1 and version is not None:
            return Failure(Malformed, f"the mount {mount}/ is KV v1, which has no versions", "leave out version=")
        if answer.status == FORBIDDEN:
            return (yield from self._denied(path, where))
        if answer.status == NOT_FOUND and is_vaults_own(answer):
            if table(answer.data).get("errors"):
                return _no_handler(mount, answer)
            return no_secret(answer, str(mount), mount.below(path), version, is_v2=mount.version > 1)
        held = _held_in(mount, answer) if answer.status == OK else None
        return held or unexpected(answer)


def is_version(text: str) -> bool:
    """Whether a text is the number of a version: they begin at 1."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION and text[0] != "0"


def get(mount: Mount, path: tuple[str, ...], version: str | None) -> Request:
    """The request that reads a secret."""
    return Request("GET", ("v1", *mount.api_path(path)), query={} if version is None else {"version": version})


def _no_handler(mount: Mount, answer: Response) -> Failure:
    return no_mount(str(mount)) if says(answer, "no handler for route") else unexpected(answer)


def is_bare_404(answer: Response) -> bool:
    """Whether Vault says that nothing is there, and nothing of what was: then it is worth a second look."""
    return answer.status == NOT_FOUND and "metadata" not in data_of(answer)


def _proves_v2(answer: Response) -> bool:
    """Whether only a mount of version 2 answers so: with metadata, and with no lease."""
    inner = data_of(answer)
    metadata = table(inner.get("metadata"))
    is_secret = set(inner) == {"data", "metadata"} and "created_time" in metadata and "version" in metadata
    return is_secret and answer.status in {OK, NOT_FOUND} and table(answer.data).get("lease_duration") == 0


def _held_in(mount: Mount, answer: Response) -> Held | None:
    inner = data_of(answer)
    if mount.version == 1:
        lease_s = whole(table(answer.data).get("lease_duration"))
        is_asked = "ttl" in inner or "lease" in inner  # else it is the mount's default, which means nothing
        return Held(inner, None, lease_s if is_asked else None) if inner else None
    values, number = inner.get("data"), whole(table(inner.get("metadata")).get("version"))
    return Held(table(cast("object", values)), number) if isinstance(values, dict) and number else None

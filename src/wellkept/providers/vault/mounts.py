"""Where engines are mounted, of which kind and version each is: found out once a mount. No I/O here."""

from wellkept._dataclasses import dataclass
from wellkept._http.message import Failure, Request
from wellkept.errors import Malformed, WrongPath
from wellkept.providers.vault.dance import OK, Dance, data_of, is_plain, table, unexpected

_API = frozenset({"auth", "sys", "identity"})  # whoever writes a reference must not get the token itself by it
_KV = frozenset({"kv", "generic", "cubbyhole", "ns_cubbyhole"})
# They give nothing that a setting could be. What a path calls `sys` is `system`, and `ns_system` in a namespace.
_HOLD_NOTHING = frozenset({"transit", "system", "identity", "token", "ns_system", "ns_identity", "ns_token"})
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mount:
    """One secrets engine.

    Attributes:
        path: the segments of its path.
        version: 1 or 2 of a key-value engine, and 1 of every other.
        kind: `kv` for any key-value engine, else what the server calls it: `database`, `pki` …
    """

    path: tuple[str, ...]
    version: int
    kind: str = "kv"

    def __str__(self) -> str:
        return "/".join(self.path)

    @property
    def is_kv(self) -> bool:
        """Whether it holds what was written to it."""
        return self.kind == "kv"

    def api_path(self, path: tuple[str, ...], part: str = "data") -> tuple[str, ...]:
        """The segments by which the API knows a secret, without `v1`.

        Args:
            path: mount and secret.
            part: of version 2: `data` or `metadata`.
        """
        rest = path[len(self.path) :]
        return (*self.path, part, *rest) if self.version > 1 else path

    def below(self, path: tuple[str, ...]) -> str:
        """The path of a secret in this mount."""
        return "/".join(path[len(self.path) :])


class Mounts:
    """What one session knows of mounts. Its dict is changed by single calls only, so it needs no lock."""

    def __init__(self, kv_version: int | None = None) -> None:
        """Know nothing yet.

        Args:
            kv_version: the version of every mount, where a person says so.
        """
        self.kv_version: int | None = kv_version
        self._known: dict[tuple[str, ...], Mount] = {}

    def find(self, path: tuple[str, ...]) -> Mount | None:
        """The mount of a path, where it is known."""
        prefixes = (path[:end] for end in range(1, len(path) + 1))
        known = next((self._known[one] for one in prefixes if one in self._known), None)
        # Answers of version 2 prove themselves, so nothing need be asked.
        return Mount(path[:1], 2) if known is None and self.kv_version == 2 else known  # noqa: PLR2004 as it says

    def note(self, mount: Mount) -> None:
        """Remember a mount."""
        self._known[mount.path] = mount

    def forget(self, mount: Mount) -> None:
        """Ask anew next time: it is another one by now."""
        self._known.pop(mount.path, None)

    def ask(self, path: tuple[str, ...]) -> Dance[Mount | Failure | None]:
        """Ask for the mount of a path; None where the token may not know."""
        answer = yield Request("GET", ("v1", "sys", "internal", "ui", "mounts", *path))
        if answer.status != OK:
            return None
        told = data_of(answer)
        where, kind = told.get("path"), told.get("type")
        if not isinstance(where, str) or not isinstance(kind, str):
            return unexpected(answer)
        steps = tuple(where.strip("/").split("/"))
        if steps != path[: len(steps)]:
            return unexpected(answer)
        if kind in _KV:
            made = Mount(steps, 2 if table(told.get("options")).get("version") == "2" else 1)
        else:
            made = Mount(steps, 1, kind if is_plain(kind) else _UNKNOWN)
            # A namespace may begin a path, and then it is that namespace's own API that follows.
            if kind in _HOLD_NOTHING or _API.intersection(steps):
                fact = f"the mount {made}/ is of kind {made.kind}, which gives no settings"
                return Failure(Malformed, fact, "name a secret of a kv mount")
        if not made.is_kv or self.kv_version != 2:  # noqa: PLR2004 a person has said of kv what counts
            self.note(made)
        return made

    def sure(self, path: tuple[str, ...]) -> Dance[Mount | Failure]:
        """The mount of a path: known, asked for, or taken for the usual one where the token may not know."""
        known = self.find(path)
        if known is not None:
            return known
        return (yield from self.ask(path)) or Mount(path[:1], self.kv_version or 2)


def unfit(path: tuple[str, ...]) -> Failure | None:
    """Why a path cannot name a secret, before any request; None where it can."""
    if path[0] in _API:
        return Failure(
            WrongPath, f"absent: {path[0]}/ is the API of Vault itself, and holds no secret", "write secret/prod/db"
        )
    return only_mount() if len(path) == 1 else None


def not_kv(mount: Mount) -> Failure:
    """The failure of what only a key-value engine can do."""
    fact = f"the mount {mount}/ is of kind {mount.kind}, and holds nothing that could be written"
    return Failure(Malformed, fact, "write to a kv mount")


def only_mount() -> Failure:
    """The failure of a path that names a mount, where a secret in it is needed."""
    return Failure(WrongPath, "absent: the path names a mount, and no secret in it", "write secret/prod/db")

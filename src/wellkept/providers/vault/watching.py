"""Which version each secret has now, without any value, for one request a folder. Dances; no I/O here.

To be held by the session: one `Watching` a session, and `watching.versions(kv, paths)` is the dance.

OpenBao lists a folder with the versions of all that is in it (`LIST detailed-metadata`); HashiCorp Vault
has no such path, so there each secret is asked about. A policy may give one of the two, or neither: what is
refused is not asked again for a while, and what cannot be known is left to a fetch.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Malformed
from wellkept.providers.vault.answers import LOOKUP_SELF, is_vaults_own, no_secret
from wellkept.providers.vault.dance import FORBIDDEN, NOT_FOUND, OK, Dance, Faulty, data_of, table, whole
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.mounts import Mount

T = TypeVar("T")

Path = tuple[str, ...]
Version = str | Failure | None

GONE: Final = "gone"  # no version has this text, so a fetch follows and tells what it is

_LIST, _EACH = "detailed-metadata", "metadata"
_RESTS = 60  # calls: ten minutes at the usual interval of 10 s
_TELLINGS = 3  # two programs may share a session, and a fetch may fail
_MOST_KNOWN = 10_000  # of folders and of secrets; a program that watches more forgets, and that costs requests only

# A name in a list costs the server some 35 µs, a request for one secret 300 µs (delivery.md, finding 7).
_NAMES_EACH = 8
_FEW_NAMES = 64
_FIRST_PAGE, _SMALLEST_PAGE, _LARGEST_PAGE = 100, 4, 1000
_PAGE_BYTES = 600_000  # the client reads 1 MiB, and a list may grow from one call to the next
_NAME_BYTES, _VERSION_BYTES = 350, 150  # of JSON, as OpenBao 2.7 writes it

_SKEW_S = 300.0  # by so much the server's clock may be before ours


class _Folder:
    """What is known of one folder."""

    def __init__(self, mount: Mount, path: Path) -> None:
        self.mount = mount
        self.path = path
        self.page = _FIRST_PAGE
        self._rests: dict[str, int] = {}
        self._doubts: set[str] = set()

    def begin(self) -> None:
        """Count one call."""
        self._rests = {way: left - 1 for way, left in self._rests.items() if left > 1}

    def may(self, way: str) -> bool:
        """Whether it is worth asking in this way."""
        return way not in self._rests

    def rest(self, way: str) -> None:
        """Do not ask in this way for a while."""
        self._rests[way] = _RESTS

    def doubt(self, way: str) -> bool:
        """Whether it was refused before, too, by what may have been the end of a token."""
        is_known = way in self._doubts
        self._doubts.add(way)
        return is_known

    def trust(self, way: str) -> None:
        """An answer: no doubt is left."""
        self._doubts.discard(way)


class _Token:
    """What one call learns of the token."""

    def __init__(self) -> None:
        self.is_live: bool | None = None
        self.is_over = False

    def proves_policy(self, folder: _Folder, way: str) -> Dance[None]:
        """Judge a 403: a policy's, which is remembered, or perhaps the token's end, which a fetch will show."""
        if self.is_live is None:
            self.is_live = (yield LOOKUP_SELF).status == OK
        if self.is_live or folder.doubt(way):  # a token without the policy default looks dead every time
            folder.rest(way)
        else:
            self.is_over = True


class Watching:
    """What one session knows of how each folder is asked cheapest; and the asking."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """Know nothing yet.

        Args:
            now: seconds since 1970, for deletions that are set for a time.
        """
        self._now = now
        self._folders: dict[Path, _Folder] = {}
        self._has_list: dict[Path, bool] = {}  # of a mount, once it is known
        self._seen: dict[Path, tuple[int, object, int]] = {}  # version, when it was made, how often to tell of it

    def versions(self, kv: Kv, paths: Sequence[Path]) -> Dance[Sequence[Version]]:
        """Say which version of each secret is there now; one answer each, in their order.

        Args:
            kv: the session's secrets.
            paths: the segments of mount and secret of each.

        Returns:
            The text of `Reading.version` for a secret that is as usual. A failure where it is deleted or
            destroyed, and another text where it is gone, or was made anew under the same number. None where
            only a fetch can tell: no KV v2, a mount that no fetch has shown yet, or nothing that a policy gives.
        """
        found: dict[Path, Version] = {}
        token = _Token()
        for folder, names in self._by_folder(kv, paths):
            folder.begin()
            ways = (_LIST, _EACH) if len(names) > 1 else (_EACH, _LIST)
            for way in ways:
                left = [name for name in names if (*folder.path, name) not in found]
                if left and folder.may(way) and not token.is_over:
                    ask = self._listed if way == _LIST else self._each
                    found |= yield from ask(folder, left, token)
        return tuple(found.get(path) for path in paths)

    def _by_folder(self, kv: Kv, paths: Iterable[Path]) -> Iterable[tuple[_Folder, Sequence[str]]]:
        names: dict[Path, dict[str, None]] = {}
        for path in paths:
            mount = kv.mounts.find(path)
            if mount is None or not mount.is_kv or mount.version == 1 or len(path) <= len(mount.path):
                continue
            known = self._folders.get(path[:-1])
            if known is None or known.mount != mount:
                _bound(self._folders)[path[:-1]] = _Folder(mount, path[:-1])
            names.setdefault(path[:-1], {})[path[-1]] = None
        return [(self._folders[path], sorted(ones)) for path, ones in names.items() if path in self._folders]

    def _listed(self, folder: _Folder, names: Sequence[str], token: _Token) -> Dance[Mapping[Path, Version]]:
        """Ask for the list, page by page, as long as that is cheaper than asking for each."""
        if self._has_list.get(folder.mount.path) is False:
            return {}
        most, told, last = max(_FEW_NAMES, _NAMES_EACH * len(names)), dict[str, object](), ""
        while len(told) < most:
            asked = yield from _page(folder, most - len(told), last)
            if asked is None:
                break
            answer, page = asked
            about = table(data_of(answer).get("key_info"))
            if (answer.status != OK or not about) and not (last and _is_nothing(answer)):
                return (yield from self._unlisted(folder, names, answer, token))
            self._has_list[folder.mount.path] = token.is_live = True
            folder.trust(_LIST)
            told |= about
            before, last = last, max(about, default="")
            if len(about) < page or last <= before or names[-1] <= last:  # names come in the order of their bytes
                folder.page = _fit_page(told)
                return {(*folder.path, name): self._in_list(folder, name, told) for name in names}
        folder.rest(_LIST)  # the folder holds so much else that it is cheaper to ask for each
        return {(*folder.path, name): self._in_list(folder, name, told) for name in names if name in told}

    def _unlisted(
        self, folder: _Folder, names: Sequence[str], answer: Response, token: _Token
    ) -> Dance[Mapping[Path, Version]]:
        """What it means that there is no list."""
        if answer.status == FORBIDDEN:
            yield from token.proves_policy(folder, _LIST)
        elif not _is_nothing(answer):
            if answer.status == NOT_FOUND and table(answer.data).get("warnings"):
                self._has_list[folder.mount.path] = False
            folder.rest(_LIST)
        elif self._has_list.get(folder.mount.path):
            return {(*folder.path, name): GONE for name in names}
        return {}

    def _each(self, folder: _Folder, names: Sequence[str], token: _Token) -> Dance[Mapping[Path, Version]]:
        """Ask for each."""
        found: dict[Path, Version] = {}
        for name in names:
            path = (*folder.path, name)
            answer = yield Request("GET", ("v1", *folder.mount.api_path(path, _EACH)))
            if answer.status == OK:
                token.is_live = True
                folder.trust(_EACH)
                found[path] = self._judged(folder.mount, path, data_of(answer))
            elif _is_nothing(answer):
                found[path] = GONE
            elif answer.status == FORBIDDEN:
                yield from token.proves_policy(folder, _EACH)
                break
            else:
                folder.rest(_EACH)
                break
        return found

    def _in_list(self, folder: _Folder, name: str, told: Mapping[str, object]) -> Version:
        return self._judged(folder.mount, (*folder.path, name), table(told[name])) if name in told else GONE

    def _judged(self, mount: Mount, path: Path, about: Mapping[str, object]) -> Version:
        """The version in what is said about a secret."""
        number = whole(about.get("current_version"))
        if number == 0:
            return GONE  # it has a description, and was never written
        newest = table(table(about.get("versions")).get(str(number)))
        if number is None or not newest:
            return None
        is_deleted = self._is_over(newest.get("deletion_time"))
        if newest.get("destroyed") is True or is_deleted:
            metadata = {**newest, "version": number}
            return no_secret(
                Response(NOT_FOUND, {"data": {"metadata": metadata}}), str(mount), mount.below(path), None, is_v2=True
            )
        return None if is_deleted is None else self._told(path, number, newest.get("created_time"))

    def _is_over(self, moment: object) -> bool | None:
        """Whether a time has passed; None where the server's clock may say another thing than ours."""
        if not moment:
            return False
        if not isinstance(moment, str) or not moment.endswith("Z"):
            return None
        now = self._now()
        if moment[: len(_text_of(now))] <= _text_of(now):
            return True
        return False if moment > _text_of(now + _SKEW_S) else None

    def _told(self, path: Path, number: int, made: object) -> str:
        """The version as text; another one where it was made anew: deleted with its past, then written again."""
        version, before, left = self._seen.get(path, (number, made, 0))
        if version == number and before != made:
            left = _TELLINGS
        elif version != number:
            left = 0
        _bound(self._seen)[path] = (number, made, max(left - 1, 0))
        return f"{number} anew" if left else str(number)


def _page(folder: _Folder, most: int, last: str) -> Dance[tuple[Response, int] | None]:
    """One page of a list and how many names were asked for; None where it cannot be used, however short."""
    page = min(folder.page, most)
    while True:
        query = {"list": "true", "limit": str(page), **({"after": last} if last else {})}
        try:
            return (yield Request("GET", ("v1", *folder.mount.api_path(folder.path, _LIST)), query=query)), page
        except Faulty as fault:
            if fault.failure.error is not Malformed:
                raise
        if page <= _SMALLEST_PAGE:
            return None
        folder.page = page = max(page // 4, _SMALLEST_PAGE)  # it may have been too long


def _fit_page(told: Mapping[str, object]) -> int:
    """How many names such as these an answer may hold."""
    each = sum(map(_size, told.values())) / len(told) if told else _NAME_BYTES
    return min(max(int(_PAGE_BYTES / each), _SMALLEST_PAGE), _LARGEST_PAGE)


def _size(about: object) -> int:
    more = table(table(about).get("custom_metadata"))
    custom = sum(len(key) + len(str(value)) for key, value in more.items())
    return _NAME_BYTES + _VERSION_BYTES * len(table(table(about).get("versions"))) + custom


def _is_nothing(answer: Response) -> bool:
    """Whether Vault itself says that nothing is there, and nothing more."""
    told = table(answer.data)
    return answer.status == NOT_FOUND and is_vaults_own(answer) and not told.get("errors") and not told.get("warnings")


def _text_of(seconds: float) -> str:
    """A time as the server begins to write it; texts of one form compare as their times do."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _bound(known: dict[Path, T]) -> dict[Path, T]:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    return known

"""Versions without values, with answers that OpenBao does not give: a Vault's, too long ones, broken ones."""

from collections.abc import Mapping, Sequence

import pytest

from tests.providers.vault.dancing import path_of
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Deleted, Malformed, SourceError, Unreachable
from wellkept.providers.vault import watching as module
from wellkept.providers.vault.dance import Faulty
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.mounts import Mount, Mounts
from wellkept.providers.vault.watching import GONE, Watching

Path = tuple[str, ...]
DB, WEB = ("secret", "prod", "db"), ("secret", "prod", "web")
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
LIST = "GET v1/secret/detailed-metadata/prod"
EACH = ["GET v1/secret/metadata/prod/db", "GET v1/secret/metadata/prod/web"]
INVALID_PATH = Response(404, {"data": None, "request_id": "1", "warnings": ["Invalid path for a versioned engine"]})
NOTHING = Response(404, {"errors": []})


class Watcher:
    """A `Watching` whose requests are answered by what is written down."""

    def __init__(self) -> None:
        self.kv = Kv(Mounts(), "the token")
        self.kv.mounts.note(Mount(("secret",), 2))
        self.watching = Watching(now=lambda: NOW)
        self.asked: list[Request] = []

    def versions(
        self, paths: Sequence[Path], *answers: Response | type[SourceError]
    ) -> tuple[Sequence[str | Failure | None], Sequence[str]]:
        """What is told, and what was asked; an error is what the transport has instead of an answer."""
        self.asked.clear()
        dance, waiting = self.watching.versions(self.kv, paths), list(answers)
        try:
            request = next(dance)
            while True:
                self.asked.append(request)
                answer = waiting.pop(0)
                if isinstance(answer, Response):
                    request = dance.send(answer)
                else:
                    request = dance.throw(Faulty(Failure(answer, "no answer", "look"), is_of_engine=False))
        except StopIteration as end:
            assert not waiting
            return end.value, [path_of(one) for one in self.asked]

    def limits(self) -> Sequence[str]:
        return [one.query["limit"] for one in self.asked if "limit" in one.query]


def about(number: object = 1, made: str = "2026-11-24T22:28:01.507937837Z", **newest: object) -> Mapping[str, object]:
    version = {"created_time": made, "deletion_time": "", "destroyed": False, **newest}
    return {"current_version": number, "custom_metadata": None, "versions": {str(number): version}}


def one(*given: object, **newest: object) -> Response:
    return Response(200, {"data": about(*given, **newest)})  # type: ignore[arg-type]  # what a server may send


def listed(**names: object) -> Response:
    return Response(200, {"data": {"keys": sorted(names), "key_info": names}})


def test_a_vault_has_no_list_with_versions_and_is_asked_for_it_once() -> None:
    watcher = Watcher()
    assert watcher.versions([DB, WEB], INVALID_PATH, one(3), one(4)) == (("3", "4"), [LIST, *EACH])
    for _ in range(100):
        assert watcher.versions([DB, WEB], one(3), one(5)) == (("3", "5"), EACH)
    others: Sequence[Path] = [("secret", "other", "a"), ("secret", "other", "b")]
    assert watcher.versions(others, one(1), NOTHING)[0] == ("1", GONE)


def test_a_list_that_is_too_long_is_asked_for_in_smaller_pages() -> None:
    watcher = Watcher()
    big = {**about(2), "versions": {str(number): about()["versions"] for number in range(1, 1000)}}
    big["versions"]["2"] = about(2)["versions"]["2"]  # type: ignore[index]  # JSON
    told, _asked = watcher.versions([DB, WEB], Malformed, listed(db=big, web=big))
    assert told == ("2", "2")
    assert watcher.limits() == ["64", "16"]
    watcher.versions([DB, WEB], listed(db=big, web=big))
    assert watcher.limits() == ["4"]  # 150 KiB each


def test_a_list_that_cannot_be_read_however_short_is_not_asked_for_again() -> None:
    watcher = Watcher()
    assert watcher.versions([DB, WEB], Malformed, Malformed, Malformed, one(), one())[0] == ("1", "1")
    assert watcher.versions([DB, WEB], one(), one()) == (("1", "1"), EACH)


def test_a_server_that_is_gone_ends_it_and_teaches_nothing() -> None:
    watcher = Watcher()
    with pytest.raises(Faulty):
        watcher.versions([DB, WEB], Unreachable)
    assert watcher.versions([DB, WEB], listed(db=about(), web=about()))[0] == ("1", "1")
    assert watcher.limits() == ["64"]


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_list_that_is_refused_in_another_way_rests(status: int) -> None:
    watcher, refused = Watcher(), Response(status, {"errors": ["unsupported operation"]})
    assert watcher.versions([DB, WEB], refused, one(), one())[0] == ("1", "1")
    assert watcher.versions([DB, WEB], one(), one())[0] == ("1", "1")
    assert watcher.versions([DB], refused)[0] == (None,)
    assert watcher.versions([DB, WEB])[0] == (None, None)


def test_a_list_that_ignores_pages_ends() -> None:
    watcher = Watcher()
    names = {f"a{number:03}": about() for number in range(64)}
    assert watcher.versions([DB, WEB], listed(**names), one(1), one(1))[0] == ("1", "1")
    watcher = Watcher()
    paths: Sequence[Path] = [*(("secret", "prod", name) for name in names), DB]
    watcher.watching.versions(watcher.kv, paths)
    hundred = {f"a{number:03}": about() for number in range(100)}
    assert watcher.versions(paths, listed(**hundred), listed(**hundred))[0] == ("1",) * 64 + (GONE,)


@pytest.mark.parametrize("answer", [{}, {"keys": ["db", "web"]}, {"key_info": "db"}, {"key_info": []}])
def test_a_list_of_another_shape_is_none(answer: Mapping[str, object]) -> None:
    told, asked = Watcher().versions([DB, WEB], Response(200, {"data": answer}), one(), one())
    assert (told, asked) == (("1", "1"), [LIST, *EACH])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"current_version": "7", "versions": {"7": {"created_time": "x"}}},
        {"current_version": True, "versions": {"True": {"created_time": "x"}}},
        {"current_version": 7, "versions": {}},
        {"current_version": 7, "versions": {"7": "x"}},
        {"current_version": 7, "versions": {"7": {"deletion_time": 5}}},
        {"current_version": 7, "versions": {"7": {"deletion_time": "tomorrow"}}},
    ],
)
def test_what_cannot_be_understood_is_left_to_a_fetch(data: object) -> None:
    assert Watcher().versions([DB], Response(200, {"data": data}))[0] == (None,)
    assert Watcher().versions([DB, WEB], listed(db=data, web=about()))[0] == (None, "1")


def test_a_description_without_any_version_is_no_secret() -> None:
    data = {"current_version": 0, "versions": {}}
    assert Watcher().versions([DB], Response(200, {"data": data}))[0] == (GONE,)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2027-01-15T07:59:59.9Z", Deleted),
        ("2027-01-15T08:00:00.1Z", Deleted),
        ("2027-01-15T08:04:00.1Z", None),  # the server's clock may be five minutes before ours
        ("2027-01-15T08:05:01.1Z", "3"),
    ],
)
def test_a_time_of_deletion(moment: str, told: object) -> None:
    found = Watcher().versions([DB], one(3, deletion_time=moment))[0][0]
    assert (found.error if isinstance(found, Failure) else found) == told


def test_the_same_secret_twice_is_asked_for_once_and_told_twice() -> None:
    assert Watcher().versions([DB, DB], one()) == (("1", "1"), EACH[:1])


def test_a_mount_that_became_another_is_asked_anew() -> None:
    watcher = Watcher()
    watcher.versions([DB, WEB], INVALID_PATH, one(), one())
    watcher.kv.mounts.note(Mount(("secret",), 1))
    assert watcher.versions([DB, WEB]) == ((None, None), [])


def test_a_new_number_ends_the_telling_of_an_old_one() -> None:
    watcher = Watcher()
    watcher.versions([DB], one(1, "a"))
    assert [watcher.versions([DB], one(1, "b"))[0][0], watcher.versions([DB], one(2, "c"))[0][0]] == ["1 anew", "2"]
    assert watcher.versions([DB], one(1, "d"))[0] == ("1",)


def test_memory_has_an_end() -> None:
    watcher, most = Watcher(), module._MOST_KNOWN
    paths: Sequence[Path] = [("secret", f"folder{number}", "db") for number in range(most + 1)]
    told, _asked = watcher.versions(paths, one())
    assert told == (None,) * most + ("1",)

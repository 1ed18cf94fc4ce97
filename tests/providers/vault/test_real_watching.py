"""Versions of the secrets of a real OpenBao, without their values: each request is counted, each raw answer kept."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlencode

import pytest

from tests.servers.space import Space
from wellkept._http.message import Failure, Response
from wellkept.errors import Absent, Deleted, Destroyed, SourceError
from wellkept.model import Reference
from wellkept.providers.vault import Vault
from wellkept.providers.vault.dance import Dance
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.mounts import Mount, Mounts
from wellkept.providers.vault.watching import GONE, Watching

T = TypeVar("T")

Path = tuple[str, ...]
DB, WEB = ("secret", "prod", "db"), ("secret", "prod", "web")


@dataclass
class Asker:
    """Performs dances in a space, and writes down what crosses the wire."""

    space: Space
    token: str | None = None
    asked: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    watching: Watching = field(default_factory=Watching)
    kv: Kv = field(default_factory=lambda: Kv(Mounts(), "the token"))

    def __post_init__(self) -> None:
        for path, version in ((("secret",), 2), (("kv1",), 1)):
            self.kv.mounts.note(Mount(path, version))

    def perform(self, dance: Dance[T]) -> T:
        try:
            request = next(dance)
            while True:
                path = "/".join(quote(one, safe="") for one in request.path[1:])
                query = f"?{urlencode(request.query)}" if request.query else ""
                status, answer = self.space.call(request.method, path + query, request.body, token=self.token)
                self.asked.append(f"{request.method} {path}")
                self.raw.append(json.dumps(answer))
                request = dance.send(Response(status, answer))
        except StopIteration as end:
            result: T = end.value
            return result

    def versions(self, *paths: Path) -> Sequence[str | Failure | None]:
        """The versions, and forget what was asked before."""
        self.asked.clear()
        return self.perform(self.watching.versions(self.kv, paths))


def error_of(version: object) -> type[SourceError] | None:
    return version.error if isinstance(version, Failure) else None


def fetch(vault: Vault) -> object:
    try:
        return vault.fetch(Reference("vault", DB)).version
    except SourceError as error:
        return error


def limited(space: Space, **paths: str) -> str:
    """A token that may do one thing with each path: `_` stands for a slash."""
    lines = [
        f'path "secret/{path.replace("_", "/")}" {{\n  capabilities = ["{what}"]\n}}\n' for path, what in paths.items()
    ]
    return space.make_token([space.policy("limited", "".join(lines))])


def test_a_hundred_secrets_of_one_folder_are_one_request(space: Space) -> None:
    paths = [("secret", "prod", f"s{number}") for number in range(100)]
    for path in paths:
        space.put("/".join(path), password="CANARY-1")
    asker = Asker(space)
    for _ in range(3):
        assert asker.versions(*paths) == ("1",) * 100
        assert asker.asked == ["GET secret/detailed-metadata/prod"]
    space.put("secret/prod/s7", password="CANARY-2")
    assert [one for one in asker.versions(*paths) if one != "1"] == ["2"]
    assert "CANARY" not in str(asker.raw)


def test_no_answer_holds_a_value(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker = Asker(space)
    asker.versions(DB, WEB)
    asker.versions(DB)
    assert asker.asked == ["GET secret/metadata/prod/db"]
    assert len(asker.raw) == 2
    assert "CANARY" not in str(asker.raw)
    assert '"current_version": 1' in asker.raw[0]


def _undelete(space: Space) -> None:
    space.do("PUT", "secret/undelete/prod/db", {"versions": [2]})


def _destroy(space: Space) -> None:
    space.do("PUT", "secret/destroy/prod/db", {"versions": [3]})


STEPS: Sequence[tuple[Callable[[Space], object], object]] = (
    (lambda space: space.put("secret/prod/db", password="CANARY-1"), "1"),
    (lambda space: space.put("secret/prod/db", password="CANARY-2"), "2"),
    (lambda space: space.do("DELETE", "secret/data/prod/db"), Deleted),
    (_undelete, "2"),
    (lambda space: space.put("secret/prod/db", password="CANARY-3"), "3"),
    (_destroy, Destroyed),
    (lambda space: space.put("secret/prod/db", password="CANARY-4"), "4"),
    (lambda space: space.do("DELETE", "secret/metadata/prod/db"), GONE),
    (lambda space: space.put("secret/prod/db", password="CANARY-5"), "1"),
)


@pytest.mark.parametrize("beside", [True, False], ids=["listed", "alone"])
def test_each_change_is_told_as_a_fetch_would_tell_it(space: Space, beside: bool) -> None:
    space.put("secret/prod/web", password="CANARY-1")
    asker, vault = Asker(space), Vault.from_environ(space.environ())
    wanted = (DB, WEB) if beside else (DB,)
    for change, expected in STEPS:
        change(space)
        told = asker.versions(*wanted)[0]
        assert (error_of(told) or told) == expected
        fetched = fetch(vault)
        if expected == GONE:
            assert type(fetched) is Absent
        elif isinstance(told, Failure):
            assert str(fetched) == str(told.about("vault:secret/prod/db"))
        else:
            assert fetched == told
        assert len(asker.asked) == 1


@pytest.mark.parametrize("beside", [True, False], ids=["listed", "alone"])
def test_what_is_made_anew_under_the_same_number_is_told_for_a_while(space: Space, beside: bool) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker = Asker(space)
    wanted = (DB, WEB) if beside else (DB,)
    assert asker.versions(*wanted)[0] == "1"
    space.do("DELETE", "secret/metadata/prod/db")
    space.put("secret/prod/db", password="CANARY-2")
    assert [asker.versions(*wanted)[0] for _ in range(4)] == ["1 anew", "1 anew", "1 anew", "1"]


def test_a_deletion_that_is_set_for_later_is_none_yet(space: Space) -> None:
    space.do("POST", "secret/metadata/prod/db", {"delete_version_after": "2h"})
    space.put("secret/prod/db", password="CANARY-1")
    asker = Asker(space)
    assert asker.versions(DB) == ("1",)
    space.do("POST", "secret/metadata/prod/db", {"delete_version_after": "60s"})
    space.put("secret/prod/db", password="CANARY-2")
    assert asker.versions(DB) == (None,)


def test_without_the_right_to_list_each_is_asked_for_and_the_list_not_again(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker = Asker(space, limited(space, metadata_prod_db="read", metadata_prod_web="read"))
    assert asker.versions(DB, WEB) == ("1", "1")
    each = ["GET secret/metadata/prod/db", "GET secret/metadata/prod/web"]
    assert asker.asked == ["GET secret/detailed-metadata/prod", "GET auth/token/lookup-self", *each]
    for _ in range(59):
        assert asker.versions(DB, WEB) == ("1", "1")
        assert asker.asked == each
    asker.versions(DB, WEB)
    assert asker.asked[0] == "GET secret/detailed-metadata/prod"


def test_without_the_right_to_either_only_a_fetch_can_tell(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker = Asker(space, limited(space, data_prod_db="read"))
    assert asker.versions(DB, WEB) == (None, None)
    assert len(asker.asked) == 3
    assert asker.versions(DB, WEB) == (None, None)
    assert asker.asked == []


def test_with_the_right_to_list_only_one_secret_is_found_in_the_list(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    asker = Asker(space, limited(space, **{"detailed-metadata_prod": "list", "detailed-metadata_prod_": "list"}))
    assert asker.versions(DB) == ("1",)
    assert asker.versions(DB) == ("1",)
    assert asker.asked == ["GET secret/detailed-metadata/prod"]


def test_a_dead_token_is_left_to_a_fetch_and_nothing_is_remembered(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker = Asker(space, "dead-CANARY")
    assert asker.versions(DB, WEB, ("secret", "other", "x")) == (None, None, None)
    assert len(asker.asked) == 2
    asker.token = None
    assert asker.versions(DB, WEB) == ("1", "1")
    assert asker.asked == ["GET secret/detailed-metadata/prod"]


def test_a_live_token_that_may_not_ask_about_itself_is_believed_at_the_second_time(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    policy = 'path "secret/metadata/prod/*" {\n  capabilities = ["read"]\n}\n'
    made = space.do(
        "POST", "auth/token/create", {"policies": [space.policy("mine", policy)], "no_default_policy": True}
    )
    asker = Asker(space, made["auth"]["client_token"])
    assert asker.versions(DB, WEB) == (None, None)
    assert asker.versions(DB, WEB) == ("1", "1")
    asker.versions(DB, WEB)
    assert asker.asked == ["GET secret/metadata/prod/db", "GET secret/metadata/prod/web"]


def test_what_is_no_kv_v2_costs_no_request(space: Space) -> None:
    space.put("kv1/prod/db", password="CANARY-1")
    asker = Asker(space)
    asker.kv.mounts.note(Mount(("pki",), 1, "pki"))
    assert (
        asker.versions(("kv1", "prod", "db"), ("nobody", "knows"), ("pki", "sign", "web"), ("secret",)) == (None,) * 4
    )
    assert asker.asked == []


def test_mounts_and_folders_of_any_depth(space: Space) -> None:
    space.mount("team/a/kv")
    space.do("POST", "team/a/kv/data/db", {"data": {"password": "CANARY-1"}})
    space.do("POST", "team/a/kv/data/db/more", {"data": {"password": "CANARY-1"}})
    space.do("POST", "team/a/kv/data/web%20one%3F", {"data": {"password": "CANARY-1"}})
    asker = Asker(space)
    asker.kv.mounts.note(Mount(("team", "a", "kv"), 2))
    top = ("team", "a", "kv")
    assert asker.versions((*top, "db"), (*top, "web one?"), (*top, "db", "more")) == ("1", "1", "1")
    assert asker.asked == ["GET team/a/kv/detailed-metadata", "GET team/a/kv/metadata/db/more"]


def test_two_secrets_among_many_are_asked_for_alone(space: Space) -> None:
    for number in range(150):
        space.put(f"secret/prod/a{number}", password="CANARY-1")
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    asker, each = Asker(space), ["GET secret/metadata/prod/db", "GET secret/metadata/prod/web"]
    assert asker.versions(DB, WEB) == ("1", "1")
    assert asker.asked == ["GET secret/detailed-metadata/prod", *each]
    assert asker.versions(DB, WEB) == ("1", "1")
    assert asker.asked == each


def test_a_longer_list_comes_in_pages_and_then_in_larger_ones(space: Space) -> None:
    paths = [("secret", "prod", f"s{number:03}") for number in range(230)]
    for path in paths:
        space.put("/".join(path), password="CANARY-1")
    asker = Asker(space)
    assert asker.versions(*paths) == ("1",) * 230
    assert asker.asked == ["GET secret/detailed-metadata/prod"] * 3
    assert asker.versions(*paths) == ("1",) * 230
    assert asker.asked == ["GET secret/detailed-metadata/prod"]


def test_a_page_that_ends_where_the_folder_does(space: Space) -> None:
    paths = [("secret", "prod", f"s{number:03}") for number in range(100)]
    for path in paths:
        space.put("/".join(path), password="CANARY-1")
    asker = Asker(space)
    assert asker.versions(*paths, ("secret", "prod", "zzz")) == ("1",) * 100 + (GONE,)
    assert asker.asked == ["GET secret/detailed-metadata/prod"] * 2


def test_an_empty_folder(space: Space) -> None:
    asker = Asker(space)
    assert asker.versions(DB, WEB) == (GONE, GONE)
    space.put("secret/prod/db", password="CANARY-1")
    assert asker.versions(DB, WEB) == ("1", GONE)
    space.do("DELETE", "secret/metadata/prod/db")
    assert asker.versions(DB, WEB) == (GONE, GONE)
    assert asker.asked == ["GET secret/detailed-metadata/prod"]


def test_a_source_tells_versions_of_references(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.put("secret/prod/web", password="CANARY-1")
    space.put("kv1/prod/db", password="CANARY-1")
    vault = Vault.from_environ(space.environ())
    paths: Sequence[Path] = (DB, WEB, ("kv1", "prod", "db"))
    references = [Reference("vault", path, ("password",)) for path in paths]
    for one in references:
        vault.fetch(one)
    space.do("DELETE", "secret/data/prod/web")
    db, web, kv1 = vault.versions(references)
    assert (db, type(web), kv1) == ("1", Deleted, None)

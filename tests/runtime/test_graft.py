"""Giving the handles inside a value what those of a newer one hold: structures, shapes and versions."""

import gc
from dataclasses import dataclass

import pytest

from wellkept import Secret
from wellkept.origin import Layer, Origin
from wellkept.runtime.graft import Graft, Standing, differ
from wellkept.secret import State


@dataclass(frozen=True)
class Server:
    """As a program declares it."""

    host: str
    token: Secret[str]


def run(_callback: object, call: object) -> None:
    call()  # type: ignore[operator]  # it is a callback, and carried out at once


FRESH = Standing(State.FRESH, None, run)


def secret(value: str, version: str | None = None) -> Secret[str]:
    origin = Origin(Layer.REFERENCE, "Config.toml:1:1", answer="store db", version=version)
    return Secret(value, name="db", origin=origin, version=version)


def test_a_bare_secret_comes_to_the_newer_value_with_all_that_is_known_of_it() -> None:
    handle = secret("CANARY-one", "1")
    graft = Graft(handle)
    assert graft.take(secret("CANARY-two", "2"), Standing(State.STALE, 1e12, run))
    assert (handle.reveal(), handle.version, handle.state) == ("CANARY-two", "2", State.STALE)
    assert handle.origin.answer == "store db"


def test_secrets_in_lists_dicts_and_dataclasses_follow_by_their_places() -> None:
    value = {"a": [Server("one", secret("CANARY-a0")), Server("two", secret("CANARY-a1"))], "b": (secret("CANARY-b"),)}
    newer = {"a": [Server("one", secret("CANARY-a0")), Server("two", secret("CANARY-x1"))], "b": (secret("CANARY-y"),)}
    graft = Graft(value)
    assert graft.fits(newer)
    assert graft.take(newer, FRESH)
    first, second = value["a"]
    assert isinstance(first, Server)
    assert isinstance(second, Server)
    assert [first.token.reveal(), second.token.reveal()] == ["CANARY-a0", "CANARY-x1"]
    (third,) = value["b"]
    assert isinstance(third, Secret)
    assert third.reveal() == "CANARY-y"


@pytest.mark.parametrize(
    "newer",
    [
        [secret("CANARY-a")],
        [secret("CANARY-a"), secret("CANARY-b"), secret("CANARY-c")],
        [secret("CANARY-a"), "plain"],
        {"a": secret("CANARY-a")},
        secret("CANARY-a"),
        None,
    ],
)
def test_a_value_of_another_shape_does_not_fit(newer: object) -> None:
    assert not Graft([secret("CANARY-a"), secret("CANARY-b")]).fits(newer)


def test_a_plain_part_that_is_another_one_does_not_fit() -> None:
    graft = Graft(Server("one", secret("CANARY")))
    assert graft.fits(Server("one", secret("CANARY-two")))
    assert not graft.fits(Server("two", secret("CANARY-two")))


def test_the_same_value_is_no_change_but_its_version_and_state_are_noted() -> None:
    handle, called = secret("CANARY", "1"), list[object]()
    handle.on_change(called.append)
    graft = Graft(handle)
    before = handle.fetched_at
    assert not graft.take(secret("CANARY", "2"), Standing(State.STALE, None, run))
    assert (handle.version, handle.state, called, handle.fetched_at) == ("2", State.STALE, [], before)


def test_values_of_a_source_without_versions_are_told_apart() -> None:
    handle = secret("CANARY-one")
    graft, seen = Graft(handle), [handle.version]
    for value in ("CANARY-two", "CANARY-three", "CANARY-two"):
        graft.take(secret(value), FRESH)
        seen.append(handle.version)
    assert len(set(seen)) == 4


def test_it_keeps_no_secret_alive() -> None:
    value = [secret("CANARY-a"), secret("CANARY-b")]
    graft = Graft(value)
    kept = value.pop()
    value.clear()
    gc.collect()
    assert [one.reveal() for one in graft.handles] == ["CANARY-b"]
    assert graft.take([secret("CANARY-x"), secret("CANARY-y")], FRESH)
    assert kept.reveal() == "CANARY-y"
    del kept
    gc.collect()
    assert graft.handles == []
    assert not graft.take([secret("CANARY-x"), secret("CANARY-z")], FRESH)


def test_all_secrets_inside_are_refreshed_by_one() -> None:
    value, asked = [secret("CANARY-a"), secret("CANARY-b")], list[bool]()

    def refresh() -> bool:
        asked.append(True)
        return True

    Graft(value).set_refresher(refresh)
    assert [one.refresh() for one in value] == [True, True]
    assert value[0].map(str.upper).refresh(), "what is derived asks for what it is derived from"
    assert len(asked) == 3


def test_what_is_derived_follows_and_is_as_fresh() -> None:
    handle = secret("CANARY-one", "1")
    derived = handle.dsn("pg://{}@db")
    Graft(handle).take(secret("CANARY-two", "2"), Standing(State.STALE, None, run))
    assert (derived.reveal(), derived.version, derived.state) == ("pg://CANARY-two@db", "2", State.STALE)


def test_two_values_differ_by_what_their_secrets_hold() -> None:
    assert not differ([secret("CANARY"), 1], [secret("CANARY"), 1])
    assert differ([secret("CANARY"), 1], [secret("CANARY-two"), 1])
    assert differ([secret("CANARY"), 1], [secret("CANARY"), 2])
    assert differ([secret("CANARY"), 1], [secret("CANARY")])

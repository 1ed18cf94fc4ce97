"""What is not there, or not any more: the four words at the start; GONE in life, served on, and found again."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.matrix.compressed import Life
from tests.matrix.conftest import Follows
from tests.matrix.following import Events, told, wait_for, wait_for_value
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, load
from wellkept.events import Topic
from wellkept.providers.vault import Vault
from wellkept.secret import State

HOUR_S = 3600.0


def loses(space: Space, way: str) -> None:
    """Take `secret/there` away in one of the ways."""
    ways: dict[str, Callable[[], object]] = {
        "deleted": lambda: space.do("DELETE", "secret/data/there"),
        "destroyed": lambda: space.do("PUT", "secret/destroy/there", {"versions": [1]}),
        "absent": lambda: space.do("DELETE", "secret/metadata/there"),
    }
    ways[way]()


def test_four_ways_not_to_be_there_are_four_words_in_one_report(space: Space) -> None:
    for name in ("deleted", "destroyed"):
        space.put(f"secret/{name}", password="one-CANARY")
    space.do("DELETE", "secret/data/deleted")
    space.do("PUT", "secret/destroy/destroyed", {"versions": [1]})

    class Config(Settings):
        deleted: Secret[str]
        destroyed: Secret[str]
        missing: Secret[str]
        wrong_path: Secret[str]
        wrong_mount: Secret[str]

    paths = {
        "DELETED": "secret/deleted",
        "DESTROYED": "secret/destroyed",
        "MISSING": "secret/missing",
        "WRONG_PATH": "secret/data/deleted",
        "WRONG_MOUNT": "secrets/deleted",
    }
    text = {f"BAL_CONFIG_VAR_{name}": f"${{vault:{path}#password}}" for name, path in paths.items()}
    with pytest.raises(ConfigError) as caught:
        load(Config, files=[], environ={**space.environ(), **text}, redact=False)
    said = {one.setting: f"{one.message} | {one.hint}" for one in caught.value.problems}
    assert "deleted: version 1 of it was deleted at" in said["deleted"]
    assert "undelete" in said["deleted"]
    assert "destroyed: version 1 of it is gone for good" in said["destroyed"]
    assert "absent: there is no secret missing in the mount secret/" in said["missing"]
    assert "leave out data/" in said["wrong_path"]
    assert "absent: no secrets engine is mounted at secrets/" in said["wrong_mount"]
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("deleted", "deleted: version 1 of it was deleted at"),
        ("destroyed", "destroyed: version 1 of it is gone for good"),
        ("absent", "absent: there is no secret there"),
    ],
)
def test_what_goes_away_in_life_is_served_on_with_one_loud_event(
    space: Space, follow: Follows, events: Events, way: str, words: str
) -> None:
    space.put("secret/there", password="one-CANARY")
    secret = follow(space.environ(), "${vault:secret/there?ttl=200ms#password}")
    loses(space, way)
    wait_for(secret, State.GONE)
    assert secret == "one-CANARY"
    assert told(secret).failure == "absent"
    left_s = told(secret).next_s
    assert left_s is not None
    assert 5 < left_s < 36  # it was asked for every 0.2 s; what a busy machine has spent since is off
    detail = events.wait(Topic.GONE)
    assert words in detail
    assert "the last good value is served" in detail
    assert events.of(Topic.GONE) == [detail]
    space.put("secret/there", password="two-CANARY")
    wait_until(secret.refresh, "an answer")  # the poll that found it gone may be under way still
    assert secret == "two-CANARY"
    assert events.wait(Topic.RECOVERED)


@pytest.mark.parametrize("way", ["deleted", "destroyed", "absent"])
def test_what_is_gone_is_asked_for_every_half_a_minute_and_never_less_often(space: Space, way: str) -> None:
    space.put("secret/there", password="one-CANARY")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "secret/there")
    loses(space, way)
    life.passes(60, until=lambda: held.state is State.GONE)
    assert held.has({"password": "one-CANARY"})
    gone_at = life.now
    life.passes(HOUR_S)
    assert held.is_(State.GONE)
    times = sorted({one for one in life.requests_at if one >= gone_at})
    waits = [after - before for before, after in pairwise(times)]
    assert all(24 <= one <= 36 for one in waits)
    assert len(waits) > 90
    assert len({round(one, 3) for one in waits}) > 50  # each another one
    space.put("secret/there", password="two-CANARY")
    life.passes(36.1)
    assert held.is_(State.FRESH)
    assert held.has({"password": "two-CANARY"})


def test_a_lost_permission_is_asked_for_again_every_half_a_minute(space: Space) -> None:
    space.put("secret/there", password="one-CANARY")
    read = 'path "secret/*" {\n  capabilities = ["read", "list", "scan"]\n}\n'
    token = space.make_token([space.policy("reader", read)])
    life = Life()
    held = life.follow(Vault.from_environ(space.environ(token)), "secret/there")
    space.policy("reader", 'path "other/*" {\n  capabilities = ["read"]\n}\n')
    life.passes(60, until=lambda: held.state is State.GONE)
    assert life.status(held).failure == "denied"
    before = len(life.fetched_at)
    life.passes(HOUR_S)
    assert HOUR_S / 36 - 1 <= len(life.fetched_at) - before <= HOUR_S / 24
    assert held.has({"password": "one-CANARY"})
    space.policy("reader", read)
    space.put("secret/there", password="two-CANARY")
    life.passes(36.1)
    assert held.state is State.FRESH
    assert held.has({"password": "two-CANARY"})


def test_what_is_undeleted_is_published_again(space: Space) -> None:
    space.put("secret/there", password="one-CANARY")
    space.put("secret/there", password="two-CANARY")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "secret/there")
    space.do("DELETE", "secret/data/there")
    life.passes(60, until=lambda: held.state is State.GONE)
    space.do("POST", "secret/undelete/there", {"versions": [2]})
    life.passes(36.1)
    assert held.state is State.FRESH
    assert held.has({"password": "two-CANARY"})
    space.put("secret/there", password="three-CANARY")
    life.passes(12.1)
    assert held.versions == ["2", "3"]


def test_a_rollback_is_published(space: Space) -> None:
    space.put("secret/there", password="one-CANARY")
    space.put("secret/there", password="two-CANARY")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "secret/there")
    space.put("secret/there", password="one-CANARY")  # as `bao kv rollback` does it
    life.passes(12.1)
    assert held.has({"password": "one-CANARY"})
    assert held.versions == ["2", "3"]


def test_a_secret_that_is_made_anew_is_published_though_its_version_goes_down(space: Space) -> None:
    for number in range(3):
        space.put("secret/there", password=f"{number}-CANARY")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "secret/there")
    space.do("DELETE", "secret/metadata/there")
    space.put("secret/there", password="anew-CANARY")
    life.passes(12.1)
    assert held.has({"password": "anew-CANARY"})
    assert held.versions == ["3", "1"]


def test_a_secret_that_is_made_anew_under_the_same_version_is_published(space: Space) -> None:
    space.put("secret/there", password="one-CANARY")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "secret/there")
    life.passes(12.1)  # so that it is known when that version was made
    space.do("DELETE", "secret/metadata/there")
    space.put("secret/there", password="anew-CANARY")
    life.passes(12.1)
    assert held.has({"password": "anew-CANARY"})
    assert held.versions == ["1", "1"]


def test_one_that_is_gone_holds_up_none_of_its_neighbours(space: Space, follow: Follows, events: Events) -> None:
    for name in ("there", "neighbour"):
        space.put(f"secret/{name}", password="one-CANARY")
    gone = follow(space.environ(), "${vault:secret/there?ttl=200ms#password}")
    neighbour = follow(space.environ(), "${vault:secret/neighbour?ttl=200ms#password}")
    loses(space, "deleted")
    wait_for(gone, State.GONE)
    space.put("secret/neighbour", password="two-CANARY")
    wait_for_value(neighbour, "two-CANARY")
    assert len(events.of(Topic.GONE)) == 1

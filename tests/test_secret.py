"""Secret: what shows, what refuses, what follows."""

import copy
import gc
import pickle  # noqa: TID251 that it refuses is what is tested
import threading
from collections.abc import Iterator
from itertools import count

import pytest

from wellkept import Settings
from wellkept.errors import SecretLeak, UsageError
from wellkept.origin import IN_CODE, Layer, Origin
from wellkept.secret import (
    RevealedBytes,
    RevealedText,
    Secret,
    State,
    install_observer,
    leaves,
    seal,
    set_refresher,
    swap,
)

V = "CANARY-secret-7f3a"
THERE = Origin(Layer.FILE, "Config.toml:2:14")


class Login(Settings):
    username: str
    password: str


class Recorder:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.learnt: list[tuple[str | None, object]] = []
        self.released: list[tuple[str | None, object]] = []

    def learn(self, name: str | None, payload: object) -> None:
        self.learnt.append((name, payload))

    def release(self, name: str | None, payload: object) -> None:
        self.released.append((name, payload))


@pytest.fixture
def observer() -> Iterator[Recorder]:
    recorder = Recorder()
    install_observer(recorder)
    recorder.learnt.clear()  # of what other tests still hold
    yield recorder
    install_observer(None)


def test_only_reveal_shows_the_value() -> None:
    secret = Secret(V, name="db_password", origin=THERE, version="3")
    assert secret.reveal() == V
    assert repr(secret) == str(secret) == f"{'%s' % secret}" == "<Secret db_password from Config.toml:2:14>"  # noqa: UP031 the old way is tested
    assert (secret.name, secret.version, secret.origin, secret.state) == ("db_password", "3", THERE, State.FRESH)
    assert secret.fetched_at.tzinfo is not None


@pytest.mark.parametrize(
    "use",
    [
        lambda one: f"{one}",
        lambda one: f"{one:>9}",
        lambda one: one + "x",
        lambda one: "x" + one,
        lambda one: one * 2,
        lambda one: one % 1,
        len,
        list,
        lambda one: "x" in one,
        lambda one: one[0],
        bytes,
        int,
        float,
        pickle.dumps,
        lambda one: one.__getstate__(),
        open,
    ],
    ids=map(str, count()),
)
def test_what_would_show_it_raises_a_type_error_with_a_hint(use: object) -> None:
    with pytest.raises(SecretLeak, match=r"reveal\(\)") as caught:
        use(Secret(V))  # type: ignore[operator]  # any of the ways above
    assert isinstance(caught.value, TypeError)
    assert "CANARY" not in str(caught.value)


def test_it_has_no_hash_no_dict_and_is_always_true() -> None:
    secret = Secret(V)
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        vars(secret)
    assert secret
    assert not any("CANARY" in str(one) for one in gc.get_referents(secret))


def test_copies_are_the_same_handle() -> None:
    secret = Secret(V)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret


def test_equality_is_of_values_and_never_of_types_that_differ() -> None:
    assert Secret(V) == Secret(V)
    assert Secret(V) == V
    assert Secret(V) != "other"
    assert Secret(b"CANARY-bytes") == b"CANARY-bytes"
    assert Secret("1") != Secret(1)
    assert Secret([1]) == Secret([1])
    assert Secret(V) != 5
    assert Secret("CANARY-ü") == "CANARY-ü"


def test_an_empty_secret_and_one_in_another_are_refused() -> None:
    for value in ("", b"", Secret(V)):
        with pytest.raises(UsageError):
            Secret(value)


def test_revealed_text_is_text_but_for_its_repr_and_pickle() -> None:
    text = Secret(V).reveal()
    assert isinstance(text, str)
    assert repr(text) == "'***'"
    assert f"{text}" == V
    assert copy.deepcopy(text) is text
    assert copy.copy(text) is text
    with pytest.raises(SecretLeak):
        pickle.dumps(text)
    data = Secret(b"CANARY-bytes").reveal()
    assert repr(data) == "b'***'"
    assert copy.deepcopy(data) is data
    assert copy.copy(data) is data
    with pytest.raises(SecretLeak):
        pickle.dumps(data)


def test_texts_in_structures_are_masked_however_deep() -> None:
    revealed = Secret({"a": [V, (V,)], "b": {V}}).reveal()
    assert "CANARY" not in repr(revealed)
    assert isinstance(seal(RevealedText("x")), RevealedText)
    assert isinstance(seal(b"x"), RevealedBytes)
    assert seal(5) == 5


def test_leaves_are_every_value_inside() -> None:
    login = Login(username="CANARY-user", password=V)
    payload = {"a": [V, 12345678, True, None], "b": Secret("CANARY-inner"), "c": login}
    assert list(leaves(payload)) == [V, "12345678", "CANARY-inner", "CANARY-user", V]


def test_an_observer_learns_before_anybody_can_reveal_and_hears_of_the_end(observer: Recorder) -> None:
    secret = Secret(V, name="a")
    assert observer.learnt == [("a", V)]
    swap(secret, "CANARY-next", origin=THERE, version="2")
    assert observer.learnt[1:] == [("a", "CANARY-next")]
    assert observer.released == [("a", V)]
    del secret
    assert observer.released[1:] == [("a", "CANARY-next")]


def test_an_observer_that_comes_late_is_told_of_what_is_held() -> None:
    secret = Secret("CANARY-held-before", name="early")
    recorder = Recorder()
    install_observer(recorder)
    install_observer(None)
    assert ("early", secret.reveal()) in recorder.learnt


def fails(_secret: Secret[str]) -> None:
    raise ZeroDivisionError


def test_a_swap_shows_the_new_value_and_tells_everybody() -> None:
    secret = Secret(V, version="1")
    seen: list[str] = []
    stop = secret.on_change(lambda one: seen.append(one.reveal()))
    secret.on_change(fails)
    derived = secret.map(str.lower)
    failures = swap(secret, "CANARY-Two", origin=THERE, version="2", state=State.STALE)
    assert (secret.version, secret.state, secret.origin) == ("2", State.STALE, THERE)
    assert seen == ["CANARY-Two"]
    assert derived.reveal() == "canary-two"
    assert failures == ["a callback raised ZeroDivisionError"]
    stop()
    swap(secret, "CANARY-Three", origin=THERE, version="3")
    assert seen == ["CANARY-Two"]


def test_waiting_ends_with_a_newer_version_or_with_the_time() -> None:
    secret = Secret(V, version="1")
    assert not secret.wait_newer("1", timeout=0.01)
    assert secret.wait_newer("0", timeout=0)
    timer = threading.Timer(0.05, lambda: swap(secret, "CANARY-new", origin=THERE, version="2"))
    timer.start()
    assert secret.wait_newer("1", timeout=10)
    timer.join()


def test_refresh_asks_the_source_where_there_is_one() -> None:
    secret, asked = Secret(V), list[int]()
    assert secret.refresh() is False
    set_refresher(secret, lambda: asked.append(1))
    assert secret.refresh() is True
    assert asked == [1]


def test_a_derived_secret_keeps_its_last_value_when_its_parent_is_gone() -> None:
    parent = Secret(V, name="a")
    derived = parent.map(len)
    assert derived.reveal() == len(V)
    del parent
    gc.collect()
    assert derived.reveal() == len(V)


def test_a_derived_secret_that_is_gone_is_not_followed() -> None:
    parent = Secret(V)
    del_me = parent.map(str.upper)
    del del_me
    gc.collect()
    assert swap(parent, "CANARY-b", origin=IN_CODE, version=None) == []


def test_a_map_that_fails_names_the_type_of_the_error_only() -> None:
    secret = Secret(V, name="pin")
    with pytest.raises(UsageError, match="pin: the function given to map raised ValueError") as caught:
        secret.map(int)
    assert caught.value.__context__ is None
    with pytest.raises(UsageError, match="what map made of it must not be empty"):
        secret.map(lambda _value: "")


def test_a_map_that_fails_later_keeps_the_last_value() -> None:
    secret = Secret("12345678")
    number = secret.map(int)
    assert swap(secret, "CANARY-no-number", origin=IN_CODE, version=None) == ["a callback raised UsageError"]
    assert number.reveal() == 12345678


def test_a_header_is_a_secret_and_refuses_what_cannot_stand_in_one() -> None:
    assert Secret(V).header("Bearer").reveal() == f"Bearer {V}"
    with pytest.raises(UsageError, match="a header cannot hold"):
        Secret("CANARY\n").header("Bearer")
    with pytest.raises(UsageError, match="is no text"):
        Secret(5).header("Bearer")


def test_a_dsn_encodes_the_value_and_names_fields() -> None:
    assert Secret("CANARY p@ss/").dsn("pg://a:{}@h").reveal() == "pg://a:CANARY%20p%40ss%2F@h"
    login = Secret(Login(username="a@b", password=V))
    assert login.dsn("pg://{username}:{password}@h").reveal() == f"pg://a%40b:{V}@h"
    assert Secret({"u": "a"}).dsn("pg://{u}").reveal() == "pg://a"
    with pytest.raises(UsageError, match="has no field nobody"):
        login.dsn("pg://{nobody}")
    with pytest.raises(UsageError, match="names no place"):
        Secret(V).dsn("pg://h")
    with pytest.raises(UsageError, match="has no field x"):
        Secret(V).dsn("pg://{x}")


def test_handles_that_are_gone_leave_nothing_behind() -> None:
    from wellkept import secret as module  # noqa: PLC0415 its tables are looked at here only

    gc.collect()
    before = len(module._snapshots)
    for number in range(100):
        Secret(f"CANARY-{number}").map(str.upper)
    gc.collect()
    assert len(module._snapshots) == before

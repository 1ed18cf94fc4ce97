"""Secret: what shows, what refuses, what follows."""

import copy
import gc
import pickle  # noqa: TID251 that it refuses is what is tested
import pprint
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from wellkept import Settings
from wellkept._revealed import RevealedBytes, RevealedText, seal
from wellkept.errors import SecretLeak, UsageError
from wellkept.leaks.redact import Redactor
from wellkept.origin import IN_CODE, Layer, Origin
from wellkept.secret import (
    Secret,
    State,
    install_observer,
    leaves,
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
    gc.collect()  # of what other tests left behind
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
        lambda one: "{a}".format_map({"a": one}),
        lambda one: [*one],
        reversed,
        dict,
        complex,
        iter,
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


def test_it_is_no_text_no_sequence_and_no_key_of_a_dict() -> None:
    secret: Any = Secret(V)
    kinds: tuple[type, ...] = (str, Hashable)
    assert not any(isinstance(secret, kind) for kind in kinds)
    match secret:
        case [*_] | {} | str():
            pytest.fail("taken for a structure or a text")
        case _:
            pass
    with pytest.raises(TypeError) as caught:
        "".join(["x", secret])  # noqa: FLY002 that is what is tested
    assert "CANARY" not in str(caught.value)
    with pytest.raises(AttributeError):
        secret.password = V


@pytest.mark.parametrize("conversion", ["{0!r}", "{0!s}"])
def test_a_conversion_that_was_asked_for_gives_the_mask(conversion: str) -> None:
    assert conversion.format(Secret(V, name="a")) == "<Secret a from code>"


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


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ("1", b"1", False),
        ("1", 1, False),
        (1, True, True),
        ([b"1"], ["1"], False),
        ({"a": "1"}, {"a": "1"}, True),
        ("\udc80", "\udc80", True),
        (None, None, True),
        ("é", "e\u0301", False),
    ],
    ids=map(str, count()),
)
def test_two_secrets_are_equal_where_their_values_are(*, one: object, other: object, is_equal: bool) -> None:
    assert (Secret(one) == Secret(other)) is is_equal
    assert (Secret(one) != Secret(other)) is not is_equal


def test_an_empty_secret_and_one_in_another_are_refused() -> None:
    for value in ("", b"", Secret(V)):
        with pytest.raises(UsageError):
            Secret(value)


def test_a_secret_that_was_refused_is_shown_in_its_traceback() -> None:
    with pytest.raises(UsageError) as caught:
        Secret("")
    own = caught.tb.tb_next
    assert own is not None
    assert repr(own.tb_frame.f_locals["self"]) == "<Secret>"
    assert "value" not in own.tb_frame.f_locals


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
    assert data[0] == ord("C")
    assert copy.deepcopy(data) is data
    assert copy.copy(data) is data
    with pytest.raises(SecretLeak):
        pickle.dumps(data)


@pytest.mark.parametrize("value", ["CANARY " * 40, b"CANARY " * 40])
def test_a_tool_that_cuts_a_long_value_shows_no_part_of_it(value: str | bytes) -> None:
    revealed = Secret({"a": [value]}).reveal()
    for shown in (pretty_repr(revealed, max_string=20), pprint.pformat(revealed), repr(revealed["a"][0][:9])):
        assert "CANARY" not in shown


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


def test_leaves_of_a_dataclass_are_its_fields() -> None:
    @dataclass
    class Pair:
        first: str
        second: tuple[bytes, ...]

    assert list(leaves(Pair(V, (b"CANARY-bytes",)))) == [V, b"CANARY-bytes"]


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


def test_an_observer_that_is_installed_again_does_not_learn_again(observer: Recorder) -> None:
    secret = Secret(V, name="a")
    install_observer(observer)
    assert observer.learnt == [("a", V)]
    assert secret


def test_an_observer_may_come_while_the_garbage_collector_takes_secrets_away() -> None:
    class Ring:
        def __init__(self) -> None:
            self.ring, self.secret = self, Secret(V)

    held = [Secret(f"CANARY-{number}") for number in range(2000)]
    threshold = gc.get_threshold()
    gc.set_threshold(50)
    try:
        for _ in range(20):
            _rings = [Ring() for _ in range(20)]
            install_observer(Recorder())
    finally:
        gc.set_threshold(*threshold)
        install_observer(None)
    assert len(held) == 2000


def test_a_secret_may_go_while_another_thread_is_masking() -> None:
    redactor, gone = Redactor(), threading.Event()
    install_observer(redactor)
    held = [Secret(V)]

    def drop() -> None:
        held.clear()
        gone.set()

    try:
        with redactor._lock:
            threading.Thread(target=drop, daemon=True).start()
            assert gone.wait(timeout=10)
    finally:
        install_observer(None)


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


def test_swaps_of_many_threads_release_each_value_that_they_took_out(observer: Recorder) -> None:
    secret = Secret("CANARY-0", name="swapped")
    derived = secret.map(str.lower)

    def swaps(thread: int) -> None:
        for number in range(50):
            swap(secret, f"CANARY-{thread}-{number}", origin=IN_CODE, version=None)

    run_together(swaps)
    learnt = Counter(str(payload) for name, payload in observer.learnt if name == "swapped")
    released = Counter(str(payload) for name, payload in observer.released if name == "swapped")
    held = Counter([str(secret.reveal()), str(derived.reveal())])
    assert learnt - released == held
    assert released - learnt == Counter()
    assert derived.reveal() == secret.reveal().lower()


def run_together(work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)


def test_a_callback_may_stop_itself_wait_subscribe_and_swap() -> None:
    secret, seen = Secret("CANARY-1", version="1"), list[str | None]()

    def told(one: Secret[str]) -> None:
        stop()
        one.on_change(lambda other: seen.append(other.version))
        seen.append(f"waited {one.wait_newer('1', timeout=0)}")
        swap(one, "CANARY-3", origin=IN_CODE, version="3")

    stop = secret.on_change(told)
    assert swap(secret, "CANARY-2", origin=IN_CODE, version="2") == []
    assert seen == ["waited True", "3"]
    stop()


def test_a_callback_that_was_given_twice_is_stopped_once() -> None:
    secret, seen = Secret(V), list[object]()
    callback = seen.append
    stop = secret.on_change(callback)
    secret.on_change(callback)
    stop()
    swap(secret, "CANARY-2", origin=IN_CODE, version="2")
    assert seen == [secret]


def test_callbacks_that_come_from_many_threads_are_all_told() -> None:
    secret, seen = Secret(V), list[int]()

    def subscribe(number: int) -> None:
        for _ in range(50):
            secret.on_change(lambda _secret: None)()
            secret.on_change(lambda _secret: seen.append(number))

    run_together(subscribe)
    swap(secret, "CANARY-2", origin=IN_CODE, version="2")
    assert Counter(seen) == dict.fromkeys(range(6), 50)


def test_a_callback_that_knows_its_secret_does_not_keep_it_alive() -> None:
    secret = Secret(V)
    secret.on_change([secret].remove)
    alive = weakref.ref(secret)
    del secret
    gc.collect()
    assert alive() is None


def test_everybody_who_waits_is_woken() -> None:
    secret, woken = Secret(V, version="1"), list[bool]()
    threads = [threading.Thread(target=lambda: woken.append(secret.wait_newer("1", timeout=20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    swap(secret, "CANARY-2", origin=IN_CODE, version="2")
    for thread in threads:
        thread.join()
    assert woken == [True] * 8


FORKED = """
import os, signal, sys, threading
from wellkept import Secret
from wellkept.origin import IN_CODE
from wellkept.secret import swap

secret, ready, done = Secret("CANARY-fork", version="1"), threading.Event(), threading.Event()
waits = threading.Thread(target=lambda: (ready.set(), secret.wait_newer("1", 30)))
waits.start()

from wellkept import secret as module
def hold():
    with module._changed:
        ready.set()
        done.wait()
ready.wait(); ready.clear()
holds = threading.Thread(target=hold)
holds.start()
ready.wait()
child = os.fork()
if child == 0:
    signal.alarm(10)
    swap(secret, "CANARY-child", origin=IN_CODE, version="2")
    sys.exit(0 if secret.wait_newer("1", 0) and secret == "CANARY-child" else 1)
done.set()
status = os.waitpid(child, 0)[1]
print(status, secret == "CANARY-fork")
swap(secret, "CANARY-parent", origin=IN_CODE, version="2")
holds.join(); waits.join()
"""


def test_a_forked_child_goes_on_though_another_thread_was_changing_a_secret() -> None:
    # Forking with threads is what is tested, and Python 3.12 warns of it.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.stdout, done.stderr) == ("0 True\n", "")


def test_the_end_of_the_interpreter_is_silent() -> None:
    code = "from wellkept import Secret\na = Secret('CANARY-end')\nb = a.map(len)\nc = [a, b]; c.append(c)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


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

    def ask() -> bool:
        asked.append(1)
        return True

    set_refresher(secret, ask)
    assert secret.refresh() is True
    assert secret.map(str.lower).refresh() is True
    assert asked == [1, 1]


def test_a_derived_secret_follows_though_nobody_else_holds_what_is_between() -> None:
    parent = Secret("CANARY-a")
    last = parent.map(str.lower).map(lambda text: f"{text}!").header("Bearer")
    gc.collect()
    swap(parent, "CANARY-b", origin=IN_CODE, version="2")
    assert last.reveal() == "Bearer canary-b!"


def test_a_derived_secret_keeps_its_parent_alive_and_goes_with_it() -> None:
    parent = Secret(V, name="a")
    alive = weakref.ref(parent)
    derived = parent.map(len)
    del parent
    gc.collect()
    assert alive() is not None
    assert derived.reveal() == len(V)
    del derived
    gc.collect()
    assert alive() is None


def test_a_derived_secret_has_the_facts_of_its_parent() -> None:
    parent = Secret(V, name="a", origin=THERE, version="1")
    derived = parent.map(str.lower)

    def facts(one: Secret[str]) -> tuple[object, ...]:
        return one.name, one.origin, one.version, one.state, one.fetched_at

    assert facts(derived) == facts(parent)
    swap(parent, V, origin=IN_CODE, version="2", state=State.STALE)
    assert facts(derived) == facts(parent)
    assert facts(parent.map(str.upper)) == facts(parent)


def test_a_value_that_comes_while_another_is_mapped_is_not_missed() -> None:
    parent = Secret("CANARY-1", version="1")

    def slowly(text: str) -> str:
        if parent.version == "1":
            swap(parent, "CANARY-2", origin=IN_CODE, version="2")
        return text.lower()

    derived = parent.map(slowly)
    assert (derived.reveal(), derived.version) == ("canary-2", "2")


def test_secrets_that_are_derived_in_many_threads_all_follow() -> None:
    parent, made = Secret("CANARY-1"), list[Secret[str]]()

    def derive(_number: int) -> None:
        for _ in range(30):
            parent.map(str.upper)  # and gone again
            made.append(parent.map(str.lower))

    run_together(derive)
    swap(parent, "CANARY-2", origin=IN_CODE, version="2")
    assert [one.reveal() for one in made] == ["canary-2"] * 180


def test_callbacks_of_a_derived_secret_are_told_and_their_failures_too() -> None:
    parent, seen = Secret(V), list[str]()
    derived = parent.map(str.lower)
    derived.on_change(lambda one: seen.append(one.reveal()))
    derived.on_change(fails)
    assert swap(parent, "CANARY-2", origin=IN_CODE, version="2") == ["a callback raised ZeroDivisionError"]
    assert seen == ["canary-2"]


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
    assert swap(secret, "CANARY-no-number", origin=IN_CODE, version=None) == [
        "the function given to map raised ValueError"
    ]
    assert number.reveal() == 12345678


def test_a_header_is_a_secret_and_refuses_what_cannot_stand_in_one() -> None:
    assert Secret(V).header("Bearer").reveal() == f"Bearer {V}"
    with pytest.raises(UsageError, match="a header cannot hold"):
        Secret("CANARY\n").header("Bearer")
    with pytest.raises(UsageError, match="is no text"):
        Secret(5).header("Bearer")


@pytest.mark.parametrize("value", ["CANARY\r\nX-Other: 1", "CANARY-\u20ac", "CANARY\x7f", "CANARY\0"])
def test_a_later_value_that_cannot_stand_in_a_header_does_not_reach_one(value: str) -> None:
    secret = Secret(V)
    header = secret.header("Bearer")
    assert swap(secret, value, origin=IN_CODE, version="2") == ["a header cannot hold one of its characters"]
    assert (header.reveal(), header.version) == (f"Bearer {V}", None)


def test_a_dsn_encodes_the_value_and_names_fields() -> None:
    assert Secret("CANARY p@ss/").dsn("pg://a:{}@h").reveal() == "pg://a:CANARY%20p%40ss%2F@h"
    assert Secret(b"CANARY-\xff").dsn("pg://a:{}@h").reveal() == "pg://a:CANARY-%FF@h"
    login = Secret(Login(username="a@b", password=V))
    assert login.dsn("pg://{username}:{password}@h").reveal() == f"pg://a%40b:{V}@h"
    assert Secret({"u": "a", "n": 0}).dsn("pg://{u}:{n}").reveal() == "pg://a:0"
    assert Secret({"p": Secret(V)}).dsn("pg://a:{p}@h").reveal() == f"pg://a:{V}@h"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_dsn_gives_back_whatever_went_into_it(password: str) -> None:
    parts = urlsplit(Secret(password).dsn("postgresql://app:{}@db.internal:5432/app").reveal())
    assert unquote(parts.password or "") == password
    assert (parts.hostname, parts.port, parts.path) == ("db.internal", 5432, "/app")


@pytest.mark.parametrize(
    ("value", "template", "fault"),
    [
        (Login(username="a", password=V), "pg://{nobody}", "has no field nobody"),
        (Login(username="a", password=V), "pg://{}", "is a structure"),
        ({"a": {"b": V}}, "pg://{a}", "a: is a structure"),
        ({"a": None}, "pg://{a}", "has no field a"),
        ([V], "pg://{}", "is a structure"),
        (None, "pg://{}", "is nothing"),
        (V, "pg://h", "names no place"),
        (V, "pg://{x}", "has no field x"),
        ("\udc80", "pg://{}", "UnicodeEncodeError"),
    ],
    ids=map(str, count()),
)
def test_a_dsn_that_cannot_be_made_says_what_is_wrong(value: object, template: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault) as caught:
        Secret(value).dsn(template)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_later_value_that_lacks_a_field_of_the_dsn_does_not_reach_it() -> None:
    secret = Secret({"user": "a"})
    dsn = secret.dsn("pg://{user}@h")
    assert swap(secret, {"username": "b"}, origin=IN_CODE, version="2") == ["has no field user"]
    assert dsn.reveal() == "pg://a@h"


def test_a_handle_in_the_memory_of_another_has_nothing_of_it() -> None:
    addresses = set[int]()
    for number in range(200):
        secret = Secret(f"CANARY-{number}", name=str(number))
        assert (secret.reveal(), secret.name) == (f"CANARY-{number}", str(number))
        assert swap(secret, "CANARY-next", origin=IN_CODE, version=None) == []
        secret.on_change(fails)
        addresses.add(id(secret))
        del secret
    assert len(addresses) < 200  # some address was used again, or this tested nothing


def test_handles_that_are_gone_leave_nothing_behind() -> None:
    from wellkept import secret as module  # noqa: PLC0415 its tables are looked at here only

    gc.collect()
    before = len(module._snapshots)
    for number in range(100):
        Secret(f"CANARY-{number}").map(str.upper)
    gc.collect()
    assert len(module._snapshots) == before

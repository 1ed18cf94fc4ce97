"""One setting of a loaded configuration, given answers by hand: what it makes of them, and what it keeps."""

import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.refresh.sources import PATIENCE_S, Store, eventually, in_threads, join, listening
from wellkept import Secret, Settings, close, load
from wellkept.errors import Kind
from wellkept.events import Topic
from wellkept.model import Reading, Reference
from wellkept.refresh.ticket import Taken
from wellkept.runtime.followed import Followed
from wellkept.runtime.load import recall
from wellkept.secret import State, install_observer
from wellkept.tls.client import ClientTLS
from wellkept.tls.material import TrustStore


class Login(Settings):
    username: str
    password: str


class App(Settings):
    value: Secret[str]


Loaded = Callable[..., tuple[Settings, Followed]]


class Lasting(Store):
    """Is not asked again while a test lasts, which gives the answers by hand."""

    def fetch(self, reference: Reference) -> Reading:
        made = super().fetch(reference)
        return Reading(made.value, made.answer, ttl_s=3600.0)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Loaded]:
    """Load a class whose one setting is `value`, of a variable or of a file; the settings, and what follows."""
    monkeypatch.chdir(tmp_path)
    made: list[Settings] = []

    def run(cls: type[Settings], text: str, values: Mapping[str, object], **environ: str) -> tuple[Settings, Followed]:
        is_toml = text.startswith(("[", "{"))
        if is_toml:
            file = tmp_path / "Config.toml"
            file.touch(mode=0o600)
            file.write_text(f"value = {text}\n", encoding="utf-8")
        given = environ if is_toml else {"BAL_CONFIG_VAR_VALUE": text, **environ}
        config = load(cls, environ=given, providers={"x": Lasting(values), "y": Lasting(values)}, redact=False)
        made.append(config)
        (followed,) = recall(config).followed
        return config, followed

    yield run
    for config in made:
        close(config)


def give(followed: Followed, value: object, path: str = "a", scheme: str = "x", **more: object) -> Taken:
    """Give it an answer, as the engine does."""
    reading = Reading(value, f"store {path}", **more)  # type: ignore[arg-type]  # passed on
    return followed.take({Reference(scheme, (path,)): reading}, State.FRESH, None)


def reveal(config: Settings) -> object:
    value = vars(config)["value"] if "value" in vars(config) else getattr(config, "value")  # noqa: B009 any class
    assert isinstance(value, Secret)
    return value.reveal()


def test_it_takes_a_newer_answer_and_its_version(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a}", {"a": "CANARY-one"})
    assert give(followed, "CANARY-two", version="2") == Taken(is_new=True)
    assert reveal(config) == "CANARY-two"
    assert followed.facts()[:2] == ("store a", "2")


def test_the_same_answer_is_no_change(loaded: Loaded) -> None:
    _, followed = loaded(App, "${x:a}", {"a": "CANARY-one"})
    assert give(followed, "CANARY-one") == Taken()


def test_it_picks_its_key_of_a_newer_answer(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a#password}", {"a": {"password": "CANARY-one", "other": "CANARY"}})
    assert give(followed, {"password": "CANARY-two", "other": "CANARY"}) == Taken(is_new=True)
    assert reveal(config) == "CANARY-two"


@pytest.mark.parametrize(
    "answer", [{"other": "CANARY"}, {"password": ""}, {"password": None}, {}, "CANARY", b"\xffCANARY"]
)
def test_an_answer_that_cannot_be_used_is_a_fault_without_its_value_and_the_last_good_one_stays(
    loaded: Loaded, answer: object
) -> None:
    config, followed = loaded(App, "${x:a#password}", {"a": {"password": "CANARY-one"}})
    taken = give(followed, answer)
    assert not taken.is_new
    assert taken.fault is not None
    assert "CANARY" not in taken.fault
    assert reveal(config) == "CANARY-one"


def test_a_value_that_cannot_be_converted_any_more_is_a_fault(loaded: Loaded) -> None:
    class Number(Settings):
        value: Secret[int]

    config, followed = loaded(Number, "${x:a}", {"a": "1"})
    assert give(followed, "CANARY").fault == "expected a whole number"
    assert reveal(config) == 1
    assert give(followed, "2").is_new
    assert reveal(config) == 2


def test_a_key_that_is_gone_is_an_absent_one(loaded: Loaded) -> None:
    _, followed = loaded(App, "${x:a#password}", {"a": {"password": "CANARY-one"}})
    assert give(followed, {"passwort": "CANARY"}).kind is Kind.ABSENT


def test_a_login_is_swapped_as_one(loaded: Loaded) -> None:
    class Atomic(Settings):
        value: Secret[Login]

    config, followed = loaded(Atomic, "${x:a}", {"a": {"username": "u0", "password": "CANARY-0"}})
    is_over, torn, reads = threading.Event(), list[tuple[str, str]](), list[int]()

    def read() -> None:
        count = 0
        while not is_over.is_set() or count < 10_000:
            login = reveal(config)
            assert isinstance(login, Login)
            if login.username[1:] != login.password.rpartition("-")[2]:
                torn.append((login.username, "torn"))
            count += 1
        reads.append(count)

    readers = in_threads(2, read)
    for number in range(1, 500):
        assert give(followed, {"username": f"u{number}", "password": f"CANARY-{number}"}).is_new
    is_over.set()
    join(readers)
    assert torn == []
    assert min(reads) >= 10_000


def test_a_template_with_two_references_follows_each(loaded: Loaded) -> None:
    text = "postgresql://${x:a#user}:${x:b}@db"
    config, followed = loaded(App, text, {"a": {"user": "ada"}, "b": "CANARY-one"})
    assert give(followed, "CANARY-two", "b").is_new
    assert reveal(config) == "postgresql://ada:CANARY-two@db"
    assert give(followed, {"user": "bob"}, "a").is_new
    assert reveal(config) == "postgresql://bob:CANARY-two@db"
    assert give(followed, "CANARY-three", "b").is_new
    assert reveal(config) == "postgresql://bob:CANARY-three@db"


def test_two_keys_of_one_answer_in_one_text_change_together(loaded: Loaded) -> None:
    text = "postgresql://${x:a#username}:${x:a#password}@db"
    config, followed = loaded(App, text, {"a": {"username": "u1", "password": "CANARY-1"}})
    assert give(followed, {"username": "u2", "password": "CANARY-2"}).is_new
    assert reveal(config) == "postgresql://u2:CANARY-2@db"


def test_a_template_with_a_variable_beside_a_reference_follows_the_reference(loaded: Loaded) -> None:
    config, followed = loaded(App, "postgresql://${env:WHO}:${x:b}@db", {"b": "CANARY-one"}, WHO="ada")
    assert give(followed, "CANARY-two", "b").is_new
    assert reveal(config) == "postgresql://ada:CANARY-two@db"


def test_a_template_with_a_pinned_reference_follows_the_other(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a?version=1}:${x:b}", {"a": "CANARY-pinned", "b": "CANARY-one"})
    assert give(followed, "CANARY-two", "b").is_new
    assert reveal(config) == "CANARY-pinned:CANARY-two"


def test_lists_and_dicts_with_a_reference_in_them_follow(loaded: Loaded) -> None:
    class Lists(Settings):
        value: list[Secret[str]]

    config, followed = loaded(Lists, '["CANARY-plain", "${x:a}", "${y:a}"]', {"a": "CANARY-one"})
    assert isinstance(config, Lists)
    assert give(followed, "CANARY-two").is_new
    assert give(followed, "CANARY-three", scheme="y").is_new
    assert [one.reveal() for one in config.value] == ["CANARY-plain", "CANARY-two", "CANARY-three"]


def test_a_table_of_secrets_follows_each_by_its_key(loaded: Loaded) -> None:
    class Tables(Settings):
        value: dict[str, Secret[str]]

    config, followed = loaded(
        Tables, '{one = "${x:a#one}", two = "${x:a#two}"}', {"a": {"one": "CANARY", "two": "CANARY"}}
    )
    assert isinstance(config, Tables)
    assert give(followed, {"one": "CANARY-new", "two": "CANARY"}).is_new
    assert {key: one.reveal() for key, one in config.value.items()} == {"one": "CANARY-new", "two": "CANARY"}


def test_a_record_with_a_secret_in_it_follows(loaded: Loaded) -> None:
    @dataclass(frozen=True)
    class Server:
        host: str
        token: Secret[str]

    class Servers(Settings):
        value: list[Server]

    config, followed = loaded(Servers, '[{host = "a", token = "${x:a}"}]', {"a": "CANARY-one"})
    assert isinstance(config, Servers)
    assert give(followed, "CANARY-two").is_new
    assert config.value[0].token.reveal() == "CANARY-two"


def test_tls_settings_with_a_secret_in_them_follow(loaded: Loaded) -> None:
    class Tls(Settings):
        value: ClientTLS

    text = '{trust = {path = "trust.p12", password = "${x:a}"}}'
    config, followed = loaded(Tls, text, {"a": "CANARY-one"})
    assert isinstance(config, Tls)
    assert isinstance(config.value.trust, TrustStore)
    assert give(followed, "CANARY-two").is_new
    assert config.value.trust.password.reveal() == "CANARY-two"


def test_another_shape_is_a_fault_and_the_last_good_one_stays(loaded: Loaded) -> None:
    class Tables(Settings):
        value: dict[str, Secret[str]]

    config, followed = loaded(Tables, "${x:a?plain=true}", {"a": {"one": "CANARY-one", "two": "CANARY-two"}})
    assert isinstance(config, Tables)
    assert give(followed, {"one": "CANARY-new", "two": "CANARY-two"}).is_new
    assert config.value["one"].reveal() == "CANARY-new"
    fault = give(followed, {"one": "CANARY-newer"}).fault
    assert fault == "has another shape now, which takes a new load: watch() makes one"
    assert {key: one.reveal() for key, one in config.value.items()} == {"one": "CANARY-new", "two": "CANARY-two"}


def test_a_setting_that_nobody_holds_any_more_is_dead(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a}", {"a": "CANARY-one"})
    assert isinstance(config, App)
    assert followed.is_alive
    kept = config.value.map(str.upper)
    close(config)
    del config
    assert followed.is_alive, "what is derived keeps what it follows"
    assert kept.reveal() == "CANARY-ONE"


def test_how_fresh_it_is_goes_to_all_of_its_secrets(loaded: Loaded) -> None:
    class Lists(Settings):
        value: list[Secret[str]]

    config, followed = loaded(Lists, '["${x:a}", "${y:a}"]', {"a": "CANARY-one"})
    assert isinstance(config, Lists)
    followed.mark(State.GONE, None)
    assert [one.state for one in config.value] == [State.GONE, State.GONE]


def test_a_derived_secret_that_cannot_follow_is_an_event(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a}", {"a": "1"})
    assert isinstance(config, App)
    number = config.value.map(int)
    with listening(Topic.CALLBACK_FAILED) as heard:
        assert give(followed, "CANARY").is_new
    assert number.reveal() == 1
    assert [one.subject for one in heard] == ["value"]
    assert "CANARY" not in str(heard)


def test_of_two_answers_that_come_at_one_moment_none_is_lost(loaded: Loaded) -> None:
    config, followed = loaded(App, "${x:a}+${y:a}", {"a": "CANARY-old"})
    slow = Slow("CANARY-new+CANARY-old")
    install_observer(slow)
    try:
        first = in_threads(1, lambda: give(followed, "CANARY-new"))
        assert slow.waits.acquire(timeout=PATIENCE_S)
        second = in_threads(1, lambda: give(followed, "CANARY-new", scheme="y"))
        eventually(lambda: reveal(config) == "CANARY-new+CANARY-new", within_s=0.5)
        slow.go_on.set()
        join(first + second)
    finally:
        install_observer(None)
    assert reveal(config) == "CANARY-new+CANARY-new"


class Slow:
    """Is told of values before they are served, and takes its time with the swap of one."""

    def __init__(self, value: str) -> None:
        self._value, self._times = value, 0
        self.waits, self.go_on = threading.Semaphore(0), threading.Event()

    def learn(self, _name: str | None, payload: object) -> None:
        if payload == self._value:
            self._times += 1
            if self._times == 2:  # it is made first, and swapped in then
                self.waits.release()
                assert self.go_on.wait(PATIENCE_S)

    def release(self, name: str | None, payload: object) -> None:
        """It may forget it."""

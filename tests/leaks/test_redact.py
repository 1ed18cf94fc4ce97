"""What the redactor masks, what it says it cannot, and how long it remembers."""

import base64
import json
import threading
import time
from urllib.parse import quote

import pytest

from wellkept.events import BUS, Event, Topic
from wellkept.leaks.matcher import LOOP_LIMIT
from wellkept.leaks.redact import KEPT_S, KEPT_VERSIONS, WITHHELD, Redactor
from wellkept.testing import ManualClock

VALUE = "CANARY p@ss\"wörd'&<1>"
PEM = "-----BEGIN KEY-----\nCANARYMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END KEY-----\n"

FORMS = {
    "raw": VALUE,
    "repr": repr(VALUE),
    "json": json.dumps(VALUE),
    "json unicode": json.dumps(VALUE, ensure_ascii=False),
    "url": quote(VALUE, safe=""),
    "url lower": quote(VALUE, safe="").replace("%22", "%22").lower().replace("canary", "CANARY"),
    "hex": VALUE.encode().hex(),
    "base64": base64.b64encode(VALUE.encode()).decode(),
    "base64 of user and password": base64.b64encode(f"app:{VALUE}".encode()).decode(),
    "base64 url": base64.urlsafe_b64encode(f"x{VALUE}".encode()).decode(),
    "bytes": repr(VALUE.encode()),
}


def crowd(redactor: Redactor) -> Redactor:
    """Enough other values that the matcher goes by grams."""
    for number in range(LOOP_LIMIT):
        redactor.learn(f"other{number}", f"another-value-{number:06d}")
    return redactor


@pytest.mark.parametrize("is_crowded", [False, True], ids=["few", "many"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_of_a_value_is_masked(form: str, *, is_crowded: bool) -> None:
    redactor = crowd(Redactor()) if is_crowded else Redactor()
    redactor.learn("db_password", VALUE)
    masked = redactor.mask(f"before {form} after")
    assert "<secret db_password>" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert redactor.mask(masked) == masked


def test_the_leaves_of_a_structure_are_masked_however_deep() -> None:
    redactor = Redactor()
    redactor.learn("login", {"data": {"data": ["CANARY-deep-one", {"x": b"CANARY-deep-two"}]}})
    assert redactor.mask("CANARY-deep-one CANARY-deep-two") == "<secret login> <secret login>"


def test_each_line_of_a_key_is_masked_and_its_frame_is_not() -> None:
    redactor = Redactor()
    redactor.learn("key", PEM)
    lines = PEM.splitlines()
    assert redactor.mask(f"{lines[0]}\n  {lines[1]}\n  {lines[2]}") == f"{lines[0]}\n  <secret key>\n  <secret key>"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("CANARY1", "it is shorter than 8 characters"),
        ("changeme", "it is a common word"),
        ("CANARY-user", "it is a user name"),
    ],
)
def test_what_cannot_be_masked_is_said_by_name(value: str, reason: str) -> None:
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    redactor = Redactor(environ={"USER": "CANARY-user"})
    redactor.learn("pin", value)
    redactor.learn("pin", value)
    stop()
    assert redactor.not_maskable == {"pin": reason}
    assert [(event.topic, event.subject, event.detail) for event in events] == [
        (Topic.NOT_MASKABLE, "pin", f"is not masked: {reason}")
    ]
    assert redactor.mask(f"is {value}") == f"is {value}"


def test_a_value_that_a_plain_setting_has_too_is_not_masked() -> None:
    redactor = Redactor()
    redactor.learn("a", "CANARY-shared-value")
    redactor.exempt(["CANARY-shared-value"])
    assert redactor.mask("CANARY-shared-value") == "CANARY-shared-value"
    assert redactor.not_maskable == {"a": "a plain setting has the same value"}


def test_a_mask_never_holds_a_value() -> None:
    redactor = Redactor()
    redactor.learn("CANARY-name-is-value", "CANARY-name-is-value")
    assert redactor.mask("it is CANARY-name-is-value") == "it is <secret>"


def test_a_value_is_masked_until_its_last_handle_is_gone_for_a_day() -> None:
    clock = ManualClock()
    redactor = Redactor(clock=clock)
    redactor.learn("a", "CANARY-held-twice")
    redactor.learn("a", "CANARY-held-twice")
    redactor.release("a", "CANARY-held-twice")
    clock.advance(KEPT_S * 2)
    redactor.learn("b", "CANARY-another-one")
    assert redactor.mask("CANARY-held-twice") == "<secret a>"
    redactor.release("a", "CANARY-held-twice")
    redactor.learn("b", "CANARY-another-one")
    clock.advance(KEPT_S - 1)
    redactor.release("b", "CANARY-another-one")
    redactor.learn("b", "CANARY-another-one")
    assert redactor.mask("CANARY-held-twice") == "<secret a>"
    clock.advance(2)
    redactor.release("b", "CANARY-another-one")
    redactor.learn("b", "CANARY-another-one")
    assert redactor.mask("CANARY-held-twice") == "CANARY-held-twice"


def test_old_versions_of_one_name_are_kept_to_sixteen() -> None:
    redactor = Redactor()
    values = [f"CANARY-version-{number:03d}" for number in range(KEPT_VERSIONS + 2)]
    for value in values:
        redactor.learn("a", value)
    for value in values[:-1]:
        redactor.release("a", value)
    redactor.learn("b", "CANARY-makes-it-drain")
    still = [redactor.mask(value) == "<secret a>" for value in values]
    assert still == [False, *([True] * (KEPT_VERSIONS + 1))]


def test_a_text_is_withheld_where_masking_fails() -> None:
    class Broken(Redactor):
        def mask(self, text: str) -> str:
            raise RuntimeError(text)

    assert Broken().safe_mask("CANARY-of-a-fault") == WITHHELD


def test_release_takes_no_lock() -> None:
    redactor = Redactor()
    redactor.learn("a", "CANARY-locked-out")
    with redactor._lock:
        thread = threading.Thread(target=redactor.release, args=("a", "CANARY-locked-out"))
        thread.start()
        thread.join(40)
        assert not thread.is_alive()


@pytest.mark.timeout(240)  # 1,200 lessons in four threads, which take a quarter of a minute on a machine of its own
def test_readers_and_learners_do_not_disturb_each_other() -> None:
    redactor = crowd(Redactor())
    missed: list[str] = []

    def work(name: str) -> None:
        for number in range(300):
            value = f"CANARY-{name}-{number:04d}"
            redactor.learn(name, value)
            if "CANARY" in redactor.mask(f"saw {value} here"):
                missed.append(value)
            redactor.release(name, value)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three", "four")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missed == []


def test_a_child_takes_a_new_lock_whoever_held_the_old_one() -> None:
    redactor = Redactor()
    redactor.learn("a", "CANARY-before-fork")
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with redactor._lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    redactor.after_fork()  # what the child does first
    redactor.learn("b", "CANARY-after-fork")
    assert redactor.mask("CANARY-before-fork CANARY-after-fork") == "<secret a> <secret b>"
    done.set()
    thread.join()


def test_values_with_one_prefix_do_not_crowd_the_matcher() -> None:
    redactor = Redactor()
    for number in range(2_000):
        redactor.learn("key", f"sk_live_CANARY_{number * 7919:010d}")
    start = time.process_time()
    for _ in range(200):
        assert redactor.mask("a line about sk_live_CANARY_ and nothing else") != ""
    assert time.process_time() - start < 3  # it was over a millisecond a line, and coverage counts, too

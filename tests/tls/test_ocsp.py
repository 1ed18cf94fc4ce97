"""OCSP: what is believed of an answer, what becomes of a certificate, and how long it is remembered."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from tests.servers.process import PATIENCE_S
from tests.tls.pki import CA, DAY, HOUR, Leaf, chain_of
from tests.tls.responder import Reply, Responder, delegate, refused, responder, signed
from wellkept._http.ocsp import fetch_ocsp
from wellkept.events import BUS, Event, Topic
from wellkept.testing import ManualClock
from wellkept.tls.ocsp import RETRY_S, OcspChecker, Unanswered, Verdict, responder_of
from wellkept.tls.ocsp_answer import Answer, Status, question, read_answer

URL = "http://ocsp.test"
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
MINUTE = timedelta(minutes=1)
Missing = Callable[[str], NoReturn]


def leaf_of(ca: CA, url: str | None = URL) -> Leaf:
    return ca.issue("localhost", ocsp_url=url)


def asked_of(ca: CA, leaf: Leaf) -> bytes:
    return question(leaf.certificate, ca.certificate).public_bytes(Encoding.DER)


def read(ca: CA, leaf: Leaf, answer: bytes) -> Answer:
    return read_answer(answer, question(leaf.certificate, ca.certificate), ca.certificate, datetime.now(UTC))


class Carrier:
    """A fetch that answers by itself, counts, and can be cut off."""

    def __init__(self, ca: CA, status: str = "good", **how: object) -> None:
        self.ca, self.status, self.how = ca, status, how
        self.urls: list[str] = []
        self.error: OSError | None = None

    def __call__(self, url: str, request: bytes) -> bytes:
        self.urls.append(url)
        if self.error is not None:
            raise self.error
        return signed(request, self.ca, self.status, **self.how)  # type: ignore[arg-type]  # what a test gives is right


def checker(fetch: Callable[[str, bytes], bytes], clock: ManualClock | None = None, **options: object) -> OcspChecker:
    settings = {"hard_fail": False, "clock": clock or ManualClock(datetime.now(UTC)), **options}
    return OcspChecker(fetch, **settings)  # type: ignore[arg-type]  # what a test gives is right


@contextmanager
def heard() -> Iterator[list[Event]]:
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    try:
        yield events
    finally:
        stop()


# What is believed of an answer.


@pytest.mark.parametrize("key", ["p256", "p384", "rsa2048", "ed25519", "ed448"])
def test_an_answer_of_the_issuer_is_believed(key: str) -> None:
    ca = CA(key=key)
    leaf = leaf_of(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), ca))
    assert (answer.status, answer.fact) == (Status.GOOD, "is not revoked")


def test_a_revoked_certificate_is_told_with_its_day_and_reason() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), ca, "revoked"))
    assert answer.status is Status.REVOKED
    assert answer.fact.startswith("was revoked on 20")
    assert answer.fact.endswith(" UTC (keyCompromise)")
    assert read(ca, leaf, signed(asked_of(ca, leaf), ca, "revoked", reason=None)).fact.endswith(" UTC")


@pytest.mark.parametrize("key", ["p256", "rsa2048", "ed25519"])
@pytest.mark.parametrize("has_name", [True, False])
def test_an_answer_of_a_delegate_of_the_issuer_is_believed(key: str, has_name: bool) -> None:
    ca = CA()
    leaf, signer = leaf_of(ca), delegate(ca, key=key)
    answer = signed(asked_of(ca, leaf), signer, sends=[signer.certificate], has_name=has_name)
    assert read(ca, leaf, answer).status is Status.GOOD


@pytest.mark.parametrize(
    ("signer", "fact"),
    [
        (lambda ca: delegate(ca, purposes=()), "OCSP responder, which is not for it: OCSPSigning is missing"),
        (lambda ca: delegate(ca, purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), "OCSPSigning is missing"),
        (lambda ca: ca.issue("other.test"), "other.test, which is not for it: OCSPSigning is missing"),
        (lambda ca: delegate(ca, not_after=-DAY), "which has expired or is not yet valid"),
        (lambda ca: delegate(ca, signs=False), "which is not for it: its key usage lacks digitalSignature"),
        (lambda ca: delegate(ca, key="rsa1024"), "which is weak"),
        (lambda _: delegate(CA("Somebody else")), "which the CA did not issue"),
        (lambda _: delegate(CA()), "OCSP responder, which the CA did not issue"),
    ],
)
def test_a_delegate_that_may_not_answer_is_not_believed(signer: Callable[[CA], Leaf], fact: str) -> None:
    ca = CA()
    leaf, wrong = leaf_of(ca), signer(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), wrong, sends=[wrong.certificate]))
    assert answer.status is Status.UNKNOWN
    assert answer.fact.startswith("names a responder whose answer is signed by ")
    assert answer.fact.endswith(fact)


def test_a_delegate_below_another_ca_is_not_believed_though_both_hang_together() -> None:
    root, below = chain_of("Root", "Intermediate")
    leaf, signer = leaf_of(below), delegate(root)
    answer = read(below, leaf, signed(asked_of(below, leaf), signer, sends=[signer.certificate]))
    assert answer.fact.endswith("which the CA did not issue")


def test_a_certificate_does_not_speak_for_itself() -> None:
    ca = CA()
    own = delegate(ca)
    answer = read(ca, own, signed(asked_of(ca, own), own, sends=[own.certificate]))
    assert answer.fact.endswith("which is the certificate in question itself")


def test_a_signer_whose_certificate_is_not_sent_is_not_believed() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), delegate(ca)))
    assert answer.fact == "names a responder whose answer is signed neither by its CA nor by a responder of it"
    assert answer == read(ca, leaf, signed(asked_of(ca, leaf), CA()))


def test_only_a_few_certificates_are_tried() -> None:
    ca = CA()
    leaf, signer = leaf_of(ca), delegate(ca)
    others = [delegate(ca).certificate for _ in range(8)]
    answer = read(ca, leaf, signed(asked_of(ca, leaf), signer, sends=[*others, signer.certificate]))
    assert answer.status is Status.UNKNOWN


def test_a_weak_signature_is_not_believed() -> None:
    ca = CA(key="rsa2048")
    leaf = leaf_of(ca)
    good = signed(asked_of(ca, leaf), ca, hash_algorithm=hashes.SHA256())
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    answer = read(ca, leaf, good.replace(sha256, sha1))
    assert answer.fact == "names a responder whose answer has a weak signature: SHA1"


def test_a_changed_answer_is_not_believed() -> None:
    ca = CA()
    leaf, signer = leaf_of(ca), delegate(ca)
    good = signed(asked_of(ca, leaf), signer, "revoked", sends=[signer.certificate])
    before = read(ca, leaf, good)
    for position in range(len(good)):
        changed = bytearray(good)
        changed[position] ^= 1
        answer = read(ca, leaf, bytes(changed))
        # One bit of BIT STRING says how many of its last bits are not used, and changes nothing.
        assert answer.status is Status.UNKNOWN or answer == before


def test_an_answer_that_is_cut_off_is_not_believed() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    good = signed(asked_of(ca, leaf), ca)
    assert all(read(ca, leaf, good[:length]).status is Status.UNKNOWN for length in range(len(good)))


def test_an_answer_about_another_certificate_is_not_believed() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    for wrong in (signed(asked_of(ca, leaf), ca, serial=7), signed(asked_of(ca, leaf), ca, key_hash=bytes(20))):
        answer = read(ca, leaf, wrong)
        assert answer.fact == "names a responder whose answer is about another certificate"


def test_an_answer_in_another_hash_than_the_question_is_not_believed() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    other = ocsp.OCSPRequestBuilder().add_certificate(leaf.certificate, ca.certificate, hashes.SHA256()).build()
    answer = read(ca, leaf, signed(other.public_bytes(Encoding.DER), ca))
    assert answer.fact == "names a responder whose answer is about another certificate"


@pytest.mark.parametrize(
    ("this_update", "next_update", "fact"),
    [
        (-HOUR, -4 * MINUTE, None),
        (4 * MINUTE, HOUR, None),
        (-23 * HOUR, None, None),
        (-HOUR, -6 * MINUTE, "has expired: it was valid until"),
        (6 * MINUTE, HOUR, "begins in the future: one of the clocks is wrong"),
        (-25 * HOUR, None, "has expired: it was valid until"),
    ],
)
def test_an_answer_counts_within_its_dates_and_five_minutes(
    this_update: timedelta, next_update: timedelta | None, fact: str | None
) -> None:
    ca = CA()
    leaf = leaf_of(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), ca, this_update=this_update, next_update=next_update))
    assert (answer.status is Status.GOOD) == (fact is None)
    assert (fact or "is not revoked") in answer.fact


def test_a_critical_extension_that_nobody_knows_makes_an_answer_useless() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    known, strange = x509.OCSPNonce(b"CANARY--"), STRANGE
    assert read(ca, leaf, signed(asked_of(ca, leaf), ca, extensions=[(known, True)])).status is Status.GOOD
    assert read(ca, leaf, signed(asked_of(ca, leaf), ca, extensions=[(strange, False)])).status is Status.GOOD
    answer = read(ca, leaf, signed(asked_of(ca, leaf), ca, extensions=[(strange, True)]))
    assert answer.fact == "names a responder whose answer has a critical extension that is not known"


def test_a_responder_that_does_not_know_it_leaves_it_unknown() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    answer = read(ca, leaf, signed(asked_of(ca, leaf), ca, "unknown"))
    assert (answer.status, answer.fact) == (Status.UNKNOWN, "names a responder that does not know it")


@pytest.mark.parametrize("status", [one for one in ocsp.OCSPResponseStatus if one.name != "SUCCESSFUL"])
def test_a_refusal_is_told_in_words(status: ocsp.OCSPResponseStatus) -> None:
    ca = CA()
    answer = read(ca, leaf_of(ca), refused(status))
    assert answer.status is Status.UNKNOWN
    assert answer.fact.startswith("names a responder that ")


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", b"\x30\x03\x0a\x01\x00", b"<html>", bytes(1000), b"\x30\x03\x0a\x01\x63"]
)
def test_garbage_is_unknown(data: bytes) -> None:
    ca = CA()
    answer = read(ca, leaf_of(ca), data)
    assert (answer.status, answer.fact) == (Status.UNKNOWN, "names a responder whose answer cannot be read")


# What becomes of a certificate.


@pytest.mark.parametrize("hard_fail", [True, False])
def test_a_good_certificate_is_let_in_and_a_revoked_one_is_refused(hard_fail: bool) -> None:
    ca = CA()
    leaf = leaf_of(ca)
    with heard() as events:
        good = checker(Carrier(ca), hard_fail=hard_fail).check(leaf.certificate, ca.certificate)
        bad = checker(Carrier(ca, "revoked"), hard_fail=hard_fail).check(leaf.certificate, ca.certificate)
    assert good == Verdict(Status.GOOD, "is not revoked", refuses=False)
    assert (bad.status, bad.refuses) == (Status.REVOKED, True)
    assert not events


def test_an_unknown_one_is_refused_by_choice_only_and_told_otherwise() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    with heard() as events:
        soft = checker(Carrier(ca, "unknown")).check(leaf.certificate, ca.certificate)
        assert [(one.topic, one.subject, one.detail) for one in events] == [
            (Topic.REVOCATION_UNKNOWN, "localhost", "names a responder that does not know it")
        ]
        hard = checker(Carrier(ca, "unknown"), hard_fail=True).check(leaf.certificate, ca.certificate)
    assert (soft.status, soft.refuses) == (Status.UNKNOWN, False)
    assert (hard.status, hard.refuses) == (Status.UNKNOWN, True)
    assert len(events) == 1


def test_an_event_comes_once_for_a_certificate_and_period() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    one, other, made = leaf_of(ca), leaf_of(ca), checker(Carrier(ca, "unknown"), clock, cache_validity_s=100)
    with heard() as events:
        for _ in range(9):
            made.check(one.certificate, ca.certificate)
            clock.advance(RETRY_S + 1)
        assert len(events) == 1
        made.check(other.certificate, ca.certificate)
        assert len(events) == 2
        clock.advance(10)
        made.check(one.certificate, ca.certificate)
        assert len(events) == 3


def test_a_certificate_without_a_responder_is_unknown_and_nobody_is_asked() -> None:
    ca, carrier = CA(), Carrier(CA())
    leaf = leaf_of(ca, None)
    made = checker(carrier)
    assert made.check(leaf.certificate, ca.certificate).reason == "names no OCSP responder"
    assert responder_of(leaf.certificate) is None
    assert not carrier.urls


@pytest.mark.parametrize("url", ["ldap://ocsp.test", "file:///etc/passwd", "ftp://ocsp.test", "HTTP:x"])
def test_only_http_is_asked(url: str) -> None:
    ca, carrier = CA(), Carrier(CA())
    assert not checker(carrier).check(leaf_of(ca, url).certificate, ca.certificate).refuses
    assert not carrier.urls


def test_the_responder_stands_among_other_places() -> None:
    ca = CA()
    leaf = leaf_of(ca)
    places = [
        (AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.test")),
        (AuthorityInformationAccessOID.OCSP, x509.DirectoryName(ca.certificate.subject)),
        (AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("https://ocsp.test/a")),
    ]
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(leaf.certificate.subject).issuer_name(ca.certificate.subject)
    builder = builder.public_key(leaf.certificate.public_key()).serial_number(7)
    builder = builder.not_valid_before(now - HOUR).not_valid_after(now + HOUR)
    access = x509.AuthorityInformationAccess([x509.AccessDescription(oid, place) for oid, place in places])
    made = builder.add_extension(access, critical=False).sign(ca.key, hashes.SHA256())
    assert responder_of(made) == "https://ocsp.test/a"


def test_the_responder_of_a_certificate_that_its_issuer_did_not_sign_is_never_asked() -> None:
    ca, carrier = CA(), Carrier(CA())
    leaf = leaf_of(CA())  # the same name, another key
    verdict = checker(carrier).check(leaf.certificate, ca.certificate)
    assert verdict.reason == "is not signed by the CA that was given, so its responder is not asked"
    assert not carrier.urls


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (Unanswered("answers with status 500"), "answers with status 500"),
        (TimeoutError("CANARY"), "did not answer in time"),
        (ConnectionRefusedError("CANARY"), "cannot be reached"),
    ],
)
def test_a_responder_that_does_not_answer_is_named_without_its_path(error: OSError, fact: str) -> None:
    ca = CA()
    leaf = leaf_of(ca, "http://user:CANARY@ocsp.test:8080/CANARY?CANARY")
    carrier = Carrier(ca)
    carrier.error = error
    assert checker(carrier).check(leaf.certificate, ca.certificate).reason == (
        f"names the responder http://ocsp.test:8080, which {fact}"
    )


@pytest.mark.parametrize("url", ["http://[::1", "http://ocsp.test:999999"])
def test_a_url_that_is_none_is_not_shown(url: str) -> None:
    ca, carrier = CA(), Carrier(CA())
    carrier.error = Unanswered("cannot be asked: its URL is no address")
    verdict = checker(carrier).check(leaf_of(ca, url).certificate, ca.certificate)
    assert verdict.reason == "names the responder (no URL), which cannot be asked: its URL is no address"


def test_a_certificate_whose_extensions_cannot_be_read_names_nobody() -> None:
    ca, now = CA(), datetime.now(UTC)
    access = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.1")
    broken = x509.UnrecognizedExtension(access, b"\x30\x03\x02\x01\x01")
    builder = x509.CertificateBuilder().subject_name(ca.certificate.subject).issuer_name(ca.certificate.subject)
    builder = builder.public_key(ca.certificate.public_key()).serial_number(7)
    builder = builder.not_valid_before(now - HOUR).not_valid_after(now + HOUR).add_extension(broken, critical=False)
    assert responder_of(builder.sign(ca.key, hashes.SHA256())) is None


# How long it is remembered.


def test_an_answer_is_kept_for_its_period() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca)
    made = checker(carrier, clock, cache_validity_s=100)
    for _ in range(3):
        made.check(leaf.certificate, ca.certificate)
    clock.advance(99)
    made.check(leaf.certificate, ca.certificate)
    assert len(carrier.urls) == 1
    clock.advance(2)
    made.check(leaf.certificate, ca.certificate)
    assert len(carrier.urls) == 2


def test_an_answer_is_not_kept_longer_than_it_is_valid() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca, next_update=MINUTE)
    made = checker(carrier, clock)
    made.check(leaf.certificate, ca.certificate)
    clock.advance(62)
    made.check(leaf.certificate, ca.certificate)
    assert len(carrier.urls) == 2


def test_a_machine_that_slept_asks_again() -> None:
    class Sleeper(ManualClock):
        slept = timedelta(0)

        def now(self) -> datetime:
            return super().now() + self.slept

    ca, clock = CA(), Sleeper(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca)
    made = checker(carrier, clock)
    made.check(leaf.certificate, ca.certificate)
    clock.slept = 2 * DAY
    assert made.remembered(leaf.certificate, ca.certificate) is None


def test_an_unknown_one_is_asked_for_again_after_a_short_while() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca, "unknown")
    made = checker(carrier, clock)
    for _ in range(3):
        made.check(leaf.certificate, ca.certificate)
    assert len(carrier.urls) == 1
    clock.advance(RETRY_S)
    carrier.status = "good"
    assert made.check(leaf.certificate, ca.certificate).status is Status.GOOD


def test_a_dead_responder_costs_one_timeout_for_all_of_its_certificates() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    carrier = Carrier(ca)
    carrier.error = TimeoutError()
    made = checker(carrier, clock)
    verdicts = [made.check(leaf_of(ca).certificate, ca.certificate) for _ in range(5)]
    assert {one.reason for one in verdicts} == {"names the responder http://ocsp.test, which did not answer in time"}
    assert len(carrier.urls) == 1
    made.check(leaf_of(ca, "http://other.test").certificate, ca.certificate)
    assert len(carrier.urls) == 2


def test_a_revoked_certificate_stays_so_while_its_responder_is_dead() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca, "revoked", next_update=MINUTE)
    made = checker(carrier, clock)
    first = made.check(leaf.certificate, ca.certificate)
    carrier.error = TimeoutError()
    for _ in range(3):
        clock.advance(3600)
        assert made.check(leaf.certificate, ca.certificate) == first
        assert made.check(leaf.certificate, ca.certificate) == first
    assert len(carrier.urls) == 4


def test_an_older_answer_does_not_undo_a_revocation_and_a_newer_one_does() -> None:
    ca, clock = CA(), ManualClock(datetime.now(UTC))
    leaf, carrier = leaf_of(ca), Carrier(ca, "revoked", reason=x509.ReasonFlags.certificate_hold)
    made = checker(carrier, clock)
    made.check(leaf.certificate, ca.certificate)
    carrier.status, carrier.how = "good", {"this_update": -2 * HOUR}
    clock.advance(901)
    assert made.check(leaf.certificate, ca.certificate).status is Status.REVOKED
    carrier.how = {"this_update": timedelta(0)}
    clock.advance(RETRY_S)
    assert made.check(leaf.certificate, ca.certificate).status is Status.GOOD


def test_only_so_many_answers_are_kept_the_ones_that_were_needed_last() -> None:
    ca, carrier = CA(), Carrier(CA())
    carrier.ca = ca
    made = checker(carrier, cache_size=3)
    first, second, *others = [leaf_of(ca).certificate for _ in range(4)]
    made.check(first, ca.certificate)
    made.check(second, ca.certificate)
    made.check(first, ca.certificate)
    for one in others:
        made.check(one, ca.certificate)
    assert made.remembered(first, ca.certificate) is not None
    assert made.remembered(second, ca.certificate) is None
    assert len(carrier.urls) == 4


def test_what_is_remembered_asks_nobody() -> None:
    ca, carrier = CA(), Carrier(CA(), "unknown")
    carrier.ca = ca
    leaf, made = leaf_of(ca), checker(carrier, hard_fail=True)
    assert made.remembered(leaf.certificate, ca.certificate) is None
    assert not carrier.urls
    verdict = made.check(leaf.certificate, ca.certificate)
    assert made.remembered(leaf.certificate, ca.certificate) == verdict
    assert verdict.refuses


def test_threads_may_share_one() -> None:
    ca = CA()
    leaves = [leaf_of(ca).certificate for _ in range(20)]
    made, wrong = checker(Carrier(ca), cache_size=5), list[Status]()

    def run() -> None:
        for one in leaves * 3:
            status = made.check(one, ca.certificate).status
            if status is not Status.GOOD:
                wrong.append(status)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    ca = CA()
    leaf, made = leaf_of(ca), checker(Carrier(ca))
    with made._answers._lock, made._down._lock, made._told._lock:
        child = os.fork()
        if child == 0:
            status = made.check(leaf.certificate, ca.certificate).status
            os._exit(0 if status is Status.GOOD else 1)
        ended = (0, 0)
        for _ in range(900):  # a crowded machine forks in seconds
            ended = os.waitpid(child, os.WNOHANG)
            if ended[0]:
                break
            time.sleep(0.05)
        else:
            os.kill(child, 9)
            os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert ended[0] == child


# Over real HTTP, and against OpenSSL.


@pytest.fixture(scope="module")
def server() -> Iterator[Responder]:
    with responder(CA("Real")) as made:
        yield made


@pytest.fixture
def real(server: Responder) -> Iterator[Responder]:
    yield server
    server.script = None
    server.revoked.clear()
    server.requests.clear()


def patient(url: str, request: bytes) -> bytes:
    """As `fetch_ocsp`, for a responder that answers: be it late on a crowded machine."""
    return fetch_ocsp(url, request, timeout_s=PATIENCE_S)


def verdict_of(
    server: Responder, script: Callable[[bytes], Reply] | None = None, *, timeout_s: float = PATIENCE_S
) -> Verdict:
    server.script = script
    leaf = server.ca.issue("localhost", ocsp_url=server.url)

    def fetch(url: str, request: bytes) -> bytes:
        return fetch_ocsp(url, request, timeout_s=timeout_s)

    return OcspChecker(fetch, hard_fail=True).check(leaf.certificate, server.ca.certificate)


def test_over_http_a_good_one_is_good_and_a_revoked_one_revoked(real: Responder) -> None:
    made = OcspChecker(patient, hard_fail=True)
    good, bad = (real.ca.issue("localhost", ocsp_url=real.url).certificate for _ in range(2))
    real.revoked.add(bad.serial_number)
    assert made.check(good, real.ca.certificate).status is Status.GOOD
    assert made.check(bad, real.ca.certificate).status is Status.REVOKED
    assert len(real.requests) == 2


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (lambda ca: lambda request: Reply(signed(request, ca, "unknown")), "names a responder that does not know it"),
        (lambda ca: lambda request: Reply(signed(request, ca, next_update=-HOUR / 2)), "has expired"),
        (lambda _: lambda request: Reply(signed(request, CA())), "is signed neither by its CA"),
        (lambda ca: lambda request: Reply(signed(request, ca, serial=7)), "is about another certificate"),
        (lambda _: lambda _request: Reply(b"garbage"), "cannot be read"),
        (lambda _: lambda _request: Reply(status=500), "answers with status 500"),
        (lambda _: lambda _request: Reply(is_slow=True), "did not answer within 0.3 s"),
    ],
)
def test_over_http_anything_else_is_unknown(
    real: Responder, script: Callable[[CA], Callable[[bytes], Reply]], reason: str
) -> None:
    verdict = verdict_of(real, script(real.ca), timeout_s=0.3 if "within" in reason else PATIENCE_S)
    assert (verdict.status, verdict.refuses) == (Status.UNKNOWN, True)
    assert reason in verdict.reason


def test_over_http_a_delegate_is_believed(real: Responder) -> None:
    signer = delegate(real.ca)
    script = lambda request: Reply(signed(request, signer, sends=[signer.certificate]))  # noqa: E731 as above
    assert verdict_of(real, script).status is Status.GOOD


@contextmanager
def openssl_responder(folder: Path, ca: CA, leaves: dict[str, Leaf], signer: Leaf | None) -> Iterator[str]:
    """The responder of the openssl program, that knows leaves by V (valid) and R (revoked)."""
    now = datetime.now(UTC)
    stamp, past = f"{now + DAY:%y%m%d%H%M%SZ}", f"{now - HOUR:%y%m%d%H%M%SZ}"
    lines = [
        f"{kind}\t{stamp}\t{past + ',keyCompromise' if kind == 'R' else ''}\t{leaf.certificate.serial_number:040X}"
        f"\tunknown\t/CN=localhost\n"
        for kind, leaf in leaves.items()
    ]
    (folder / "index.txt").write_text("".join(lines), encoding="ascii")
    ca.write(folder)
    files = (signer or Leaf(ca.certificate, ca.key)).write(folder / "secrets", "signer")
    # A leaf is asked about at a URL that stands in it, so the port comes first: it is taken from the output.
    signs = "-rsigner", str(files.cert_file), "-rkey", str(files.key_file)
    process = subprocess.Popen(
        ["openssl", "ocsp", "-port", "0", "-index", "index.txt", "-CA", "ca.crt", "-ndays", "1", *signs],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = next(line for line in process.stdout if line.startswith("ACCEPT"))
        yield f"http://127.0.0.1:{ready.split()[1].rpartition(':')[2]}"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("has_delegate", [True, False])
def test_the_responder_of_openssl_is_understood(has_delegate: bool, tmp_path: Path, missing: Missing) -> None:
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    ca = CA("Real")
    leaves = {"V": leaf_of(ca), "R": leaf_of(ca), "?": leaf_of(ca)}
    known = {kind: leaf for kind, leaf in leaves.items() if kind != "?"}
    with openssl_responder(tmp_path, ca, known, delegate(ca) if has_delegate else None) as url:
        made = OcspChecker(lambda _, request: patient(url, request), hard_fail=False)
        found = {kind: made.check(leaf.certificate, ca.certificate) for kind, leaf in leaves.items()}
    assert {kind: one.status.value for kind, one in found.items()} == {"V": "good", "R": "revoked", "?": "unknown"}
    assert found["R"].reason.endswith("(keyCompromise)")
    assert found["?"].reason == "names a responder that does not know it"

"""What is wrong with the parts of a bundle: each rule by its code, at its edges; only errors stop a start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from tests.tls.pki import CA, CASES, DAY, HOUR, Leaf, chain_of, self_signed
from wellkept.model import Finding, Severity
from wellkept.tls.bundle import Anchor, Identity, Parts
from wellkept.tls.crl import Crl, read_crls
from wellkept.tls.judge import ends_soon, errors_of, findings_of, is_nearly_over, judge_lists, judge_trust
from wellkept.tls.policy import CrlMode, Policy, VerifyClient

SERVER, CLIENT = Policy(is_server=True), Policy(is_server=False)
NOW = datetime.now(UTC)


def identity(leaf: Leaf, *, exposed: bool = False) -> Identity:
    return Identity((leaf.certificate, *leaf.chain), leaf.key, "server.crt", "server.key", exposed)


def judge(leaf: Leaf | None, policy: Policy = SERVER, *, trust: CA | None = None, now: datetime = NOW) -> list[Finding]:
    anchors = () if trust is None else (Anchor(trust.certificate, "ca.crt"),)
    found = findings_of(Parts(None if leaf is None else identity(leaf), anchors), policy, now=now)
    for one in found:
        assert one.place
        assert one.fix
        assert not one.evidence.endswith(".")
        assert "\n" not in one.evidence + one.fix
    return found


def codes(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.id, str(one.severity)) for one in found]


def _chained(*names: str, last: Callable[[CA], Leaf]) -> Leaf:
    return last(chain_of(*names)[-1])


RULES: dict[str, tuple[Callable[[], Leaf], list[tuple[str, str]]]] = {
    "good": (lambda: CA().issue("localhost"), []),
    "another key": (lambda: CA().issue("localhost").with_key(), [("TLS001", "error")]),
    "expired": (lambda: CA().issue("localhost", not_after=-DAY), [("TLS003", "error")]),
    "not yet valid": (lambda: CA().issue("localhost", not_before=DAY), [("TLS004", "error")]),
    "ends soon": (lambda: CA().issue("localhost", not_before=-9 * DAY, not_after=DAY), [("TLS005", "warning")]),
    "rsa1024": (lambda: CA().issue("localhost", key="rsa1024"), [("TLS006", "error")]),
    "rsa2048": (lambda: CA().issue("localhost", key="rsa2048"), []),
    "p384": (lambda: CA().issue("localhost", key="p384"), []),
    "ed25519": (lambda: CA().issue("localhost", key="ed25519"), []),
    "CA as leaf": (lambda: CA().issue("localhost", ca=True), [("TLS008", "warning")]),
    "for clients": (lambda: CA().issue("localhost", server=False), [("TLS009", "warning")]),
    "for both": (lambda: CA().issue("localhost"), []),
    "for anything": (lambda: CA().issue("localhost", eku=False), []),
    "no names": (lambda: CA().issue(cn="localhost"), [("TLS011", "warning")]),
    "an address only": (lambda: CA().issue(ips=["127.0.0.1"]), []),
    "self-signed": (lambda: self_signed("localhost"), []),
    "whole chain": (lambda: _chained("Root", "First", "Second", last=lambda ca: ca.issue("localhost")), []),
    "misordered": (
        lambda: CASES["misordered-chain"]().leaf,
        [("TLS012", "warning"), ("TLS012", "warning")],
    ),
    "unrelated": (
        lambda: CA().issue("localhost").with_chain(CA("Other").certificate),
        [("TLS013", "warning")],
    ),
    "expired intermediate": (
        lambda: CA("Old", parent=CA("Root"), not_after=-DAY).issue("localhost"),
        [("TLS014", "warning")],
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_its_code(name: str) -> None:
    make, wanted = RULES[name]
    assert codes(judge(make())) == wanted


def test_the_root_first_is_the_wrong_order_not_another_key() -> None:
    case = CASES["root-first-chain"]().leaf
    turned = Leaf(case.chain[0], case.key, (case.certificate, *case.chain[1:]))
    assert codes(errors_of(judge(turned))) == [("TLS002", "error")]


def test_errors_come_first() -> None:
    leaf = CA().issue(cn="localhost", not_after=-DAY, server=False)
    assert [severity for _, severity in codes(judge(leaf))] == ["error", "warning", "warning"]


def test_a_server_needs_a_certificate_and_a_client_does_not() -> None:
    assert codes(judge(None)) == [("TLS000", "error")]
    assert judge(None, CLIENT) == []


@pytest.mark.parametrize("wanted", list(VerifyClient))
def test_a_server_that_asks_for_certificates_needs_a_ca(wanted: VerifyClient) -> None:
    policy = Policy(is_server=True, verify_client=wanted)
    assert codes(judge(CA().issue("localhost"), policy)) == [("TLS023", "error")]
    assert judge(CA().issue("localhost"), policy, trust=CA()) == []


def test_a_client_is_judged_as_a_client() -> None:
    assert codes(judge(CA().issue("a.test", client=False), CLIENT)) == [("TLS009", "warning")]
    assert judge(CA().issue("a.test", server=False), CLIENT) == []
    assert judge(CA().issue(cn="a.test"), CLIENT) == []


def test_a_key_that_others_can_read_is_a_warning_with_the_command_that_mends_it() -> None:
    (one,) = findings_of(Parts(identity(CA().issue("localhost"), exposed=True)), SERVER, now=NOW)
    assert (one.id, one.severity, one.place) == ("TLS010", Severity.WARNING, "server.key")
    assert one.fix == "chmod 600 server.key"


@pytest.mark.parametrize(
    ("not_after", "offset", "wanted"),
    [
        (30 * DAY, timedelta(seconds=0), []),
        (30 * DAY, timedelta(seconds=1), ["TLS003"]),
    ],
)
def test_the_last_second_of_a_certificate_is_still_good(
    not_after: timedelta, offset: timedelta, wanted: list[str]
) -> None:
    leaf = CA().issue("localhost", not_after=not_after)
    at = leaf.certificate.not_valid_after_utc + offset
    assert [one.id for one in errors_of(judge(leaf, now=at))] == wanted


def test_the_first_second_of_a_certificate_is_good() -> None:
    leaf = CA().issue("localhost")
    begin = leaf.certificate.not_valid_before_utc
    assert errors_of(judge(leaf, now=begin)) == []
    assert [one.id for one in errors_of(judge(leaf, now=begin - timedelta(seconds=1)))] == ["TLS004"]


@pytest.mark.parametrize("lifetime", [HOUR, 45 * DAY, 3650 * DAY])
def test_soon_is_a_part_of_the_lifetime_not_a_number_of_days(lifetime: timedelta) -> None:
    leaf = CA(days=9999).issue("localhost", not_before=timedelta(0), not_after=lifetime).certificate
    begin = leaf.not_valid_before_utc
    assert not ends_soon(leaf, begin + lifetime * 0.6)
    assert ends_soon(leaf, begin + lifetime * 0.7)
    assert not is_nearly_over(leaf, begin + lifetime * 0.85)
    assert is_nearly_over(leaf, begin + lifetime * 0.95)


def trusted(*cas: CA) -> list[tuple[str, str]]:
    return codes(list(judge_trust([Anchor(one.certificate, "ca.crt") for one in cas], now=NOW)))


def test_what_is_wrong_with_a_trust() -> None:
    assert trusted(CA()) == []
    assert trusted(CA(not_after=-DAY)) == [("TLS021", "error")]
    assert trusted(CA(not_before=DAY)) == [("TLS021", "error")]
    assert trusted(CA(), CA("Old", not_after=-DAY)) == [("TLS021", "warning")]
    assert trusted(CA("Old", not_after=-DAY), CA("Older", not_after=-DAY)) == [("TLS021", "error")] * 2


def test_a_leaf_in_a_trust_vouches_for_itself_only() -> None:
    leaf = CA().issue("localhost")
    (one,) = judge_trust([Anchor(leaf.certificate, "ca.crt")], now=NOW)
    assert (one.id, one.severity) == ("TLS020", Severity.WARNING)
    assert "is no CA certificate" in one.evidence


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"without_ski": True}, "no subject key identifier"),
        ({"bc_critical": False}, "basic constraints are not critical"),
        ({"key_usage": False}, "no key usage extension"),
    ],
)
def test_a_ca_that_strict_rules_refuse_is_a_warning(worse: dict[str, bool], words: str) -> None:
    ca = CA(**worse)  # type: ignore[arg-type]  # three of its switches
    (one,) = judge_trust([Anchor(ca.certificate, "ca.crt")], now=NOW)
    assert (one.id, one.severity) == ("TLS022", Severity.WARNING)
    assert words in one.evidence


@pytest.mark.parametrize("name", ["crl-expired", "crl-wrong-issuer", "crl-missing"])
def test_a_list_that_refuses_everybody_is_an_error_where_it_is_required(name: str) -> None:
    case = CASES[name]()
    crls = read_crls(case.crl or b"", place="ca.crl")
    found = findings_of(parts_with(case.trust, crls), CLIENT, now=NOW)
    assert [one.id for one in errors_of(found)]
    assert {one.id for one in found} == {"TLS030"}
    softly = Policy(is_server=False, crl_mode=CrlMode.WARN)
    assert errors_of(findings_of(parts_with(case.trust, crls), softly, now=NOW)) == []


def parts_with(trust: bytes, crls: tuple[Crl, ...]) -> Parts:
    anchors = tuple(Anchor(one, "ca.crt") for one in x509.load_pem_x509_certificates(trust))
    return Parts(None, anchors, crls)


def test_a_list_that_ends_soon_is_a_warning() -> None:
    ca = CA()
    crls = read_crls(ca.crl(last_update=-20 * HOUR, next_update=HOUR), place="ca.crl")
    (one,) = judge_lists(parts_with(ca.pem, crls), is_required=True, now=NOW)
    assert (one.severity, one.place) == (Severity.WARNING, "ca.crl")
    assert "ends soon" in one.evidence


def test_no_text_of_a_certificate_moves_a_cursor() -> None:
    leaf = CA().issue(cn="evil\x1b[2J\n" + "x" * 40, not_after=-DAY, san=False)
    for one in judge(leaf):
        assert one.evidence.isprintable()


def test_a_very_long_name_is_cut() -> None:
    leaf = CA().issue(uris=["spiffe://prod/" + "x" * 1000], not_after=-DAY)
    assert all(len(one.evidence) < 300 for one in judge(leaf))

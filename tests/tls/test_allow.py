"""Whom a list lets in: `*` is one whole segment that is not empty, and never crosses a separator."""

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept.errors import UsageError
from wellkept.tls import CertKey, MutualTLS, ServerTLS
from wellkept.tls.allow import Allow, fault_of, faults_of
from wellkept.tls.names import Names

STEP = st.text(st.characters(codec="ascii", categories=("Ll", "N"), include_characters="-_"), min_size=1, max_size=8)
STEPS = st.lists(STEP, min_size=1, max_size=5)
# What a certificate of a stranger may hold between two separators.
ANY_STEP = st.text(st.characters(codec="utf-8"), max_size=8)


def lets_in(pattern: str, *, dns: str = "", uri: str = "", ip: str = "", cn: str = "") -> bool:
    names = Names((dns,) if dns else (), (ip_address(ip),) if ip else (), (uri,) if uri else (), common_name=cn)
    return Allow((pattern,)).lets_in(names)


@pytest.mark.parametrize(
    ("pattern", "uri", "is_in"),
    [
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/pay/sa/billing", True),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/pay/sa/orders", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns//sa/billing", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/a/b/sa/billing", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/*/sa/billing", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/pay/sa/billing/", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/pay/sa/billing?x", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://prod/ns/pay/sa/billingx", False),
        ("spiffe://prod/ns/*/sa/billing", "spiffe://PROD/ns/pay/sa/billing", False),
        ("spiffe://prod/ns/*/sa/billing", "https://prod/ns/pay/sa/billing", False),
        ("spiffe://*/sa", "spiffe://prod/sa", True),
        ("spiffe://*", "spiffe://prod/sa", False),
        ("spiffe://prod/*", "spiffe://prod", False),
        ("uri:https://a.test/*", "https://a.test/x", True),
        ("uri:https://a.test/*", "https://a.test/x/y", False),
        ("uri:urn:a:b", "urn:a:b", True),
    ],
)
def test_a_pattern_of_uris(pattern: str, uri: str, is_in: bool) -> None:
    assert lets_in(pattern, uri=uri) is is_in


@pytest.mark.parametrize(
    ("pattern", "dns", "is_in"),
    [
        ("dns:job.internal", "job.internal", True),
        ("dns:job.internal", "JOB.Internal", True),
        ("dns:job.internal", "job.internal.evil.test", False),
        ("dns:job.internal", "xjob.internal", False),
        ("dns:*.internal", "job.internal", True),
        ("dns:*.internal", "a.job.internal", False),
        ("dns:*.internal", ".internal", False),
        ("dns:*.internal", "*.internal", False),
        ("dns:*.internal", "internal", False),
        ("dns:a.*.internal", "a.b.internal", True),
    ],
)
def test_a_pattern_of_host_names(pattern: str, dns: str, is_in: bool) -> None:
    assert lets_in(pattern, dns=dns) is is_in


@pytest.mark.parametrize(
    ("pattern", "ip", "is_in"),
    [
        ("ip:10.0.0.1", "10.0.0.1", True),
        ("ip:10.0.0.1", "10.0.0.2", False),
        ("ip:::1", "0:0:0:0:0:0:0:1", True),
        ("ip:::1", "127.0.0.1", False),
    ],
)
def test_a_pattern_of_addresses(pattern: str, ip: str, is_in: bool) -> None:
    assert lets_in(pattern, ip=ip) is is_in


def test_a_common_name_lets_nobody_in() -> None:
    assert not lets_in("dns:job.internal", cn="job.internal")
    assert not lets_in("spiffe://prod/sa", cn="spiffe://prod/sa")


def test_a_name_of_another_kind_lets_nobody_in() -> None:
    assert not lets_in("dns:job.internal", uri="job.internal")
    assert not lets_in("uri:https://a.test", dns="https://a.test")
    assert not lets_in("ip:10.0.0.1", dns="10.0.0.1")


def test_a_certificate_with_two_spiffe_ids_has_none() -> None:
    names = Names(uris=("spiffe://prod/sa", "spiffe://prod/sb"))
    assert not Allow(("spiffe://prod/sa",)).lets_in(names)


def test_one_pattern_of_several_is_enough_and_none_lets_all_in() -> None:
    assert Allow(("dns:a.test", "dns:b.test")).lets_in(Names(dns=("b.test",)))
    assert Allow().lets_in(Names())
    assert not Allow(("dns:a.test",)).lets_in(Names())


BAD = {
    "job.internal": "begins with none of",
    "": "begins with none of",
    "DNS:job": "begins with none of",
    "dns:": "names nobody",
    "spiffe://": "names nobody",
    "dns:a b": "names nobody",
    "dns:a\x1b[2Jb": "names nobody",
    "dns:a..b": "empty segment",
    "spiffe://prod//sa": "empty segment",
    "spiffe://prod/sa/": "empty segment",
    "dns:job*.internal": "beside other characters",
    "spiffe://prod/**/sa": "beside other characters",
    "ip:10.0.0.*": "no IP address",
    "ip:10.0.0.0/8": "no IP address",
}


@pytest.mark.parametrize("pattern", BAD)
def test_a_pattern_that_would_let_in_nobody_is_refused_at_the_start(pattern: str) -> None:
    fault = fault_of(pattern)
    assert fault is not None
    assert BAD[pattern] in fault
    tls = ServerTLS(
        key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="ca.crt"), allow=("dns:good.test", pattern)
    )
    with pytest.raises(UsageError, match=r"allow: pattern 2 "):
        tls.context()


def test_faults_are_numbered_from_one() -> None:
    assert faults_of(["x", "dns:a", "y"]) == [
        'pattern 1 begins with none of "spiffe://", "uri:", "dns:" and "ip:"',
        'pattern 3 begins with none of "spiffe://", "uri:", "dns:" and "ip:"',
    ]


@given(steps=STEPS, at=st.integers(0, 4), step=STEP)
def test_a_star_takes_the_place_of_any_one_segment(steps: list[str], at: int, step: str) -> None:
    place = at % len(steps)
    wanted = [*steps[:place], "*", *steps[place + 1 :]]
    given_steps = [*steps[:place], step, *steps[place + 1 :]]
    assert lets_in("dns:" + ".".join(wanted), dns=".".join(given_steps))
    assert lets_in("spiffe://" + "/".join(wanted), uri="spiffe://" + "/".join(given_steps))


@given(steps=STEPS, at=st.integers(0, 4), more=st.lists(STEP, min_size=2, max_size=3))
def test_a_star_never_takes_the_place_of_several_segments_or_of_none(
    steps: list[str], at: int, more: list[str]
) -> None:
    place = at % len(steps)
    wanted = [*steps[:place], "*", *steps[place + 1 :]]
    for inner in (more, [], [""]):
        given_steps = [*steps[:place], *inner, *steps[place + 1 :]]
        assert not lets_in("dns:" + ".".join(wanted), dns=".".join(given_steps) or ".")
        assert not lets_in("spiffe://" + "/".join(wanted), uri="spiffe://" + "/".join(given_steps))


@given(steps=STEPS)
def test_without_a_star_a_pattern_lets_in_its_own_name_only(steps: list[str]) -> None:
    uri = "spiffe://" + "/".join(steps)
    assert fault_of(uri) is None
    assert lets_in(uri, uri=uri)
    assert not lets_in(uri, uri=uri + "/x")
    assert not lets_in(uri, uri=uri[:-1])


@given(wanted=st.lists(st.one_of(STEP, st.just("*")), min_size=1, max_size=5), steps=st.lists(ANY_STEP, max_size=6))
def test_whatever_a_certificate_holds_it_fits_segment_by_segment(wanted: list[str], steps: list[str]) -> None:
    uri = "spiffe://" + "/".join(steps)
    pieces = uri.removeprefix("spiffe://").split("/")
    fits = len(pieces) == len(wanted) and all(
        re.fullmatch(r"(?!\.\.?$)[A-Za-z0-9._-]+", one) is not None if want == "*" else one == want
        for want, one in zip(wanted, pieces, strict=True)
    )
    assert lets_in("spiffe://" + "/".join(wanted), uri=uri) is fits


@given(st.text())
def test_any_text_is_a_pattern_or_is_told_why_not(text: str) -> None:
    for pattern in (text, f"dns:{text}", f"spiffe://{text}", f"uri:{text}", f"ip:{text}"):
        if fault_of(pattern) is None:
            names = Names(("a.test",), (ip_address("10.0.0.1"),), ("spiffe://prod/sa",))
            Allow((pattern,)).lets_in(names)

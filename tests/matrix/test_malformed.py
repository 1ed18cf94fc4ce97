"""Answers that are none: pages, broken JSON, floods, faults of the server, redirects, and "come back later"."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import pytest

from tests.matrix.compressed import Held, Life
from tests.matrix.conftest import Follows
from tests.matrix.faults import FaultProxy, status
from tests.matrix.following import Events, wait_for, wait_for_value
from tests.servers.answers import itself, json_answer, other_host, plain_http, redirect, respond
from tests.servers.hostile import HOSTILE, Answer
from tests.servers.listener import Listener, Visit
from tests.servers.space import Space
from wellkept.events import Topic
from wellkept.providers.vault import Vault
from wellkept.secret import State

POLL_S: Final = 10.0
USUAL_S: Final = 12.0  # one poll, ± 20 %
PAGE: Final = b"<html><body>Log in, CANARY</body></html>"
BIG: Final = b'{"data":{"data":{"password":"' + b"CANARY" * (10 * 1024 * 1024 // 6) + b'"}}}'


def page(code: str) -> Answer:
    """A page of something in front of the server."""

    def answer(visit: Visit) -> None:
        head = f"HTTP/1.1 {code}\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
        visit.sendall(head.encode("ascii") + PAGE)

    return answer


UNFIT: Final[Mapping[str, Answer]] = MappingProxyType(
    {
        "a page": page("200 OK"),
        "a page that is not found": page("404 Not Found"),
        "a page of a gateway": page("502 Bad Gateway"),
        "ten megabytes": json_answer(BIG),
        "a number for the secret": json_answer(b'{"data":{"data":7,"metadata":{"version":"CANARY"}}}'),
        "a list for the data": json_answer(b'{"data":["CANARY"]}'),
        **{
            name: HOSTILE[name]
            for name in (
                "json-truncated",
                "not-utf-8",
                "json-null",
                "json-data-null",
                "json-deep",
                "empty",
                "gzip-bomb",
            )
        },
    }
)


@pytest.fixture
def life(space: Space, proxy: FaultProxy) -> tuple[Life, Held]:
    """A life that follows one secret by way of the proxy."""
    space.put("secret/there", password="one-CANARY")
    made = Life()
    environ = {**space.environ(), "VAULT_ADDR": proxy.address, "VAULT_MAX_RETRIES": "0"}
    return made, made.follow(Vault.from_environ(environ), "secret/there")


def heals(life: Life, held: Held, space: Space, proxy: FaultProxy, within_s: float) -> None:
    """All is well again, with another value."""
    space.put("secret/there", password="two-CANARY")
    proxy.heal()
    life.passes(within_s)
    assert held.state is State.FRESH
    assert held.has({"password": "two-CANARY"})


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_an_answer_is_stale_and_not_gone_and_repeated_nowhere(
    life: tuple[Life, Held], space: Space, proxy: FaultProxy, events: Events, name: str
) -> None:
    compressed, held = life
    proxy.spoil(UNFIT[name])
    compressed.passes(USUAL_S)
    assert held.state is State.STALE
    assert held.has({"password": "one-CANARY"})
    assert compressed.status(held).failure in {"invalid", "unreachable"}
    (detail,) = events.of(Topic.STALE, "secret/there")
    assert "the last good value is served" in detail
    assert "CANARY" not in f"{events.text}{compressed.engine.status()}"
    heals(compressed, held, space, proxy, 2 * POLL_S)
    assert events.of(Topic.RECOVERED, "secret/there")
    assert not events.of(Topic.GONE, "secret/there")


@pytest.mark.parametrize("code", [412, 472, 473, 500, 501, 502, 503, 504])
def test_a_fault_of_the_server_is_stale(
    life: tuple[Life, Held], space: Space, proxy: FaultProxy, events: Events, code: int
) -> None:
    compressed, held = life
    proxy.spoil(status(code))
    compressed.passes(USUAL_S)
    assert held.state is State.STALE
    assert held.has({"password": "one-CANARY"})
    assert "CANARY" not in events.text
    heals(compressed, held, space, proxy, 2 * POLL_S)


@pytest.mark.parametrize("where", [other_host, plain_http, itself])
@pytest.mark.parametrize("code", ["307 Temporary Redirect", "302 Found"])
def test_a_redirect_is_not_followed_and_no_token_goes_there(
    life: tuple[Life, Held], space: Space, proxy: FaultProxy, where: Callable[[Visit], str], code: str
) -> None:
    compressed, held = life
    with Listener(lambda visit: respond(visit, b"{}")) as elsewhere:
        proxy.lead_to(elsewhere.port)
        proxy.spoil(redirect(where, code))
        compressed.passes(USUAL_S)
        assert held.state is State.STALE
        assert held.has({"password": "one-CANARY"})
        assert elsewhere.connections == 0
    heals(compressed, held, space, proxy, 2 * POLL_S)


def waits(life: Life, proxy: FaultProxy, number: int) -> list[float]:
    """How long the engine leaves the server alone, so many times in a row."""
    found: list[float] = []
    for _ in range(number):
        began, asked = life.now, len(proxy.seen)
        life.passes(600.0, until=lambda asked=asked: len(proxy.seen) > asked)  # type: ignore[misc]  # mypy: a default
        found.append(life.now - began)
    return found


@pytest.mark.parametrize(("asked_s", "least_s"), [(30, 30), (3600, 60)])
def test_come_back_later_is_obeyed_up_to_a_minute(
    life: tuple[Life, Held], space: Space, proxy: FaultProxy, asked_s: int, least_s: float
) -> None:
    compressed, held = life
    proxy.spoil(status(429, f"Retry-After: {asked_s}"))
    compressed.passes(USUAL_S, until=lambda: held.state is State.STALE)
    found = waits(compressed, proxy, 6)
    assert all(one >= least_s for one in found)
    assert all(one <= least_s + 60 for one in found)
    assert held.has({"password": "one-CANARY"})
    heals(compressed, held, space, proxy, least_s + 60)


def test_too_many_requests_widen_the_poll_and_answers_narrow_it_again(
    life: tuple[Life, Held], space: Space, proxy: FaultProxy
) -> None:
    compressed, held = life
    proxy.spoil(status(429))
    compressed.passes(USUAL_S, until=lambda: held.state is State.STALE)
    found = waits(compressed, proxy, 8)
    assert all(one >= 0.8 * POLL_S for one in found)
    assert max(found) > 2 * POLL_S
    assert max(found) <= 360.0
    heals(compressed, held, space, proxy, 360.0)
    later = waits(compressed, proxy, 12)
    assert later[0] > later[-1]
    assert 0.8 * POLL_S <= later[-1] <= 1.2 * POLL_S


def test_a_quota_of_a_real_server_is_waited_out(space: Space, follow: Follows, events: Events) -> None:
    space.put("secret/quota", password="one-CANARY")
    space.put("secret/other", password="one-CANARY")
    environ = {**space.environ(), "VAULT_MAX_RETRIES": "0"}
    secret = follow(environ, "${vault:secret/quota?ttl=200ms#password}")
    quota = f"sys/quotas/rate-limit/{space.name}"
    server = space.server
    assert server.call("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})[0] == 204
    limits = {"path": f"{space.name}/secret/", "rate": 1, "interval": "2s"}
    try:
        assert server.call("POST", quota, limits)[0] == 204
        wait_for(secret, State.STALE)
        assert secret == "one-CANARY"
        assert "it takes no more requests now (429)" in events.wait(Topic.STALE)
        assert server.call("DELETE", quota)[0] == 204
        space.put("secret/quota", password="two-CANARY")
        wait_for_value(secret, "two-CANARY")
    finally:
        server.call("DELETE", quota)

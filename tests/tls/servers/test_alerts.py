"""Whoever is refused is told why, by TLS's own alert, on stock asyncio and uvicorn; and an event says it here.

asyncio itself drops the alert (cpython#98078), and says nothing in its log.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.tls.pki import CA, DAY, Leaf
from tests.tls.servers.clients import client_context
from tests.tls.servers.folder import CLIENT, ServerFolder
from tests.tls.servers.given import quick_tls
from tests.tls.servers.in_process import IN_PROCESS, knock, run, serving
from wellkept.events import BUS, Event, Topic

ONE_2, ONE_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ALL = pytest.mark.parametrize("name", IN_PROCESS)


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What happens meanwhile."""
    seen: list[Event] = []
    unsubscribe = BUS.subscribe(seen.append)
    yield seen
    unsubscribe()


def _leaf(folder: ServerFolder, case: str) -> Leaf | None:
    ca = folder.client_ca
    made: dict[str, Callable[[], Leaf | None]] = {
        "nobody": lambda: None,
        "unknown CA": lambda: folder.client(ca=CA("Somebody's CA")),
        "expired": lambda: ca.issue(uris=[CLIENT], server=False, not_before=-2 * DAY, not_after=-DAY),
        "not yet valid": lambda: ca.issue(uris=[CLIENT], server=False, not_before=timedelta(days=1)),
        "for servers": lambda: ca.issue(uris=[CLIENT], client=False),
        "not allowed": lambda: folder.client("spiffe://prod/ns/shop/sa/billing"),
    }
    return made[case]()


@ALL
@pytest.mark.parametrize(
    ("case", "version", "alert", "code"),
    [
        ("nobody", ONE_3, "TLSV13_ALERT_CERTIFICATE_REQUIRED", "no-certificate"),
        ("nobody", ONE_2, "SSLV3_ALERT_HANDSHAKE_FAILURE", "no-certificate"),
        ("unknown CA", ONE_3, "TLSV1_ALERT_UNKNOWN_CA", "unverified"),
        ("unknown CA", ONE_2, "TLSV1_ALERT_UNKNOWN_CA", "unverified"),
        ("expired", ONE_3, "SSLV3_ALERT_CERTIFICATE_EXPIRED", "expired"),
        ("expired", ONE_2, "SSLV3_ALERT_CERTIFICATE_EXPIRED", "expired"),
        ("not yet valid", ONE_3, "SSLV3_ALERT_BAD_CERTIFICATE", "not-yet-valid"),
        ("for servers", ONE_3, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "unverified"),
    ],
)
def test_a_refused_client_gets_an_alert_and_an_event_says_why(
    *, name: str, case: str, version: ssl.TLSVersion, alert: str, code: str, tmp_path: Path, events: list[Event]
) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, _leaf(folder, case), tmp_path, version)
    told = run(name, _told(name, quick_tls(folder.path).context(), context))
    assert (told, _refusals(events)) == (alert, [code])


@ALL
def test_a_client_that_is_not_in_allow_gets_the_end_and_an_event_names_it(
    name: str, tmp_path: Path, events: list[Event]
) -> None:
    folder = ServerFolder(tmp_path / "server")
    tls = quick_tls(folder.path, allow=("spiffe://prod/ns/*/sa/orders",))
    context = client_context(folder.server_ca, _leaf(folder, "not allowed"), tmp_path)
    told = run(name, _told(name, tls.context(), context))
    assert told in {"the end", "UNEXPECTED_EOF_WHILE_READING", "ConnectionResetError"}
    assert _refusals(events) == ["not-allowed"]
    assert "billing" in next(one.detail for one in events if one.topic is Topic.HANDSHAKE_REFUSED)


@ALL
def test_a_client_of_an_older_version_gets_an_alert_and_an_event(
    name: str, tmp_path: Path, events: list[Event]
) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path, ONE_2)
    told = run(name, _told(name, quick_tls(folder.path, profile="modern").context(), context))
    assert (told, _refusals(events)) == ("TLSV1_ALERT_PROTOCOL_VERSION", ["protocol"])


@ALL
def test_a_revoked_client_gets_an_alert_and_an_event(name: str, tmp_path: Path, events: list[Event]) -> None:
    folder = ServerFolder(tmp_path / "server")
    leaf = folder.client()
    (folder.path / "ca.crl").write_bytes(folder.client_ca.crl(leaf))
    folder.trust_clients_only()
    tls = quick_tls(folder.path, crl=folder.path / "ca.crl")
    told = run(name, _told(name, tls.context(), client_context(folder.server_ca, leaf, tmp_path)))
    assert (told, _refusals(events)) == ("SSLV3_ALERT_CERTIFICATE_REVOKED", ["revoked"])


@ALL
def test_whoever_only_knocks_is_no_event(name: str, tmp_path: Path, events: list[Event]) -> None:
    folder = ServerFolder(tmp_path / "server")

    async def scan() -> None:
        async with serving(name, quick_tls(folder.path).context()) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.05)

    run(name, scan())
    assert _refusals(events) == []


async def _told(name: str, server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    async with serving(name, server) as port:
        return await knock(port, client)


def _refusals(events: list[Event]) -> list[str]:
    return [one.detail.partition(":")[0] for one in events if one.topic is Topic.HANDSHAKE_REFUSED]

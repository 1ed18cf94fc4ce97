"""What a context demands: versions, suites, whom it asks for a certificate. No I/O here."""

from collections.abc import Iterable
from enum import StrEnum
from ssl import TLSVersion
from typing import Final

from wellkept._dataclasses import dataclass
from wellkept._names import did_you_mean
from wellkept._patterns import pattern
from wellkept.tls.allow import Allow


class Profile(StrEnum):
    """Mozilla's names for what a server offers (Server Side TLS 5.8; RFC 9325)."""

    INTERMEDIATE = "intermediate"  # TLS 1.2 and 1.3
    MODERN = "modern"  # TLS 1.3 only


class VerifyClient(StrEnum):
    """Whether a server wants a certificate of its client."""

    REQUIRE = "require"
    OPTIONAL = "optional"


class OnTrustChange(StrEnum):
    """What becomes of an open connection whose anchor has left the trust."""

    KEEP = "keep"  # it goes on
    DRAIN = "drain"  # HTTP is told to close it behind the next answer
    CLOSE = "close"  # it ends at the next byte


class CrlMode(StrEnum):
    """What a missing or outdated revocation list means."""

    REQUIRE = "require"  # an error at the start; later every handshake fails, after a warning
    WARN = "warn"  # an event


VERSIONS: Final = {"TLSv1.2": TLSVersion.TLSv1_2, "TLSv1.3": TLSVersion.TLSv1_3}

# IANA's name of each TLS 1.2 suite of the profile, with OpenSSL's: forward secrecy and AEAD only (RFC 9325 §4.2).
SUITES: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
# They go with TLS 1.3 whether they are named or not: before Python 3.15 nothing can choose among them.
SUITES_OF_1_3: Final = frozenset({"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"})
_SUITE = pattern(r"[A-Za-z0-9_-]{1,60}")
DEFAULT_SUITES: Final = tuple(SUITES.values())


@dataclass(frozen=True, slots=True)
class SystemTrust:
    """Where the system keeps its CAs.

    Attributes:
        file: all of them, PEM; or None.
        folders: folders of such files, by hashed names.
    """

    file: str | None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What one side demands.

    Attributes:
        is_server: which side.
        minimum: the oldest version.
        maximum: the newest one.
        ciphers: OpenSSL's names of the TLS 1.2 suites.
        verify_client: for a server, whether it wants a client certificate; None does not.
        system: the system's CAs, where they are trusted, too (or alone, where there are no others).
        has_tickets: whether sessions may be resumed by tickets.
        allow: whom to let in beyond what is signed; empty lets all in.
        on_trust_change: what becomes of open connections.
        crl_mode: what a missing revocation list means.
        server_name: for a client, the name to ask for and to verify, or None for the host.
        handshake_timeout_s: how long a handshake on a blocking socket may take.
        session_timeout_s: how long a session may be resumed; None leaves it to OpenSSL (two hours).
    """

    is_server: bool
    minimum: TLSVersion = TLSVersion.TLSv1_2
    maximum: TLSVersion = TLSVersion.MAXIMUM_SUPPORTED
    ciphers: tuple[str, ...] = DEFAULT_SUITES
    verify_client: VerifyClient | None = None
    system: SystemTrust | None = None
    has_tickets: bool = True
    allow: Allow = Allow()
    on_trust_change: OnTrustChange = OnTrustChange.DRAIN
    crl_mode: CrlMode = CrlMode.REQUIRE
    server_name: str | None = None
    handshake_timeout_s: float = 10.0
    session_timeout_s: float | None = None

    @property
    def verifies_peer(self) -> bool:
        """Whether the other side must or may show a certificate."""
        return not self.is_server or self.verify_client is not None


def find_versions(profile: Profile, named: Iterable[str]) -> tuple[TLSVersion, TLSVersion] | str:
    """The oldest and the newest version; or what is wrong with the names, and what to write."""
    wanted = {f"TLSv{one.removeprefix('TLSv')}" for one in named}
    if not wanted <= VERSIONS.keys():
        return 'names a version that is broken or unknown: name "TLSv1.2" and "TLSv1.3", or leave it out (RFC 8996)'
    if profile is Profile.MODERN:
        if wanted - {"TLSv1.3"}:
            return "names TLSv1.2 beside the profile modern, which is TLSv1.3 alone: leave one of both out"
        wanted = {"TLSv1.3"}
    found = sorted(VERSIONS[one] for one in wanted or VERSIONS)
    return found[0], found[-1]


def find_suites(named: Iterable[str]) -> tuple[str, ...] | str:
    """OpenSSL's names of the suites, in the order given; or what is wrong with the names, and what to write."""
    made: list[str] = []
    for one in named:
        suite = SUITES.get(one, one)
        if suite in DEFAULT_SUITES:
            made.append(suite)
        elif one not in SUITES_OF_1_3:
            near = did_you_mean(one, [*SUITES, *SUITES.values(), *SUITES_OF_1_3])
            fix = near or "name suites with ECDHE, and GCM or CHACHA20: all others are weaker (RFC 9325)"
            shown = f", {one}" if _SUITE.fullmatch(one) else ""
            return f"names a suite that is not offered{shown}: {fix}"
    return tuple(dict.fromkeys(made)) or DEFAULT_SUITES

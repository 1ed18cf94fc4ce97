"""What servers and clients write alike: versions, suites, revocation; and what cannot be, said before a file is read.

No I/O here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, cast

from wellkept.errors import UsageError
from wellkept.tls.allow import Allow, faults_of
from wellkept.tls.material import path_rules, seal_paths
from wellkept.tls.policy import CrlMode, OnTrustChange, Policy, Profile, find_suites, find_versions

Rules = Iterator[tuple[str, str]]

RULE_7 = "must be true: TLS always verifies, and no option turns that off"
_MIN_CACHE, _MAX_CACHE = 50, 10_000  # Ballerina's bounds: RevocationVerificationManager
_MAX_VALIDITY_MIN = 1440
_MAX_TIMEOUT_S = 86_400  # a day: a socket takes no timeout without end, and no session is good for longer


@dataclass(frozen=True)
class Versions:
    """Which versions are spoken.

    Attributes:
        name: `TLS`; Ballerina has others, which are broken.
        versions: `TLSv1.2`, `TLSv1.3`, or both; none stands for those of the profile.
    """

    name: str = "TLS"
    versions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take a list, or one version."""
        as_tuple(self, "versions")

    def _wellkept_rules(self) -> Rules:
        if self.name != "TLS":
            yield "name", "must be TLS: SSL is broken (RFC 7568), and DTLS is for datagrams"
        found = find_versions(Profile.INTERMEDIATE, self.versions)
        if isinstance(found, str):
            yield "versions", found


@dataclass(frozen=True)
class CertValidation:
    """How it is found out that a certificate was revoked.

    Attributes:
        type: `CRL`, `OCSP`, or `OCSP_CRL`: OCSP where a certificate names a responder, and lists beside it.
        crl: revocation lists, PEM or DER: a file or several, or folders of such files.
        mode: what a list that is missing or outdated means: `require` or `warn`.
        hard_fail: whether a certificate is refused while its OCSP responder cannot say anything.
        cache_size: how many answers of OCSP are kept.
        cache_validity_period: for how many minutes an answer is kept at the most.
    """

    type: Literal["CRL", "OCSP", "OCSP_CRL", "OCSP_STAPLING"] = "CRL"
    crl: Path | str | tuple[Path | str, ...] = field(default=(), metadata={"names": ("crls", "crl_file")})
    mode: CrlMode = CrlMode.REQUIRE
    hard_fail: bool = False
    cache_size: int = 50
    cache_validity_period: int = 15

    def __post_init__(self) -> None:
        """Take text for what has a few values, and refuse what is no path."""
        coerce(self, "mode", CrlMode)
        as_tuple(self, "crl")
        seal_paths(self, "crl")

    @property
    def crl_files(self) -> tuple[Path | str, ...]:
        """The files and folders, however they were given."""
        return self.crl if isinstance(self.crl, tuple) else (self.crl,)

    def _wellkept_rules(self) -> Rules:
        if self.type == "OCSP_STAPLING":
            yield "type", 'cannot be: Python\'s ssl has no stapling; write "OCSP", "CRL" or "OCSP_CRL"'
        yield from path_rules(self, "crl")
        if self.type == "CRL" and not self.crl:
            yield "crl", "names no revocation list: name a file or a folder"
        if not _MIN_CACHE <= self.cache_size <= _MAX_CACHE:
            yield "cache_size", f"expected {_MIN_CACHE} to {_MAX_CACHE}"
        if not 1 <= self.cache_validity_period <= _MAX_VALIDITY_MIN:
            yield "cache_validity_period", f"expected 1 to {_MAX_VALIDITY_MIN} minutes"


class Shared(Protocol):
    """The fields that servers and clients have in common; see `ServerTLS`."""

    @property
    def allow(self) -> tuple[str, ...]: ...  # noqa: D102 see the class
    @property
    def profile(self) -> Profile: ...  # noqa: D102 see the class
    @property
    def protocol(self) -> Versions: ...  # noqa: D102 see the class
    @property
    def ciphers(self) -> tuple[str, ...]: ...  # noqa: D102 see the class
    @property
    def cert_validation(self) -> CertValidation | None: ...  # noqa: D102 see the class
    @property
    def on_trust_change(self) -> OnTrustChange: ...  # noqa: D102 see the class
    @property
    def handshake_timeout(self) -> float | timedelta: ...  # noqa: D102 see the class
    @property
    def session_timeout(self) -> float | timedelta | None: ...  # noqa: D102 see the class


def shared_rules(tls: Shared) -> Rules:
    """What cannot be, of what servers and clients have in common."""
    for fault in faults_of(tls.allow):
        yield "allow", fault
    alone = find_versions(Profile.INTERMEDIATE, tls.protocol.versions)
    versions = find_versions(tls.profile, tls.protocol.versions)
    if isinstance(versions, str) and not isinstance(alone, str):
        yield "protocol", versions
    suites = find_suites(tls.ciphers)
    if isinstance(suites, str):
        yield "ciphers", suites
    if not 0 < seconds(tls.handshake_timeout) <= _MAX_TIMEOUT_S:
        yield "handshake_timeout", f"expected more than 0 s: {_MAX_TIMEOUT_S:,} s at the most"
    if tls.session_timeout is not None and not 1 <= seconds(tls.session_timeout) <= _MAX_TIMEOUT_S:
        yield "session_timeout", f"expected 1 s or more: {_MAX_TIMEOUT_S:,} s at the most"


def check_rules(name: str, *things: object) -> None:
    """Refuse settings that cannot be: those made in code; a file's are judged when it is read.

    Raises:
        UsageError: the first rule that is broken.
    """
    for thing in things:
        rules = getattr(thing, "_wellkept_rules", None)
        for key, fault in rules() if rules is not None else ():
            raise UsageError(f"{name}.{key}: {fault}", hint="“All settings of TLS” in the documentation")


def settle(tls: Shared) -> None:
    """Take text for enumerations, and lists for tuples, as code may give them.

    Raises:
        UsageError: it is none of their values.
    """
    coerce(tls, "profile", Profile)
    coerce(tls, "on_trust_change", OnTrustChange)
    as_tuple(tls, "allow", "ciphers")


def shared_policy(tls: Shared, *, is_server: bool) -> Policy:
    """What both sides demand alike.

    Raises:
        UsageError: the versions or the suites cannot be.
    """
    versions, suites = find_versions(tls.profile, tls.protocol.versions), find_suites(tls.ciphers)
    if isinstance(versions, str):
        raise UsageError(f"protocol: {versions}")
    if isinstance(suites, str):
        raise UsageError(f"ciphers: {suites}")
    return Policy(
        is_server=is_server,
        minimum=versions[0],
        maximum=versions[1],
        ciphers=suites,
        allow=Allow(tls.allow),
        on_trust_change=tls.on_trust_change,
        crl_mode=CrlMode.REQUIRE if tls.cert_validation is None else tls.cert_validation.mode,
        handshake_timeout_s=seconds(tls.handshake_timeout),
        session_timeout_s=None if tls.session_timeout is None else seconds(tls.session_timeout),
    )


def coerce(settings: object, name: str, kind: type[StrEnum]) -> None:
    """Make a field what its class says, where code gives it as text.

    Raises:
        UsageError: it is none of its values.
    """
    given = getattr(settings, name)
    if isinstance(given, kind):
        return
    known = {one.value: one for one in kind}
    found = known.get(given.lower()) if isinstance(given, str) else None
    if found is None:
        raise UsageError(f"{type(settings).__name__}.{name}: expected {' or '.join(known)}", hint="write one of these")
    object.__setattr__(settings, name, found)


def as_tuple(settings: object, *names: str) -> None:
    """Make fields tuples, where code gives a list or one item."""
    for name in names:
        given: object = getattr(settings, name)
        if isinstance(given, str):
            object.__setattr__(settings, name, (given,))
        elif isinstance(given, list):
            object.__setattr__(settings, name, tuple(cast("list[object]", given)))


def seconds(given: float | timedelta) -> float:
    """A duration in seconds."""
    return given.total_seconds() if isinstance(given, timedelta) else float(given)

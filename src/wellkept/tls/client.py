"""`ClientTLS`: what a person writes about the TLS of a client; `context()` is what clients take."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from wellkept._dataclasses import replace
from wellkept.tls.contextual import Contextual
from wellkept.tls.live import Live
from wellkept.tls.material import (
    CertKey,
    KeyStore,
    TrustFiles,
    judge_key,
    path_rules,
    seal_paths,
    seal_pem,
    trust_files,
)
from wellkept.tls.policy import OnTrustChange, Policy, Profile
from wellkept.tls.responders import checker
from wellkept.tls.settings import (
    RULE_7,
    CertValidation,
    Rules,
    Versions,
    check_rules,
    settle,
    shared_policy,
    shared_rules,
)
from wellkept.tls.source import FilesSource
from wellkept.tls.system import system_trust


@dataclass(frozen=True, kw_only=True)
class ClientTLS(Contextual):
    """TLS of a client: `context()` is what clients take.

    Attributes:
        trust: the CA that signs the servers' certificates, and no other; None trusts the system's. Ballerina: `cert`.
        system: whether the system's CAs are trusted beside `trust`.
        key: who we are, for servers that ask.
        allow: which servers are good beyond their host name: `spiffe://prod/ns/*/sa/billing`.
        profile: `intermediate` (TLS 1.2 and 1.3) or `modern` (TLS 1.3 only).
        protocol: versions, where they are to be narrower than the profile's.
        ciphers: TLS 1.2 suites, by IANA's names or OpenSSL's, where they are to be fewer than the profile's.
        cert_validation: how revoked servers are found. Also: `revocation`.
        server_name: the name to ask for and to verify, where it is not the host's.
        on_trust_change: what becomes of open connections whose CA is withdrawn: `keep`, `drain`, `close`.
        share_session: whether sessions may be resumed.
        handshake_timeout: how long a handshake may take, on clients that leave it to the context.
        session_timeout: how long a session may be resumed.
        verify_host_name: true; see `server_name`.
        enable: true; TLS is turned off by an http:// address.
    """

    trust: TrustFiles | None = field(default=None, metadata={"names": ("cert",)})
    system: bool | None = None
    key: CertKey | KeyStore | None = None
    allow: tuple[str, ...] = ()
    profile: Profile = Profile.INTERMEDIATE
    protocol: Versions = field(default_factory=Versions)
    ciphers: tuple[str, ...] = ()
    cert_validation: CertValidation | None = field(default=None, metadata={"names": ("revocation",)})
    server_name: str | None = None
    on_trust_change: OnTrustChange = OnTrustChange.DRAIN
    share_session: bool = True
    handshake_timeout: float | timedelta = 10.0
    session_timeout: float | timedelta | None = None
    verify_host_name: bool = True
    enable: bool = True

    def __post_init__(self) -> None:
        """Put PEM that was given as plain text into a secret, and take text for enumerations, lists for tuples."""
        if self.key is not None:
            judge_key(self.key)
        settle(self)
        seal_pem(self, "trust")
        seal_paths(self, "trust")

    @cached_property
    def live(self) -> Live:
        """What keeps the context current: `reload()`, `bundle`, `describe()`.

        Raises:
            BundleError: as `context`.
        """
        check_rules("ClientTLS", self, self.key, self.protocol, self.cert_validation)
        source = FilesSource(self.key, trust_files(self.trust), self.cert_validation)
        return Live(source, self.policy(), remake=self.context, ocsp=checker(self.cert_validation))

    def policy(self) -> Policy:
        """What is demanded of servers."""
        return replace(
            shared_policy(self, is_server=False),
            system=system_trust() if self._wants_system else None,
            has_tickets=self.share_session,
            server_name=self.server_name,
        )

    @property
    def _wants_system(self) -> bool:
        return not trust_files(self.trust) if self.system is None else self.system

    def _wellkept_rules(self) -> Rules:
        if not self.enable:
            yield "enable", f"{RULE_7}; to speak plain HTTP, write an http:// address"
        if not self.verify_host_name:
            yield "verify_host_name", f"{RULE_7}; where the certificate has another name, give serverName"
        if self.system is False and not trust_files(self.trust):
            yield "system", 'is false, and no other CA is trusted: name one, cert = "ca.crt"'
        yield from path_rules(self, "trust")
        yield from shared_rules(self)

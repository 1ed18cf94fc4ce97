"""`ServerTLS`: what a person writes about the TLS of a server; `context()` is what servers take."""

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
from wellkept.tls.policy import OnTrustChange, Policy, Profile, VerifyClient
from wellkept.tls.responders import checker
from wellkept.tls.settings import (
    RULE_7,
    CertValidation,
    Rules,
    Versions,
    check_rules,
    coerce,
    settle,
    shared_policy,
    shared_rules,
)
from wellkept.tls.source import FilesSource


@dataclass(frozen=True)
class MutualTLS:
    """What a server asks of its clients.

    Attributes:
        trust: the CA that signs their certificates: PEM or a keystore. Ballerina: `cert`.
        verify_client: `require`, or `optional`: then a client without a certificate gets in, and the application
            decides; one with a certificate that is not trusted never does.
    """

    trust: TrustFiles | None = field(default=None, metadata={"names": ("cert",)})
    verify_client: VerifyClient = VerifyClient.REQUIRE

    def __post_init__(self) -> None:
        """Put PEM that was given as plain text into a secret, whatever it is, and take text for enumerations."""
        coerce(self, "verify_client", VerifyClient)
        seal_pem(self, "trust")
        seal_paths(self, "trust")

    def _wellkept_rules(self) -> Rules:
        yield from path_rules(self, "trust")
        if not trust_files(self.trust):
            yield "trust", 'names no CA, so nobody could get in: write cert = "ca.crt"'


@dataclass(frozen=True, kw_only=True)
class ServerTLS(Contextual):
    """TLS of a server: `context()` is what servers take.

    Attributes:
        key: who we are.
        mutual: whom we ask for a certificate; None asks nobody. Ballerina: `mutualSsl`.
        allow: which clients get in of those that are trusted: `spiffe://prod/ns/*/sa/billing`, `dns:job.internal`.
        profile: `intermediate` (TLS 1.2 and 1.3) or `modern` (TLS 1.3 only).
        protocol: versions, where they are to be narrower than the profile's.
        ciphers: TLS 1.2 suites, by IANA's names or OpenSSL's, where they are to be fewer than the profile's.
        cert_validation: how revoked clients are found. Also: `revocation`.
        on_trust_change: what becomes of open connections whose CA is withdrawn: `keep`, `drain`, `close`.
        share_session: whether sessions are resumed by tickets; None does so without client certificates only.
        handshake_timeout: how long a handshake may take, on servers that leave it to the context.
        session_timeout: how long a session may be resumed.
        enable: true; TLS is turned off by leaving the table out.
    """

    key: CertKey | KeyStore
    mutual: MutualTLS | None = field(default=None, metadata={"names": ("mutual_ssl", "mutual_tls")})
    allow: tuple[str, ...] = ()
    profile: Profile = Profile.INTERMEDIATE
    protocol: Versions = field(default_factory=Versions)
    ciphers: tuple[str, ...] = ()
    cert_validation: CertValidation | None = field(default=None, metadata={"names": ("revocation",)})
    on_trust_change: OnTrustChange = OnTrustChange.DRAIN
    share_session: bool | None = None
    handshake_timeout: float | timedelta = 10.0
    session_timeout: float | timedelta | None = None
    enable: bool = True

    def __post_init__(self) -> None:
        """Take text for enumerations, and lists for tuples, as code may give them."""
        judge_key(self.key)
        settle(self)

    @cached_property
    def live(self) -> Live:
        """What keeps the context current: `reload()`, `bundle`, `describe()`.

        Raises:
            BundleError: as `context`.
        """
        check_rules("ServerTLS", self, self.key, self.mutual, self.protocol, self.cert_validation)
        trust = () if self.mutual is None else trust_files(self.mutual.trust)
        return Live(
            FilesSource(self.key, trust, self.cert_validation),
            self.policy(),
            remake=self.context,
            ocsp=checker(self.cert_validation),
        )

    def policy(self) -> Policy:
        """What is demanded of clients."""
        verify = None if self.mutual is None else self.mutual.verify_client
        shares = verify is None if self.share_session is None else self.share_session
        return replace(shared_policy(self, is_server=True), verify_client=verify, has_tickets=shares)

    def _wellkept_rules(self) -> Rules:
        if not self.enable:
            yield "enable", f"{RULE_7}; leave the table out to speak plain HTTP"
        if self.mutual is None and self.allow:
            yield "allow", "lists clients, and mutualSsl does not ask them for a certificate: name their CA there"
        if self.mutual is None and self.cert_validation is not None:
            yield "cert_validation", "is for certificates of clients, and mutualSsl does not ask for one"
        yield from shared_rules(self)

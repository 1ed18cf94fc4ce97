"""A CA for tests of TLS: good certificates and bad ones, as files in a folder of the test."""

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept._files import replace_file
from wellkept.errors import UsageError
from wellkept.tls.devca import LEAF_LIFETIME, Authority, Issued, Purpose, Subject, new_authority, parse_subject
from wellkept.tls.devca_files import Pair, write_pair

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate and its key, as files.

    Attributes:
        cert_file: the certificate, PEM.
        key_file: its private key, PKCS#8 in PEM, mode 0600.
        certificate: what stands in `cert_file`.
    """

    cert_file: Path
    key_file: Path
    certificate: x509.Certificate

    @property
    def not_after(self) -> datetime:
        """Until when it holds."""
        return self.certificate.not_valid_after_utc


class CertificateAuthority:
    """A CA that lives as long as a test; its key stays in memory, and it signs for any name.

    A test of mutual TLS in three lines:

        ca = CertificateAuthority(tmp_path)
        server, orders = ca.server("localhost"), ca.client("orders", spiffe="spiffe://prod/ns/pay/sa/orders")
        assert get(serve(server, ca.ca_file), ca.client_context(orders)) == 200

    `serve` starts the service that is tested, with `server.cert_file`, `server.key_file` and the CA whose
    clients it lets in; `get` is any HTTP client that takes an `ssl.SSLContext`. What must be
    refused is as near: `ca.expired("orders", client=True)`, `ca.untrusted(…)`, `ca.revoked(…)`.

    Attributes:
        ca_file: the certificate of the CA, which the other side trusts.
        crl_file: its revocation list, PEM; with nothing in it until something is revoked.
    """

    def __init__(self, folder: str | Path, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """Make a CA.

        Args:
            folder: where its files go, as pytest's `tmp_path`; it is made where there is none.
            clock: tells the time that validity counts from.
        """
        self._folder = Path(folder)
        self._clock = clock
        self._own = new_authority(now=clock.now(), is_local=False)
        self._subjects: dict[Path, Subject] = {}
        self._revoked: list[x509.Certificate] = []
        self._lists = 0
        self._folder.mkdir(parents=True, exist_ok=True)
        self.ca_file: Path = self._folder / "ca.crt"
        self.crl_file: Path = self._folder / "ca.crl"
        replace_file(self.ca_file, self._own.own.cert_pem, prefix=".wellkept-")
        self._write_list()

    def server(self, *names: str, lifetime: timedelta = LEAF_LIFETIME) -> Credentials:
        """A certificate for a server: hosts and addresses, as `localhost`, `127.0.0.1`; not for a client.

        Raises:
            UsageError: a name is none.
        """
        return self._issued(parse_subject(names, None, Purpose.SERVER), end=lifetime)

    def client(self, *names: str, spiffe: str | None = None, lifetime: timedelta = LEAF_LIFETIME) -> Credentials:
        """A certificate for a client; not for a server.

        Args:
            names: DNS names and addresses that stand in it.
            spiffe: a SPIFFE id.
            lifetime: how long it holds.

        Raises:
            UsageError: a name is none.
        """
        return self._issued(parse_subject(names, spiffe, Purpose.CLIENT), end=lifetime)

    def expired(self, *names: str, client: bool = False, spiffe: str | None = None) -> Credentials:
        """A certificate that ended yesterday; for a server, unless `client` is true."""
        return self._issued(_subject(names, spiffe, client), "expired-", start=-2 * _DAY, end=-_DAY)

    def not_yet_valid(self, *names: str, client: bool = False, spiffe: str | None = None) -> Credentials:
        """A certificate that begins tomorrow; for a server, unless `client` is true."""
        return self._issued(_subject(names, spiffe, client), "not-yet-valid-", start=_DAY, end=2 * _DAY)

    def untrusted(self, *names: str, client: bool = False, spiffe: str | None = None) -> Credentials:
        """A certificate of another CA, which nobody trusts; for a server, unless `client` is true."""
        other = new_authority(now=self._clock.now(), is_local=False)
        return self._issued(_subject(names, spiffe, client), "untrusted-", authority=other)

    def revoked(self, *names: str, client: bool = False, spiffe: str | None = None) -> Credentials:
        """A certificate that `crl_file` revokes; for a server, unless `client` is true."""
        made = self._issued(_subject(names, spiffe, client), "revoked-")
        self.revoke(made)
        return made

    def revoke(self, credentials: Credentials) -> None:
        """Revoke a certificate: `crl_file` is replaced, whole from its first moment."""
        self._revoked.append(credentials.certificate)
        self._write_list()

    def rotate(self, credentials: Credentials) -> Credentials:
        """Put a new certificate with a new key, for the same names, in the place of one of this CA.

        Each file is whole from its first moment; the key comes first, so that a moment passes in which
        it does not match, as when a real renewal writes two files.

        Raises:
            UsageError: it was not issued here.
        """
        subject = self._subjects.get(credentials.cert_file)
        if subject is None:
            raise UsageError(f"{credentials.cert_file}: was not issued by this CA", hint="rotate what it returned")
        return self._written(
            self._own.issue(subject, now=self._clock.now()), Pair(credentials.cert_file, credentials.key_file)
        )

    def client_context(self, credentials: Credentials | None = None) -> ssl.SSLContext:
        """A client of the standard library that trusts this CA only, by strict rules.

        Args:
            credentials: what it shows to a server that asks; None shows nothing.
        """
        return _loaded(self._strict(ssl.PROTOCOL_TLS_CLIENT), credentials)

    def server_context(self, credentials: Credentials) -> ssl.SSLContext:
        """A server of the standard library that lets in clients of this CA only, by strict rules."""
        context = self._strict(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return _loaded(context, credentials)

    def _strict(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(self.ca_file)
        return context

    def _issued(
        self,
        subject: Subject,
        prefix: str = "",
        *,
        start: timedelta | None = None,
        end: timedelta = LEAF_LIFETIME,
        authority: Authority | None = None,
    ) -> Credentials:
        now = self._clock.now()
        issued = (authority or self._own).issue(
            subject, now=now, not_before=None if start is None else now + start, not_after=now + end
        )
        stem = self._free(prefix + subject.stem)
        made = self._written(issued, Pair(self._folder / f"{stem}.crt", self._folder / f"{stem}.key"))
        self._subjects[made.cert_file] = subject
        return made

    def _free(self, stem: str) -> str:
        """The stem, or with a number behind it where it is taken."""
        tried, count = stem, 1
        while (self._folder / f"{tried}.crt").exists():
            count += 1
            tried = f"{stem}-{count}"
        return tried

    def _written(self, issued: Issued, pair: Pair) -> Credentials:
        write_pair(issued, pair)
        return Credentials(pair.cert_file, pair.key_file, issued.certificate)

    def _write_list(self) -> None:
        self._lists += 1
        data = self._own.revocations(self._revoked, now=self._clock.now(), number=self._lists)
        replace_file(self.crl_file, data, prefix=".wellkept-")


def _subject(names: Sequence[str], spiffe: str | None, client: bool) -> Subject:
    return parse_subject(names, spiffe, Purpose.CLIENT if client else Purpose.SERVER)


def _loaded(context: ssl.SSLContext, credentials: Credentials | None) -> ssl.SSLContext:
    if credentials is not None:
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    return context

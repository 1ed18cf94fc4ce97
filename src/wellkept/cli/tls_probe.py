"""`wellkept tls probe`: what a server offers and sends, and why a client refuses it. Nothing is sent to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
from cryptography import x509

from wellkept.cli import render
from wellkept.cli.tls_material import read_password
from wellkept.config.convert.times import parse_duration
from wellkept.errors import EXIT_FINDINGS, EXIT_FINE, UsageError
from wellkept.model import Finding, Severity
from wellkept.secret import Secret
from wellkept.tls.bundle import Parts
from wellkept.tls.certificates import fingerprint, is_ca, key_type, label, names_of
from wellkept.tls.material import CertKey
from wellkept.tls.names import printable
from wellkept.tls.probe import Report, Target, probe
from wellkept.tls.source import FilesSource
from wellkept.tls.system import system_trust

_PORTS = {"postgres": 5432}
_MAX_TIMEOUT_S = 600.0
_MAX_NAME = 253  # RFC 1035 §2.3.4
_MAX_NAMES = 4  # in a cell of the table


@click.command("probe")
@click.argument("target", metavar="HOST:PORT")
@click.option("--cert", "authorities", metavar="FILE", multiple=True, help="Trust this CA, and not the system's.")
@click.option("--system", "wants_system", is_flag=True, help="Trust the system's CAs beside --cert.")
@click.option("--server-name", metavar="NAME", help="The name to ask for and to verify, where it is not HOST.")
@click.option("--client-cert", metavar="FILE", help="Our certificate, where the server wants one.")
@click.option("--client-key", metavar="FILE", help="Its private key, where it is not in the same file.")
@click.option("--password-file", metavar="FILE", help="Read the password of the private key from FILE.")
@click.option("--starttls", type=click.Choice(sorted(_PORTS)), help="Begin TLS in the middle of that protocol.")
@click.option("--timeout", "duration", default="10s", show_default=True, help="How long all of it may take.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(
    *,
    target: str,
    authorities: tuple[str, ...],
    server_name: str | None,
    client_cert: str | None,
    client_key: str | None,
    password_file: str | None,
    starttls: str | None,
    duration: str,
    wants_system: bool,
    wants_json: bool,
) -> int:
    """Look at the TLS of a server: versions, chain, days left, and why it is refused.

    It tells a chain that is incomplete from a root that is not trusted, by what the server really
    sends. Nothing is sent to the server but handshakes. Exit code 1 says that something is wrong
    with it, 69 that it cannot be reached.
    """
    meant = _target(target, server_name, starttls)
    timeout_s = _timeout(duration)
    parts = _parts(authorities, client_cert, client_key, password_file)
    system = system_trust() if wants_system or not authorities else None
    with render.waiting(f"connecting to {meant}"):
        report = probe(meant, parts, system, timeout_s=timeout_s)
    if wants_json:
        render.as_json(_document(meant, report))
    else:
        _show(meant, report)
    return EXIT_FINDINGS if any(one.severity is not Severity.INFO for one in report.findings) else EXIT_FINE


def _target(text: str, server_name: str | None, starttls: str | None) -> Target:
    """HOST:PORT, or an address with https:// in front.

    Raises:
        UsageError: it is neither.
    """
    host, port = _address(text)
    if not host or "@" in text or not text.isprintable():
        raise UsageError("HOST:PORT: is no address", hint="write example.com:443, or [::1]:8443")
    name = _ascii(server_name or host)
    if name is None:
        raise UsageError("--server-name: is no name of a host", hint="write it as it stands in the certificate")
    return Target(host, port or _PORTS.get(starttls or "", 443), name, starttls)


def _address(text: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, or half a bracket
        return None, None
    return host, port


def _ascii(name: str) -> str | None:
    """A name as certificates have it (RFC 5890); None where it can be none."""
    if len(name) > _MAX_NAME or name.startswith("."):
        return None
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:  # an empty label, or one that is too long
        return None


def _timeout(text: str) -> float:
    duration = parse_duration(text) if not text.replace(".", "", 1).isdecimal() else parse_duration(f"{text}s")
    if duration is None or not 0 < duration.total_seconds() <= _MAX_TIMEOUT_S:
        raise UsageError("--timeout: expected a duration up to 10 minutes", hint="write 10s")
    return duration.total_seconds()


def _parts(
    authorities: tuple[str, ...], client_cert: str | None, client_key: str | None, password_file: str | None
) -> Parts:
    """Whom to trust, and who we are.

    Raises:
        UsageError: an option lacks its other half.
        BundleError: a file cannot be used.
    """
    if client_cert is None and (client_key or password_file):
        raise UsageError("--client-key: is of no use without --client-cert", hint="give both")
    password: Secret[str] | None = None
    if password_file is not None:
        password = read_password(client_key or client_cert or "", password_file, is_piped=False)
    key = None if client_cert is None else CertKey(client_cert, client_key, password)
    return FilesSource(key, authorities).read()


def _show(target: Target, report: Report) -> None:
    if report.chain:
        agreed = (report.version, report.cipher, report.group or "group not visible", report.alpn)
        render.out(f"protocol: {', '.join(one for one in agreed if one)}")
        render.out(f"versions: {', '.join(f'{name} {_yes(is_on)}' for name, is_on in report.versions.items())}")
        render.out(f"client certificate: {report.client_certificate}")
        now = datetime.now(UTC)
        rows = [[str(number), *_cells(one, now)] for number, one in enumerate(report.chain, 1)]
        render.table(("#", "certificate", "signed by", "days left", "key", "names"), rows)
    for one in report.findings:
        _tell(one)
    if not report.findings:
        render.out(f"fine: {target} is trusted, and is {printable(target.server_name)}")


def _tell(finding: Finding) -> None:
    render.out(f"{finding.severity}: {finding.place}: {finding.evidence} ({finding.id})")
    render.out(f"  hint: {finding.fix}")


def _yes(is_on: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[is_on]


def _cells(certificate: x509.Certificate, now: datetime) -> list[str]:
    names = _names(certificate)
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return [
        label(certificate),
        printable(certificate.issuer.rfc4514_string()),
        str(_days(certificate, now)),
        key_type(certificate),
        ", ".join(names[:_MAX_NAMES]) + more or "–",
    ]


def _document(target: Target, report: Report) -> Mapping[str, object]:
    now = datetime.now(UTC)
    return {
        "target": str(target),
        "server_name": target.server_name,
        "protocol": report.version,
        "cipher": report.cipher,
        "group": report.group,
        "alpn": report.alpn,
        "client_certificate": report.client_certificate,
        "versions": dict(report.versions),
        "chain": [_described(one, now) for one in report.chain],
        "findings": [
            {"id": one.id, "severity": one.severity, "place": one.place, "evidence": one.evidence, "fix": one.fix}
            for one in report.findings
        ],
    }


def _described(certificate: x509.Certificate, now: datetime) -> Mapping[str, object]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "names": _names(certificate),
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "days_left": _days(certificate, now),
        "key": key_type(certificate),
        "is_ca": is_ca(certificate),
        "fingerprint": fingerprint(certificate),
    }


def _names(certificate: x509.Certificate) -> list[str]:
    found = names_of(certificate)
    return [printable(one) for one in (*found.dns, *map(str, found.ips), *found.uris)]


def _days(certificate: x509.Certificate, now: datetime) -> int:
    """Whole days that are left; negative where it is over."""
    return (certificate.not_valid_after_utc - now).days

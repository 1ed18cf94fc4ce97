"""`wellkept tls keystore`: a keystore from its first key to the certificate that a CA signed, without Java."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from cryptography import x509

from wellkept._files import write_private
from wellkept.cli import render
from wellkept.cli.tls_material import (
    counted,
    force_option,
    new_password,
    password_options,
    read_certificate_file,
    read_material,
    read_password,
    refuse_existing,
    write_new,
)
from wellkept.cli.tls_truststore import list_entries, trust
from wellkept.errors import BundleError, UsageError
from wellkept.secret import Secret
from wellkept.tls.certificates import day, label, public_bytes
from wellkept.tls.enrol import KEYS, is_host, request_for, self_signed
from wellkept.tls.jks import FORM as JKS
from wellkept.tls.keystore import KeyEntry, read_identity, read_stored
from wellkept.tls.keystore_write import as_pkcs12, certificates_as_pem
from wellkept.tls.stored import chain_of

_MAX_DAYS = 3650


@click.group("keystore")
def command() -> None:
    """Make, fill and look into keystores.

    What keytool is used for, without Java: PKCS#12 keystores and truststores that Java reads,
    and certificates in PEM. JKS keystores are read, never written.
    """


command.add_command(list_entries)
command.add_command(trust)


@command.command("new")
@click.argument("keystore", type=click.Path())
@click.option("--cn", "common_name", required=True, metavar="NAME", help="Who the certificate is for.")
@click.option("--dns", "names", multiple=True, metavar="NAME", help="A host name or address that it is for, too.")
@click.option("--alias", default="server", show_default=True, help="What the key is called.")
@click.option("--days", type=click.IntRange(1, _MAX_DAYS), default=365, show_default=True, help="How long it is valid.")
@click.option("--key", "kind", type=click.Choice(list(KEYS)), default="p256", show_default=True, help="Which key.")
@password_options
@force_option
def new(
    keystore: str,
    *,
    common_name: str,
    names: Sequence[str],
    alias: str,
    days: int,
    kind: str,
    password_file: str | None,
    is_piped: bool,
    is_forced: bool,
) -> None:
    """Make a keystore with a new key and a certificate that it signs itself.

    It is a file of mode 0600, in PKCS#12. Nobody trusts its certificate yet: send the request
    that wellkept tls keystore csr writes to your CA, and import what comes back.
    """
    refuse_existing(keystore, is_forced=is_forced)
    hosts = tuple(dict.fromkeys((*((common_name,) if is_host(common_name) else ()), *names)))
    password = new_password(keystore, password_file, is_piped=is_piped)
    entry = self_signed(alias.lower(), KEYS[kind](), common_name, hosts, now=datetime.now(UTC), days=days)
    write_new(keystore, as_pkcs12(entry, password), is_forced=is_forced)
    if not hosts:
        render.warn("the certificate is for no host name, so no client connects to it as a server: add --dns NAME")
    render.talk(f"{keystore}: holds the new key {entry.alias}, until {day(entry.certificate.not_valid_after_utc)}")


@command.command("csr")
@click.argument("keystore", type=click.Path())
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write it to FILE, not to stdout.")
@click.option("--alias", help="Which key, where there are several.")
@password_options
@force_option
def csr(
    keystore: str, output: str | None, alias: str | None, password_file: str | None, *, is_piped: bool, is_forced: bool
) -> None:
    """Write the request with which a CA signs a certificate for the key."""
    entry, _ = _open(keystore, alias, password_file, is_piped=is_piped)
    _give(request_for(entry), output, is_forced=is_forced)


@command.command("import")
@click.argument("keystore", type=click.Path())
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="CERTIFICATE…")
@click.option("--alias", help="Which key, where there are several.")
@password_options
def import_(
    keystore: str, files: Sequence[str], alias: str | None, password_file: str | None, *, is_piped: bool
) -> None:
    """Put the certificate that a CA signed, and those above it, to their key.

    CERTIFICATE… are the files that the CA sent, in any order. One of them must be for the key
    of the keystore, and each other one above that.
    """
    entry, password = _open(keystore, alias, password_file, is_piped=is_piped)
    _refuse_what_is_not_written(keystore, password)
    found = {one: path for path in files for one in read_certificate_file(path)}
    leaf, *above = _chain(entry, found, keystore)
    for one in (leaf, *above):
        if one.not_valid_after_utc < datetime.now(UTC):
            render.warn(f"{found[one]}: has expired ({day(one.not_valid_after_utc)})")
    if not above and leaf.issuer != leaf.subject:
        render.warn(f"{keystore}: holds no certificate above its own: import the chain of the CA, too")
    write_private(keystore, as_pkcs12(KeyEntry(entry.alias, entry.key, leaf, tuple(above)), password))
    more = f", with {len(above)} above it" if above else ""
    render.talk(f"{keystore}: {entry.alias} has the certificate of {label(leaf)}{more}")


@command.command("export")
@click.argument("keystore", type=click.Path())
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write it to FILE, not to stdout.")
@click.option("--alias", help="Which key, where there are several.")
@click.option("--chain", "has_chain", is_flag=True, help="Also the certificates above it.")
@password_options
@force_option
def export(
    keystore: str,
    output: str | None,
    alias: str | None,
    password_file: str | None,
    *,
    has_chain: bool,
    is_piped: bool,
    is_forced: bool,
) -> None:
    """Write the certificate of a key in PEM; for the key itself there is wellkept tls convert."""
    entry, _ = _open(keystore, alias, password_file, is_piped=is_piped)
    _give(certificates_as_pem((entry.certificate, *(entry.chain if has_chain else ()))), output, is_forced=is_forced)


def _open(path: str, alias: str | None, password_file: str | None, *, is_piped: bool) -> tuple[KeyEntry, Secret[str]]:
    data = read_material(path)
    password = read_password(path, password_file, is_piped=is_piped)
    return read_identity(data, password, place=path, alias=alias), password


def _refuse_what_is_not_written(path: str, password: Secret[str]) -> None:
    """Refuse to change a keystore of which something would be lost."""
    stored = read_stored(read_material(path), password, place=path)
    if stored.form == JKS:
        hint = f"wellkept tls convert {path} {path}.p12, then import into that"
        raise BundleError(f"{path}: is JKS, which is only read", hint=hint)
    if len(stored.keys) > 1 or stored.trusted:
        held = f"{len(stored.keys)} keys and {counted(len(stored.trusted))}"
        hint = "take the one key out first: wellkept tls convert --alias NAME, then import into that"
        raise BundleError(f"{path}: holds {held}, and is changed only where it holds one key", hint=hint)


def _chain(entry: KeyEntry, found: dict[x509.Certificate, str], keystore: str) -> tuple[x509.Certificate, ...]:
    """The certificate for the key and those above it; nothing may be left over."""
    public = public_bytes(entry.certificate)
    own = [one for one in found if public_bytes(one) == public]
    if not own:
        names = ", ".join(dict.fromkeys(found.values()))
        hint = f"import what the CA made of the request of wellkept tls keystore csr {keystore}"
        raise BundleError(f"{names}: holds no certificate for the key {entry.alias} of {keystore}", hint=hint)
    leaf = max(own, key=lambda one: one.not_valid_before_utc)
    chain = chain_of(leaf, tuple(found))
    for one, path in found.items():
        if one not in chain and one not in own:
            fact = f"{path}: {label(one)} is not above the certificate of {label(leaf)}"
            raise BundleError(fact, hint="leave it out, or name the certificate between the two as well")
    return chain


def _give(data: bytes, output: str | None, *, is_forced: bool) -> None:
    if output is not None:
        write_new(output, data, is_forced=is_forced)
        render.talk(f"written to {output}")
    elif is_forced:
        raise UsageError("--force: is for a file", hint="say which one with -o FILE")
    else:
        render.out(data.decode().rstrip("\n"))

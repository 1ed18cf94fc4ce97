"""`wellkept tls keystore list` and `trust`: what a keystore holds, and a truststore that gets another CA."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime

import click
from cryptography import x509

from wellkept._files import write_private
from wellkept.cli import render
from wellkept.cli.tls_material import (
    counted,
    new_password,
    password_options,
    read_certificate_file,
    read_material,
    read_password,
)
from wellkept.errors import BundleError
from wellkept.secret import Secret
from wellkept.tls.certificates import day, fingerprint, is_ca, key_type, label, names_of
from wellkept.tls.jks import FORM as JKS
from wellkept.tls.keystore import is_keystore, read_stored
from wellkept.tls.keystore_write import as_truststore, certificates_as_pem
from wellkept.tls.names import printable
from wellkept.tls.stored import Stored, chain_of, find_alias

PEM_SUFFIXES = (".pem", ".crt", ".cer", ".cert")

Trusted = Sequence[tuple[str, x509.Certificate]]


@click.command("list")
@click.argument("keystore", type=click.Path())
@password_options
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document, with all that is known.")
def list_entries(keystore: str, password_file: str | None, *, is_piped: bool, wants_json: bool) -> None:
    """Print what a keystore, a truststore or a file of certificates holds; never a key."""
    data = read_material(keystore)
    if is_keystore(data):
        password = read_password(keystore, password_file, is_piped=is_piped)
        stored = read_stored(data, password, place=keystore)
    else:
        certificates = read_certificate_file(keystore)
        stored = Stored("PEM", (), tuple((str(number), one) for number, one in enumerate(certificates, 1)))
    entries = _entries(stored)
    if wants_json:
        render.as_json({"path": keystore, "form": stored.form, "entries": entries})
        return
    names = ("alias", "kind", "name", "issuer", "expires", "fingerprint")
    shown = [{**one, "expires": _shown(one.get("expires"))} for one in entries]
    render.table(names, render.columns(shown, names))


def _shown(moment: object) -> str | None:
    return day(moment) if isinstance(moment, datetime) else None


@click.command("trust")
@click.argument("truststore", type=click.Path())
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="CERTIFICATE…")
@click.option("--alias", help="What the certificate is called; else by its own name.")
@password_options
def trust(
    truststore: str, files: Sequence[str], alias: str | None, password_file: str | None, *, is_piped: bool
) -> None:
    """Put the certificates of CAs into a truststore, which is made where there is none.

    TRUSTSTORE is PKCS#12, or PEM where its name ends in .pem or .crt. A self-signed certificate of
    a peer may be trusted, too: one alias each.
    """
    found = [one for path in files for one in read_certificate_file(path)]
    if truststore.lower().endswith(PEM_SUFFIXES):
        old = read_certificate_file(truststore) if os.path.lexists(truststore) else ()
        whole = tuple(dict.fromkeys((*old, *found)))
        write_private(truststore, certificates_as_pem(whole))
        _say(truststore, len(old), len(whole), found)
        return
    held, password = _opened(truststore, password_file, is_piped=is_piped)
    joined = _joined(held, found, alias, truststore)
    write_private(truststore, as_truststore(joined, password))
    _say(truststore, len(held), len(joined), found)


def _opened(path: str, password_file: str | None, *, is_piped: bool) -> tuple[Trusted, Secret[str]]:
    """What a truststore holds already, and its password."""
    if not os.path.lexists(path):
        return (), new_password(path, password_file, is_piped=is_piped)
    data = read_material(path)
    password = read_password(path, password_file, is_piped=is_piped)
    stored = read_stored(data, password, place=path)
    if stored.form == JKS:
        hint = f"wellkept tls convert {path} {path}.p12, then add to that"
        raise BundleError(f"{path}: is JKS, which is only read", hint=hint)
    if stored.keys:
        hint = "name another file, and keep keys and trust apart"
        raise BundleError(f"{path}: holds a private key: it is a keystore, not a truststore", hint=hint)
    return stored.trusted, password


def _joined(held: Trusted, found: Sequence[x509.Certificate], alias: str | None, path: str) -> Trusted:
    """What was there and what is new, under an alias each."""
    joined = list(held)
    for one in found:
        if any(one == other for _, other in joined):
            continue
        wanted = (alias or label(one)).lower()
        taken = [name for name, _ in joined]
        if alias is not None and find_alias(wanted, [name for name, _ in held]) is not None:
            fact = f"{path}: holds another certificate as {printable(wanted)}"
            raise BundleError(fact, hint="name another alias")
        joined.append((_free(wanted, taken), one))
    return joined


def _free(wanted: str, taken: Sequence[str]) -> str:
    """An alias that is not taken: with a number behind it, if need be."""
    name, number = wanted, 1
    while find_alias(name, taken) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _say(path: str, before: int, after: int, found: Sequence[x509.Certificate]) -> None:
    for one in found:
        if not is_ca(one) and one.issuer != one.subject:
            render.warn(f"{path}: {label(one)} is no CA: it makes nobody trusted but itself")
    render.talk(f"{path}: trusts {counted(after)}, {after - before} of them new")


def _entries(stored: Stored) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for key in stored.keys:
        chain = chain_of(key.chain[0], stored.loose) if key.chain and stored.loose else key.chain
        facts: Mapping[str, object] = _facts(chain[0]) if chain else {}
        found.append({"alias": key.alias, "kind": "key", **facts, "chain": [_facts(one) for one in chain[1:]]})
    kind = "certificate" if stored.form == "PEM" else "trusted"
    found += [{"alias": alias, "kind": kind, **_facts(one)} for alias, one in stored.trusted]
    return found


def _facts(certificate: x509.Certificate) -> Mapping[str, object]:
    names = names_of(certificate)
    return {
        "name": label(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": printable(certificate.issuer.rfc4514_string()),
        "names": [*names.uris, *names.dns, *map(str, names.ips)],
        "is_ca": is_ca(certificate),
        "key": key_type(certificate),
        "serial": f"{certificate.serial_number:x}",
        "begins": certificate.not_valid_before_utc,
        "expires": certificate.not_valid_after_utc,
        "fingerprint": fingerprint(certificate),
    }

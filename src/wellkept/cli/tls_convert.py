"""`wellkept tls convert`: a key and its certificates, or a trust, from one format into another."""

import os
from collections.abc import Sequence
from pathlib import PurePath

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wellkept._dataclasses import dataclass
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
from wellkept.errors import BundleError, UsageError
from wellkept.secret import Secret
from wellkept.tls.certificates import label, public_bytes
from wellkept.tls.keystore import KeyEntry, is_keystore, read_identity, read_stored
from wellkept.tls.keystore_write import as_pkcs12, as_truststore, certificates_as_pem, key_as_pem
from wellkept.tls.pem import is_pem, read_blocks, read_key
from wellkept.tls.stored import chain_of

_FORMS = {".p12": "p12", ".pfx": "p12", ".pem": "pem", ".crt": "pem", ".cer": "pem", ".cert": "pem"}


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read: an identity, or a trust where there is no key; and the password that opened it."""

    entry: KeyEntry | None
    trusted: tuple[tuple[str, x509.Certificate], ...]
    password: Secret[str] | None


@dataclass(frozen=True, slots=True)
class _Cover:
    """What protects the key in the target.

    Attributes:
        file: which holds its password.
        is_asked: whether it is asked for.
        is_same: whether it is that of the source.
    """

    file: str | None
    is_asked: bool
    is_same: bool


@click.command("convert")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("--to", "form", type=click.Choice(["pem", "p12"]), help="The format; else by the ending of TARGET.")
@click.option(
    "--key", "key_file", metavar="FILE", type=click.Path(), help="The PEM file of the key, where it is apart."
)
@click.option("--alias", help="Which key, where SOURCE has several; what it is called in TARGET.")
@click.option("--key-password-file", metavar="FILE", type=click.Path(), help="The password of the key, if it has one.")
@click.option("--target-password-file", metavar="FILE", type=click.Path(), help="The password that TARGET gets.")
@click.option("--encrypt-key", "is_asked", is_flag=True, help="Ask for a password that the key in PEM gets.")
@click.option("--same-password", "is_same", is_flag=True, help="TARGET gets the password of SOURCE.")
@password_options
@force_option
def command(
    source: str,
    target: str,
    *,
    form: str | None,
    key_file: str | None,
    alias: str | None,
    key_password_file: str | None,
    target_password_file: str | None,
    password_file: str | None,
    is_asked: bool,
    is_same: bool,
    is_piped: bool,
    is_forced: bool,
) -> None:
    """Write what SOURCE holds as TARGET.

    SOURCE is PKCS#12, JKS, PEM or a certificate in DER; TARGET is PKCS#12 (.p12) or PEM (.pem, .crt).
    With --key, the private key is read from a PEM file of its own, or written to one.
    Without a password for it, a key in PEM is written as plain text, in a file of mode 0600.
    """
    form = form or _form_of(target)
    cover = _Cover(target_password_file, is_asked, is_same)
    _refuse_same(source, target, key_file)
    refuse_existing(target, is_forced=is_forced)
    data = read_material(source)
    if is_keystore(data):
        password = read_password(source, password_file, is_piped=is_piped)
        held = _from_keystore(data, source, alias, password, key_password_file)
        split = key_file
    else:
        held = _from_pem(data, source, alias, key_file, password_file or key_password_file, is_piped=is_piped)
        split = None
    data = b""  # a traceback may show the locals of this frame
    if form == "p12":
        _write_pkcs12(held, target, cover, is_forced=is_forced)
    else:
        _write_pem(held, target, split, cover, is_forced=is_forced)


def _refuse_same(*paths: str | None) -> None:
    """Refuse to write one file over another that is still needed.

    Raises:
        UsageError: two of the paths lead to one file.
    """
    named = [os.path.realpath(one) for one in paths if one is not None]
    if len(set(named)) != len(named):
        raise UsageError("convert: SOURCE, TARGET and --key must be different files", hint="name another file")


def _form_of(target: str) -> str:
    suffix = PurePath(target).suffix.lower()
    if suffix in {".jks", ".jceks"}:
        raise UsageError(f"{target}: JKS is read, never written", hint="name a .p12, which Java reads as well")
    if suffix not in _FORMS:
        raise UsageError(
            f"{target}: its ending names no format", hint="name a .p12 or a .pem, or say --to pem or --to p12"
        )
    return _FORMS[suffix]


def _from_keystore(
    data: bytes, place: str, alias: str | None, password: Secret[str], key_password_file: str | None
) -> _Held:
    stored = read_stored(data, password, place=place)
    if not stored.keys and stored.trusted:
        return _Held(None, stored.trusted, password)
    key_password = read_password(place, key_password_file, is_piped=False) if key_password_file else None
    entry = read_identity(data, password, place=place, alias=alias, key_password=key_password)
    return _Held(entry, (), password)


def _from_pem(
    data: bytes, place: str, alias: str | None, key_file: str | None, password_file: str | None, *, is_piped: bool
) -> _Held:
    certificates = read_certificate_file(place)
    key_data, key_place = (data, place) if key_file is None else (read_material(key_file), key_file)
    keys = [one for one in read_blocks(key_data, place=key_place) if one.is_key] if is_pem(key_data) else []
    if not keys and key_file is None:
        named = tuple((_alias(alias, one, number), one) for number, one in enumerate(certificates))
        return _Held(None, named, None)
    is_sealed = any(one.is_encrypted for one in keys)
    keys, data = [], b""  # a traceback may show the locals of this frame
    password = read_password(key_place, password_file, is_piped=is_piped) if is_sealed else None
    key = read_key(key_data, password, place=key_place)
    key_data = b""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = next((one for one in certificates if public_bytes(one) == public), None)
    if leaf is None:
        hint = "name the certificate that belongs to the key"
        raise BundleError(f"{place}: holds no certificate for the key of {key_place}", hint=hint)
    chain = chain_of(leaf, certificates)
    return _Held(KeyEntry((alias or "server").lower(), key, leaf, chain[1:]), (), password)


def _alias(alias: str | None, certificate: x509.Certificate, number: int) -> str:
    """An alias of a truststore: each needs one of its own."""
    name = (alias or label(certificate)).lower()
    return f"{name}-{number + 1}" if number else name


def _write_pkcs12(held: _Held, target: str, cover: _Cover, *, is_forced: bool) -> None:
    if cover.is_same and held.password is not None:
        password = held.password
    else:
        password = new_password(target, cover.file, is_piped=False)
    if held.entry is None:
        write_new(target, as_truststore(held.trusted, password), is_forced=is_forced)
        render.talk(f"{target}: trusts {counted(len(held.trusted))}")
        return
    write_new(target, as_pkcs12(held.entry, password), is_forced=is_forced)
    render.talk(f"{target}: holds the key {held.entry.alias} and {counted(1 + len(held.entry.chain))}")


def _write_pem(held: _Held, target: str, key_file: str | None, cover: _Cover, *, is_forced: bool) -> None:
    if held.entry is None:
        _write_certificates(target, [one for _, one in held.trusted], is_forced=is_forced)
        return
    certificates = (held.entry.certificate, *held.entry.chain)
    if key_file is not None:
        refuse_existing(key_file, is_forced=is_forced)
        refuse_existing(target, is_forced=is_forced)
    password = _key_password(held, target if key_file is None else key_file, cover)
    if key_file is not None:
        write_new(key_file, key_as_pem(held.entry.key, password), is_forced=is_forced)
        _write_certificates(target, certificates, is_forced=is_forced)
    else:
        whole = key_as_pem(held.entry.key, password) + certificates_as_pem(certificates)
        write_new(target, whole, is_forced=is_forced)
        render.talk(f"{target}: holds the key and {counted(len(certificates))}")
    if password is None:
        render.warn(f"{key_file or target}: holds the private key without encryption; only its mode 0600 protects it")


def _key_password(held: _Held, place: str, cover: _Cover) -> Secret[str] | None:
    if cover.is_same and held.password is not None:
        return held.password
    if cover.file is not None or cover.is_asked:
        return new_password(place, cover.file, is_piped=False)
    return None


def _write_certificates(target: str, certificates: Sequence[x509.Certificate], *, is_forced: bool) -> None:
    write_new(target, certificates_as_pem(certificates), is_forced=is_forced)
    render.talk(f"{target}: holds {counted(len(certificates))}")

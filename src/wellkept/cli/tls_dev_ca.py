"""`wellkept tls dev-ca`: a CA for development, which signs for local names only."""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from wellkept._clock import SYSTEM_CLOCK
from wellkept._home import user_file
from wellkept.cli import render
from wellkept.cli.own import warn_if_committable
from wellkept.cli.tls_system_trust import SystemTrust
from wellkept.errors import BundleError, UsageError
from wellkept.tls.certificates import day, fingerprint
from wellkept.tls.devca import Purpose, fault_of_dates, parse_subject
from wellkept.tls.devca_files import (
    Folder,
    make_authority,
    open_authority,
    read_authority,
    renew_authority,
    write_issued,
)

SOON = timedelta(days=30)  # a month to give the next one to everybody
SYSTEM = SystemTrust()

Decorated = Callable[..., Any]


def _options(function: Decorated) -> Decorated:
    """Add `--folder` and `--json`."""
    for decorate in (
        click.option("--json", "wants_json", is_flag=True, help="Print one JSON document."),
        click.option("--folder", type=click.Path(), metavar="DIR", help="Where the CA is kept; in your home folder."),
    ):
        function = decorate(function)
    return function


@click.group("dev-ca")
def command() -> None:
    """Make certificates for development.

    The CA is yours alone, and signs for local names only: localhost, names below .localhost, .test
    and .internal, and loopback addresses. Its certificates hold for seven days.
    """


@command.command("init")
@click.option("--renew", "is_renewed", is_flag=True, help="Put a new CA in the place of the one that is there.")
@_options
def init(folder: str | None, *, is_renewed: bool, wants_json: bool) -> None:
    """Make the CA; where there is one, nothing changes.

    It prints the path of its certificate, which clients name to trust it. It holds for a year.
    """
    place = _placed(folder)
    now = SYSTEM_CLOCK.now()
    is_new = make_authority(place, now)
    if is_renewed and not is_new:
        _judge_renewal(place)
        renew_authority(place, now)
    certificate = read_authority(place)
    if is_new or is_renewed:
        warn_if_committable(place.key_file)
    _judge_dates(place, certificate)
    if wants_json:
        render.as_json({**_described(place, certificate), "created": is_new, "renewed": is_renewed and not is_new})
        return
    render.out(place.ca_file)
    done = "made" if is_new else "renewed: issue certificates again" if is_renewed else "is there already"
    render.talk(f"the development CA {done}, until {day(certificate.not_valid_after_utc)}")


@command.command("issue")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--client", "is_client", is_flag=True, help="For a client; without it, for a server.")
@click.option("--spiffe", metavar="ID", help="A SPIFFE id, as spiffe://dev/ns/pay/sa/orders.")
@click.option("--out", type=click.Path(), metavar="DIR", default=".", help="Where the files go; here.")
@_options
def issue(
    names: Sequence[str], folder: str | None, *, is_client: bool, spiffe: str | None, out: str, wants_json: bool
) -> None:
    """Issue a certificate for one NAME or more, as NAME.crt and NAME.key.

    A NAME is a host or a loopback address: localhost, api.test, 127.0.0.1. The files are called as
    the first one; a certificate of this CA that is there is replaced.
    """
    place = _placed(folder)
    now = SYSTEM_CLOCK.now()
    purpose = Purpose.CLIENT if is_client else Purpose.SERVER
    subject = parse_subject(names, spiffe, purpose)
    authority = open_authority(place, now)
    issued = authority.issue(subject, now=now)
    pair = write_issued(issued, Path(out), subject.stem)
    warn_if_committable(str(pair.key_file))
    _judge_dates(place, authority.certificate)
    expires = issued.certificate.not_valid_after_utc
    if wants_json:
        record = {"cert_file": pair.cert_file, "key_file": pair.key_file, "ca_file": place.ca_file}
        about = {"names": [*map(str, subject.names)], "spiffe": spiffe, "purpose": purpose, "expires": expires}
        render.as_json(record | about)
        return
    render.out(str(pair.cert_file))
    render.out(str(pair.key_file))
    named = ", ".join([*map(str, subject.names), *([spiffe] if spiffe else [])])
    render.talk(f"for a {purpose}, {named}, until {day(expires)}; the CA is {place.ca_file}")


@command.command("trust")
@click.option("--system", "is_system", is_flag=True, help="Make every program of this machine trust it; needs root.")
@click.option("--remove", "is_removed", is_flag=True, help="With --system: take it off again.")
@_options
def trust(folder: str | None, *, is_system: bool, is_removed: bool, wants_json: bool) -> None:
    """Say how a client comes to trust the CA.

    It prints the path of the CA's certificate, and changes nothing; --system does.
    """
    if is_removed and not is_system:
        raise UsageError("--remove: is for the system's trust", hint="add --system; a client forgets it with its line")
    place = _placed(folder)
    certificate = read_authority(place)
    # sudo has another home folder, so the command of the hint names this one.
    named = Folder(str(Path(place.path).absolute()), is_named=True)
    if is_removed:
        is_changed = SYSTEM.remove(certificate, named.command("trust --system --remove"))
    else:
        _judge_dates(place, certificate)
        is_changed = is_system
        if is_system:
            SYSTEM.add(certificate, named.ca_file, named.command("trust --system"))
    if wants_json:
        render.as_json(_described(place, certificate) | {"system": SYSTEM.has(certificate)})
        return
    render.out(place.ca_file)
    if is_system:
        render.talk(_changed(is_removed=is_removed, is_changed=is_changed))
        return
    render.talk(f'in Config.toml of a client: cert = "{named.ca_file}"')
    render.talk(f"curl: --cacert {named.ca_file}")


def _changed(*, is_removed: bool, is_changed: bool) -> str:
    if is_removed:
        return "this machine trusts it no longer" if is_changed else "this machine did not trust it"
    return "this machine trusts it; browsers may have a store of their own"


def _placed(folder: str | None) -> Folder:
    """Where the CA is kept.

    Raises:
        UsageError: there is no home folder.
    """
    if folder is not None:
        return Folder(folder, is_named=True)
    ca_file = user_file(os.environ, "dev-ca/ca.crt")
    if ca_file is None:
        raise UsageError("dev-ca: there is no home folder to keep it in", hint="set HOME, or name a folder: --folder")
    return Folder(str(Path(ca_file).parent))


def _judge_renewal(place: Folder) -> None:
    """Refuse to lose sight of a CA that the whole machine trusts.

    Raises:
        UsageError: it does.
    """
    if not os.path.lexists(place.ca_file):
        return
    try:
        certificate = read_authority(place)
    except BundleError:  # damaged: that is why it is renewed
        return
    if SYSTEM.has(certificate):
        hint = f"take it off first: {place.command('trust --system --remove')}"
        raise UsageError(f"{place.ca_file}: is trusted by this machine", hint=hint)


def _judge_dates(place: Folder, certificate: x509.Certificate) -> None:
    """Warn of an end that is near.

    Raises:
        BundleError: it is over.
    """
    now = SYSTEM_CLOCK.now()
    fault = fault_of_dates(certificate, now)
    if fault is not None:
        raise BundleError(f"{place.ca_file}: {fault}", hint=place.command("init --renew"))
    if certificate.not_valid_after_utc - now < SOON:
        end = day(certificate.not_valid_after_utc)
        render.warn(f"{place.ca_file}: ends on {end}: {place.command('init --renew')}")


def _described(place: Folder, certificate: x509.Certificate) -> dict[str, object]:
    return {
        "ca_file": place.ca_file,
        "fingerprint": fingerprint(certificate),
        "expires": certificate.not_valid_after_utc,
    }

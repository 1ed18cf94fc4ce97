"""`wellkept trust`: the addresses that may get this machine's credentials although a file named them."""

import os

import click

from wellkept._http.trusted import TrustedAddresses
from wellkept.cli import render
from wellkept.errors import UsageError, WellkeptError


@click.command("trust")
@click.argument("url", required=False, metavar="[URL]")
@click.option("--remove", "is_removed", is_flag=True, help="Do not trust URL any longer.")
@click.option("--list", "is_listed", is_flag=True, help="Print the addresses that are trusted, one a line.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(url: str | None, *, is_removed: bool, is_listed: bool, wants_json: bool) -> None:
    """Accept an address that a file names.

    URL is that address, as https://vault.example.com:8200. A token of your environment or home
    folder goes only to an address that comes from there too: otherwise a repository that you
    cloned could name its own server and collect the token. Where a file is right to name the
    address, accept it here, once for this user.
    """
    trusted = TrustedAddresses.of(os.environ)
    if is_listed:
        if url is not None or is_removed:
            raise UsageError("trust: --list stands alone", hint="leave out URL and --remove")
        _list(trusted, wants_json=wants_json)
    elif url is None:
        raise UsageError("trust: names no address", hint="write wellkept trust https://vault.example.com:8200")
    else:
        _change(trusted, url, is_removed=is_removed, wants_json=wants_json)


def _list(trusted: TrustedAddresses, *, wants_json: bool) -> None:
    addresses = trusted.addresses()
    if wants_json:
        render.as_json({"addresses": addresses, "path": trusted.path})
        return
    for address in addresses:
        render.out(address)
    if not addresses:
        render.talk("no address is trusted")


def _change(trusted: TrustedAddresses, url: str, *, is_removed: bool, wants_json: bool) -> None:
    address = _removed(trusted, url) if is_removed else trusted.add(url)
    if wants_json:
        render.as_json({"address": address, "trusted": not is_removed, "path": trusted.path})
    elif is_removed:
        render.talk(f"{address}: is trusted no longer (removed from {trusted.path})")
    else:
        render.talk(f"{address}: is trusted: credentials of this user may go there (written to {trusted.path})")


def _removed(trusted: TrustedAddresses, url: str) -> str:
    """Remove an address; return it as it was written, which a person may spell otherwise."""
    before = trusted.addresses()
    if not trusted.remove(url):
        raise WellkeptError("URL: is not trusted", hint="wellkept trust --list names those that are")
    return next((one for one in before if one not in trusted.addresses()), url)

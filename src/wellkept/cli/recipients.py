"""`wellkept recipients`: who may open Secrets.toml."""

import os
import sys
from collections.abc import Mapping, Sequence

import click

from wellkept._files import shown
from wellkept.cli import ask, render
from wellkept.cli.store import secrets_file, store_path
from wellkept.crypto.change import with_header
from wellkept.crypto.header import Access, Header, is_name, with_access
from wellkept.crypto.keyring import PINNED, find_identities
from wellkept.crypto.keys import Recipient, parse_recipient
from wellkept.crypto.opened import Opened
from wellkept.crypto.passphrase import FEWEST_CHARACTERS, Stretching
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.rekey import rekeyed
from wellkept.crypto.spelling import spelt
from wellkept.crypto.store import SecretsFile
from wellkept.errors import EXIT_FINDINGS, EXIT_FINE, Absent, Conflict, Denied, Malformed, SourceError, UsageError
from wellkept.secret import Secret

HEAD = ("name", "kind", "fingerprint", "you")

_FILE = click.option("--file", "path", type=click.Path(), help="The Secrets.toml that is meant.")
_JSON = click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
_YES = click.option("--yes", "is_sure", is_flag=True, help="Do it without asking.")


@click.group("recipients")
def command() -> None:
    """Say who may open Secrets.toml."""


@command.command("list")
@_FILE
@_JSON
def _list(path: str | None, *, wants_json: bool) -> int:
    """Name all recipients, with the fingerprints of their keys.

    No identity is needed; with one that opens the file, a recipient that slipped in is an error.
    """
    file = SecretsFile(_path(path), os.environ, shown(_path(path)))
    header = file.header()
    own = _own()
    rows = [_row(access, own) for access in header.accesses]
    if wants_json:
        render.as_json({"file": file.name, "fingerprint": header.fingerprint, "recipients": rows})
        return _verified(file)
    render.table(HEAD, render.columns([{**row, "you": "you" if row["you"] else None} for row in rows], HEAD))
    render.talk(f"fingerprint of {file.name}: {header.fingerprint}")
    return _verified(file)


def _verified(file: SecretsFile) -> int:
    """Whether all that is listed was written by who could open the file; without an identity nobody can tell."""
    try:
        file.open()
    except Denied:
        return EXIT_FINE
    except SourceError as error:
        render.failure(error)
        return error.exit_code
    return EXIT_FINE


@command.command("add")
@click.argument("name")
@click.argument("key", required=False, metavar="[PUBLIC-KEY]")
@click.option("--passphrase", "is_passphrase", is_flag=True, help="A passphrase instead of a key; it is asked for.")
@click.option("--fingerprint", metavar="TEXT", help="Add it only if the key has this fingerprint.")
@_FILE
@_YES
@_JSON
def _add(
    name: str,
    key: str | None,
    path: str | None,
    *,
    is_passphrase: bool,
    fingerprint: str | None,
    is_sure: bool,
    wants_json: bool,
) -> int:
    """Let somebody open the file, from now on and all that it holds.

    NAME is what they are called; PUBLIC-KEY is what wellkept identity or wellkept init printed
    for them. Compare the fingerprint with them, not by the way that the key came.
    """
    if not is_name(name):
        raise UsageError("NAME: is no name", hint="write letters, as in ada@laptop")
    if (key is not None) is is_passphrase:
        raise UsageError("recipients add: needs a public key, or --passphrase", hint="see wellkept identity")
    file = secrets_file(_path(path))
    header = file.open().header
    _refuse_known(header, name)
    who, how = _by_passphrase(file.name) if key is None else (_parsed(key), None)
    _refuse_known_key(header, who)
    if fingerprint is not None and fingerprint != who.fingerprint:
        raise UsageError(f"{name}: the key has the fingerprint {who.fingerprint}", hint="ask for the key again")
    if not (is_sure or is_passphrase or fingerprint is not None or _is_agreed(file.name, name, who)):
        render.talk("nobody was added")
        return EXIT_FINDINGS

    def edit(opened: Opened) -> str:
        _refuse_known(opened.header, name)
        header = with_access(opened.header, opened.key, name, who, how)
        if isinstance(header, Refusal):
            raise header.error(name)
        return with_header(opened.text, header.values())

    file.change(edit)
    if wants_json:
        render.as_json({"name": name, "fingerprint": who.fingerprint})
    else:
        render.talk(f"{name} can open {file.name} from now on ({who.fingerprint})")
    return EXIT_FINE


@command.command("remove")
@click.argument("name")
@_FILE
@_YES
@_JSON
def _remove(name: str, path: str | None, *, is_sure: bool, wants_json: bool) -> int:
    """Let somebody open it no longer: all values again, under a new data key.

    What they have read, or kept a copy of, they still know: the secrets that are named at the
    end must be changed where they come from.
    """
    file = secrets_file(_path(path))
    header = file.header()
    if header.access(name) is None:
        known = ", ".join(one.name for one in header.accesses)
        raise Absent(f"{render.printable(name)}: is no recipient", hint=f"recipients are {known}")
    opened = _opened_with(file, name)
    if opened is None:
        return _remove_stranger(file, name, wants_json=wants_json)
    _refuse_locking_out(opened.header, name)
    if not is_sure and not _may_remove(name):
        render.talk("nobody was removed")
        return EXIT_FINDINGS
    keys, fingerprint = rekey_file(file, [name])
    if wants_json:
        render.as_json({"name": name, "known": keys, "fingerprint": fingerprint})
        return EXIT_FINE
    render.talk(f"{name} can open {file.name} no longer")
    if os.environ.get(PINNED):
        render.talk(f"its fingerprint is {fingerprint} now: change {PINNED} where it is set")
    if keys:
        render.talk("and still knows these: change each where it comes from, then wellkept set it")
        for one in keys:
            render.out(one)
    return EXIT_FINE


def _opened_with(file: SecretsFile, name: str) -> Opened | None:
    """The file; None where the line of that recipient is all that keeps it from being opened."""
    try:
        return file.open()
    except Malformed:
        file.open(ignoring=name)
        return None


def _remove_stranger(file: SecretsFile, name: str, *, wants_json: bool) -> int:
    """Take out a line that is not authenticated: it opened nothing, so nothing is encrypted again."""

    def edit(opened: Opened) -> str:
        return with_header(opened.text, opened.header.values())

    file.change(edit, ignoring=name)
    if wants_json:
        render.as_json({"name": name, "known": [], "fingerprint": file.header().fingerprint})
    else:
        render.talk(
            f"removed the line of {name}, which did not fit to this data key; if they belong here, add them again"
        )
    return EXIT_FINE


def _refuse_locking_out(header: Header, name: str) -> None:
    own = _own()
    left = [one for one in header.accesses if one.name != name]
    if left and own and not any(str(one.recipient) in own or one.stretching is not None for one in left):
        raise UsageError(
            f"{name}: is you, and you could not open the file any more", hint="let somebody else remove you"
        )


def rekey_file(file: SecretsFile, without: Sequence[str] = ()) -> tuple[list[str], str]:
    """Give a file a new data key; return the keys of all that it holds, and its new fingerprint.

    Raises:
        SourceError: it cannot be opened, or holds something that does not decrypt.
    """
    keys: list[str] = []

    def edit(opened: Opened) -> str:
        keys.extend(sorted(spelt(entries[0].path) for entries in opened.text.secrets.values()))
        text = rekeyed(opened, without)
        if isinstance(text, Refusal):
            raise text.error(opened.name)
        return text

    with render.waiting(f"encrypting {file.name} again"):
        file.change(edit)
    return keys, file.header().fingerprint


def _path(path: str | None) -> str:
    return store_path([path] if path else [])


def _own() -> set[str]:
    """The public keys of the identities at hand."""
    found = find_identities(os.environ)
    return set() if isinstance(found, Refusal) else {str(one.recipient) for one in found}


def _row(access: Access, own: set[str]) -> Mapping[str, object]:
    kind = access.recipient.algorithm if access.stretching is None else "passphrase"
    recipient = access.recipient
    return {
        "name": access.name,
        "kind": kind,
        "fingerprint": recipient.fingerprint,
        "public": str(recipient),
        "you": str(recipient) in own,
    }


def _refuse_known(header: Header, name: str) -> None:
    if header.access(name) is not None:
        raise Conflict(
            f"{name}: is a recipient already", hint=f"name it otherwise, or wellkept recipients remove {name}"
        )


def _refuse_known_key(header: Header, who: Recipient) -> None:
    """One line a key: otherwise one of two names could be removed, and nothing would change."""
    known = next((one.name for one in header.accesses if str(one.recipient) == str(who)), None)
    if known is not None:
        raise Conflict(f"PUBLIC-KEY: is that of {known}, who is a recipient already", hint="nothing is to be done")


def _parsed(key: str) -> Recipient:
    found = parse_recipient(key.strip())
    if isinstance(found, str):
        raise Malformed(f"PUBLIC-KEY: {found}", hint="copy it whole, as wellkept identity printed it")
    return found


def _by_passphrase(file: str) -> tuple[Recipient, Stretching]:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("--passphrase: is asked for on a terminal", hint="machines use an identity: wellkept identity")
    first = _typed(f"new passphrase of {file}: ")
    if first != _typed("the same again: "):
        raise UsageError("the passphrase: was typed differently the second time", hint="run it again")
    if first.map(len).reveal() < FEWEST_CHARACTERS:
        raise UsageError(
            f"the passphrase: has fewer than {FEWEST_CHARACTERS} characters", hint="take five or more words at random"
        )
    how = Stretching.new()
    return how.identity(first.reveal()).recipient, how


def _typed(question: str) -> Secret[str]:
    return Secret(ask.for_hidden(question).decode("utf-8", "surrogateescape"))


def _is_agreed(file: str, name: str, who: Recipient) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        fix = "say --fingerprint with what they told you, or --yes"
        raise UsageError(f"{name}: the key has the fingerprint {who.fingerprint}", hint=fix)
    render.talk(f"the key of {name} has the fingerprint {who.fingerprint}")
    return ask.for_agreement(f"is it what {name} sees, and may they read all of {file}?")


def _may_remove(name: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{name}: nobody can be asked whether to remove it", hint="say --yes")
    return ask.for_agreement(f"remove {name}, and encrypt everything again?")

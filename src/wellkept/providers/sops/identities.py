"""The age identities that are at hand, where SOPS looks for them too.

Commands (SOPS_AGE_KEY_CMD) are not run, plugins are not started and nobody is asked for a
passphrase: where such a thing is found, it is named, since it may be why a file does not open.
"""

import sys
from collections.abc import Iterator, Mapping

from wellkept._dataclasses import dataclass, field
from wellkept._files import FileFault, read_file
from wellkept.errors import Kind
from wellkept.providers.sops.age import Identity, parse_identity, parse_ssh_identity

_COMMANDS = {"SOPS_AGE_KEY_CMD": "SOPS_AGE_KEY", "SOPS_AGE_SSH_PRIVATE_KEY_CMD": "SOPS_AGE_SSH_PRIVATE_KEY_FILE"}
_ENCRYPTED = ("age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----")


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        identities: those that can be tried; not in the repr.
        notes: what was found and cannot be used, each a sentence without its end.
    """

    identities: list[Identity] = field(default_factory=list[Identity], repr=False)
    notes: list[str] = field(default_factory=list[str])


def find_identities(environ: Mapping[str, str], *, with_ssh: bool) -> Found:
    """Look into the variables, and into the files that they and the home folder name.

    Args:
        environ: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, XDG_CONFIG_HOME, HOME and the like.
        with_ssh: whether SSH keys are looked for, too.
    """
    found = Found(
        [], [f"{name} is not run here: give {use} instead" for name, use in _COMMANDS.items() if name in environ]
    )
    if "SOPS_AGE_KEY" in environ:
        _take(found, "SOPS_AGE_KEY", environ["SOPS_AGE_KEY"].split())
    for place, path, is_wanted in _key_files(environ):
        data = _content(found, place, path, is_wanted)
        if data is not None and data.decode("latin-1").startswith(_ENCRYPTED):
            found.notes.append(f"{place} is encrypted with a passphrase, and nobody is asked for it")
        elif data is not None:
            _take(found, place, data.decode("latin-1").splitlines())
    for place, path, is_wanted in _ssh_files(environ) if with_ssh else ():
        data = _content(found, place, path, is_wanted)
        identity = None if data is None else parse_ssh_identity(data)
        if identity is not None:
            found.identities.append(identity)
        elif data is not None:
            found.notes.append(f"{place} is no SSH key that can be used: ed25519 or RSA, without a passphrase")
    return found


def default_file(environ: Mapping[str, str]) -> str | None:
    """Where SOPS keeps identities of its own accord, or None without a home folder."""
    configured, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME", "")
    if configured.startswith("/"):
        return f"{configured}/sops/age/keys.txt"
    if not home.startswith("/"):
        return None
    folder = "Library/Application Support" if sys.platform == "darwin" else ".config"
    return f"{home}/{folder}/sops/age/keys.txt"


def _key_files(environ: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """For each file of identities: what it is called, its path, whether somebody named it."""
    if environ.get("SOPS_AGE_KEY_FILE"):
        yield "the file of SOPS_AGE_KEY_FILE", environ["SOPS_AGE_KEY_FILE"], True
    default = default_file(environ)
    if default is not None:
        yield default, default, False


def _ssh_files(environ: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    name = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
    if environ.get(name):
        yield f"the file of {name}", environ[name], True
    home = environ.get("HOME", "")
    for kind in ("ed25519", "rsa") if home.startswith("/") else ():
        path = f"{home}/.ssh/id_{kind}"
        yield path, path, False


def _content(found: Found, place: str, path: str, is_wanted: bool) -> bytes | None:
    """What a file holds; None, with a note, where it cannot be read."""
    try:
        return read_file(path)
    except FileFault as fault:
        if is_wanted or fault.kind is not Kind.ABSENT:
            found.notes.append(f"{place} {fault.fact}")
    return None


def _take(found: Found, place: str, lines: list[str]) -> None:
    """Take the identities of a place, or the note why there are none."""
    count = len(found.identities)
    for raw in lines:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        identity = parse_identity(line)
        if identity is not None:
            found.identities.append(identity)
        else:
            found.notes.append(f"{place} holds {_kind(line)}")
    if len(found.identities) == count and not any(note.startswith(place) for note in found.notes):
        found.notes.append(f"{place} holds no identity")


def _kind(line: str) -> str:
    """What a line is that is no X25519 identity, without the line."""
    if line.startswith("AGE-PLUGIN-"):
        return "an identity of an age plugin, which is not supported"
    if line.startswith("AGE-SECRET-KEY-PQ-"):
        return "a post-quantum identity, which is not supported"
    return "a line that is no age identity"

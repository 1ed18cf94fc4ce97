"""A Secrets.toml made through the library, for tests of what reads it."""

from collections.abc import Mapping
from pathlib import Path

from wellkept.crypto.change import with_header, with_secret
from wellkept.crypto.header import new_header, with_access
from wellkept.crypto.keys import Identity
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.text import read_text

IDENTITY = Identity.new("x25519")  # it is short, and it is made in no time


def secrets_file(path: Path, values: Mapping[str, object], identity: Identity = IDENTITY) -> Path:
    """Write a file with these values, by dotted key, that the identity opens."""
    header, key = new_header()
    made = with_access(header, key, "ada@laptop", identity.recipient, None)
    assert not isinstance(made, Refusal)
    text = read_text(with_header(read_text("# of a test\n"), made.values()))
    for name, value in values.items():
        steps = tuple(name.split("."))
        text = read_text(with_secret(text, steps, Opened(path.name, text, made, key).seal(steps, value)))
    path.write_text(str(text))
    return path


def environ_of(identity: Identity = IDENTITY) -> Mapping[str, str]:
    """The variables that open it."""
    return {"WELLKEPT_IDENTITY": identity.text()}

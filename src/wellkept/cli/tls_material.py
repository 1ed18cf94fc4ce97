"""What the commands about keystores share: passwords that are asked for, certificates that are read, files written."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from cryptography import x509

from wellkept._files import create_private, is_exposed, read_file, write_private
from wellkept.cli import ask, render
from wellkept.cli.given import given_secret
from wellkept.errors import UsageError
from wellkept.secret import Secret
from wellkept.tls.keystore import is_keystore
from wellkept.tls.keystore_write import MIN_PASSWORD
from wellkept.tls.pem import is_pem, read_certificates
from wellkept.tls.stored import MAX_BYTES

Decorated = Callable[..., Any]

_MAX_PASSWORD_BYTES = 4096
_WAYS = "give --password-file FILE, or pipe it in with --password-stdin"


def password_options(function: Decorated) -> Decorated:
    """Add what says where the password comes from; `--password` itself is refused in words."""
    for decorate in (
        click.option("--password", hidden=True, expose_value=False, callback=_refuse_password),
        click.option("--password-stdin", "is_piped", is_flag=True, help="Read the password from stdin."),
        click.option(
            "--password-file", metavar="FILE", type=click.Path(), help="Read the password of the keystore from FILE."
        ),
    ):
        function = decorate(function)
    return function


def force_option(function: Decorated) -> Decorated:
    """Add `--force`."""
    return click.option("--force", "is_forced", is_flag=True, help="Replace a file that is there.")(function)


def read_password(what: str, file: str | None, *, is_piped: bool) -> Secret[str]:
    """The password of something that is there, from where the options say, else from the terminal.

    Raises:
        UsageError: there is none, or nobody to ask.
    """
    if file is None and not is_piped:
        return _asked(f"password of {what}: ")
    return _given(file, is_piped=is_piped)


def new_password(what: str, file: str | None, *, is_piped: bool) -> Secret[str]:
    """The password of something new, asked for twice.

    Raises:
        UsageError: there is none, nobody to ask, it is too short for Java, or it was typed differently.
    """
    if file is None and not is_piped:
        made = _asked(f"new password of {what}: ")
        if made != _asked("the same again: "):
            raise UsageError("the password: was typed differently the second time", hint="run it again")
    else:
        made = _given(file, is_piped=is_piped)
    if len(made.reveal()) < MIN_PASSWORD:
        fact = f"the password: has fewer than {MIN_PASSWORD} characters, and keytool opens no such keystore"
        raise UsageError(fact, hint="take a longer one")
    return made


def read_material(path: str) -> bytes:
    """A file with certificates or keys.

    Raises:
        FileFault: it cannot be read.
    """
    return read_file(path, max_bytes=MAX_BYTES)


def read_certificate_file(path: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a file, PEM or DER.

    Raises:
        BundleError: there is none.
        FileFault: it cannot be read.
    """
    data = read_material(path)
    if not is_pem(data) and not is_keystore(data):
        try:
            return (x509.load_der_x509_certificate(data),)
        except (ValueError, x509.InvalidVersion):  # the latter is no ValueError
            pass  # what it is, is told below
    return read_certificates(data, place=path)


def write_new(path: str, data: bytes, *, is_forced: bool) -> None:
    """Write a file of mode 0600 that must not be there yet, unless it may be replaced.

    Raises:
        UsageError: it is there.
        FileFault: it cannot be written.
    """
    if is_forced:
        write_private(path, data)
        return
    is_there = os.path.lexists(path) or not create_private(path, data)
    data = b""  # a traceback may show the locals of this frame
    if is_there:
        raise exists_already(path)


def refuse_existing(path: str, *, is_forced: bool) -> None:
    """See that a file is not there, before anybody is asked for a password.

    Raises:
        UsageError: it is there, and may not be replaced.
    """
    if os.path.lexists(path) and not is_forced:
        raise exists_already(path)


def exists_already(path: str) -> UsageError:
    """The refusal to replace a file."""
    return UsageError(f"{path}: exists already", hint="name another file, or replace it with --force")


def _refuse_password(_context: click.Context, _parameter: click.Parameter, value: object) -> None:
    is_given = value is not None
    value = None  # a traceback may show the locals of this frame
    if is_given:
        raise UsageError(
            "--password: takes no password on the command line, where the process list and the shell's history show it",
            hint=f"if it was the real one, replace it; then {_WAYS}",
        )


def _asked(question: str) -> Secret[str]:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("the password: stdin is no terminal, so nobody can be asked", hint=_WAYS)
    return _checked(ask.for_hidden(question), "the password")


def _given(file: str | None, *, is_piped: bool) -> Secret[str]:
    if file is not None and is_piped:
        raise UsageError("the password: cannot come from a file and from stdin", hint="leave one of the two out")
    if file is not None:
        if is_exposed(file):
            render.warn(f"{file}: can be read by other users: chmod 600 {file}")
        return _checked(read_file(file, max_bytes=_MAX_PASSWORD_BYTES), file)
    if sys.stdin is None:
        raise UsageError("the password: stdin is closed", hint="pipe it in, or give --password-file FILE")
    return _checked(sys.stdin.buffer.read(_MAX_PASSWORD_BYTES + 1), "stdin")


def _checked(given: bytes, where: str) -> Secret[str]:
    hint = "type the password, or give a file that holds it and nothing else"
    most = _MAX_PASSWORD_BYTES, f"holds more than {_MAX_PASSWORD_BYTES} bytes, which is no password"
    return given_secret(given, where, "password", most=most, hint=hint)


def counted(certificates: int) -> str:
    """How many certificates, in words."""
    return f"{certificates} certificate" + ("" if certificates == 1 else "s")

"""Secrets.toml on disk: read as it is, and changed as a whole under a lock, so that nothing is torn or lost.

The lock is the folder itself, see lock.py. Who holds it removes what writers left behind that were
killed. A change is a new file that takes the old one's name, see `_files.py`.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress

from wellkept._dataclasses import replace
from wellkept._files import FileFault, read_file, replace_file, sweep
from wellkept._names import canonical_path
from wellkept._toml.document import TomlFault, parse
from wellkept._toml.limits import MAX_BYTES, find_excess
from wellkept.crypto.header import Header, parse_header
from wellkept.crypto.keyring import open_header
from wellkept.crypto.lock import lock_folder, unlock_folder
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import HEADER, SecretsText, read_text
from wellkept.errors import Absent, Kind, Malformed, SourceError, Unreachable

FILE = "Secrets.toml"
TEMPORARY = ".wellkept-store-"
_ONE_BRANCH = "git checkout BRANCH -- the file of one of them, and set again what the other one changed"
_START = "start one with wellkept init"


class SecretsFile:
    """One Secrets.toml."""

    def __init__(self, path: str, environ: Mapping[str, str], name: str | None = None) -> None:
        """Touch nothing yet.

        Args:
            path: where it is; a symbolic link is followed.
            environ: where the identity is found.
            name: what it is called in messages.
        """
        self.path: str = os.path.realpath(path)
        self.name: str = name or path
        self._environ = environ

    def read(self) -> SecretsText:
        """Read its lines; no identity is needed.

        Raises:
            SourceError: it cannot be read, or is no text.
        """
        return read_text(_decoded(self._content(), self.name))

    def header(self) -> Header:
        """Read its header as it stands there; nothing of it is verified.

        Raises:
            SourceError: it cannot be read, or has no header.
        """
        header = _header_of(self.read())
        if isinstance(header, Refusal):
            raise header.error(self.name)
        return header

    def open(self, *, ignoring: str | None = None) -> Opened:
        """Read it, and find its key.

        Args:
            ignoring: the name of a recipient that counts as if it were not there.

        Raises:
            Denied: no identity at hand opens it.
            SourceError: it cannot be read, or its header cannot be used.
        """
        text = self.read()
        opened = self._opened(text, ignoring)
        if isinstance(opened, Refusal):
            raise opened.error(self.name)
        return opened

    def change(self, edit: Callable[[Opened], str], *, ignoring: str | None = None) -> None:
        """Change it while nobody else does.

        Args:
            edit: makes the new text of what was read; whatever it raises leaves the file as it is.
            ignoring: as in `open`.

        Raises:
            FileFault: it cannot be written.
            SourceError: it cannot be read or opened, or somebody else holds it too long.
        """
        with self.locked():
            content = self._content()
            text = _decoded(content, self.name)
            opened = self._opened(read_text(text), ignoring)
            if isinstance(opened, Refusal):
                raise opened.error(self.name)
            new = edit(opened)
            worse = _worse(opened.text, read_text(new), self.name)
            if worse is not None:
                raise worse
            if new != text:
                self.write(new, has_crlf=b"\r\n" in content)

    def write(self, text: str, *, has_crlf: bool = False) -> None:
        """Write it as a whole; the caller holds the lock.

        Raises:
            FileFault: it cannot be written.
        """
        data = (text.replace("\n", "\r\n") if has_crlf else text).encode()
        refusal = None
        try:
            replace_file(self.path, data, prefix=TEMPORARY)
        except FileFault as fault:
            refusal = (fault.fact, fault.hint or "look at the disk", fault.kind)
        if refusal is not None:
            raise FileFault(self.name, refusal[0], hint=refusal[1], kind=refusal[2])

    @contextmanager
    def locked(self) -> Generator[None]:
        """Be the only one who changes files of that folder, and clear away what a crash left there.

        Raises:
            Unreachable: the folder cannot be locked, or somebody else holds it too long.
        """
        folder = os.path.dirname(self.path)  # noqa: PTH120 text in, text out
        if not os.path.isdir(folder):  # noqa: PTH112 text in
            raise Absent(f"{self.name}: stands in a folder that does not exist", hint="make the folder first")
        descriptor = lock_folder(folder)
        if isinstance(descriptor, Refusal):
            raise Unreachable(f"{self.name}: {descriptor.fact}", hint=descriptor.hint)
        try:
            sweep(folder, TEMPORARY)
            yield
        finally:
            unlock_folder(descriptor)

    def _content(self) -> bytes:
        try:
            return read_file(self.path, max_bytes=MAX_BYTES)
        except FileFault as fault:
            refusal = Refusal(
                fault.fact, self._way_out() if fault.kind is Kind.ABSENT else fault.hint or "look at it", fault.kind
            )
        raise refusal.error(self.name)

    def _way_out(self) -> str:
        """What to do about a file that is not there: one above it may be meant."""
        folder, name = os.path.split(self.path)
        above = folder
        while above != os.path.dirname(above):  # noqa: PTH120 text in
            above = os.path.dirname(above)  # noqa: PTH120 text in
            if os.path.isfile(os.path.join(above, name)):  # noqa: PTH113, PTH118 text in
                return f"there is one above: --file {os.path.relpath(os.path.join(above, name), folder)}"  # noqa: PTH118 text in
        return _START

    def _opened(self, text: SecretsText, ignoring: str | None) -> Opened | Refusal:
        header = _header_of(text)
        if isinstance(header, Refusal):
            return header
        if ignoring is not None:
            header = replace(header, accesses=tuple(one for one in header.accesses if one.name != ignoring))
        key = open_header(header, self._environ)
        return key if isinstance(key, Refusal) else Opened(self.name, text, header, key)


def _header_of(text: SecretsText) -> Header | Refusal:
    for name, entries in text.repeated():
        if entries[0].path[0] == HEADER:
            places = " and ".join(str(one.line + 1) for one in entries)
            return Refusal(f"has {name} in lines {places}: two branches changed it", _ONE_BRANCH)
    return parse_header(text.header_table())


def _decoded(content: bytes, name: str) -> str:
    """The text with LF line ends."""
    text = None
    with suppress(UnicodeDecodeError):
        text = content.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    if text is None:
        raise Malformed(f"{name}: is not UTF-8", hint="take the last good version of it from git")
    return text


def _worse(before: SecretsText, after: SecretsText, name: str) -> SourceError | None:
    """Why a new text must not be written: it has something that may not stand there, and the old one had not."""
    refused = parse_header(after.header_table())
    if isinstance(refused, Refusal):
        return Malformed(f"{name}: then {refused.fact}; nothing was written", hint=refused.hint)
    text = str(after)
    excess = find_excess(text)
    if excess is not None and find_excess(str(before)) is not None:
        excess = None  # a merge left too much, and a change may be the cure
    if excess is not None or len(text.encode()) + len(after.lines) > MAX_BYTES:  # a line may end in two characters
        fact = excess.fact if excess is not None else f"is larger than {MAX_BYTES >> 20} MiB"
        return Malformed(f"{name}: then {fact}; nothing was written", hint="keep a part of it in another file: --file")
    flaw = next(iter(after.flaws[len(before.flaws) :]), None)
    if flaw is not None:
        return Malformed(f"{name}: line {flaw.line + 1} of it {flaw.fact}; nothing was written", hint=flaw.hint)
    known = {(above.path, below.path) for above, below in before.covered()}
    for above, below in after.covered():
        if (above.path, below.path) not in known:
            fact = f"{spelt(below.path)} would stand below {spelt(above.path)}, which has a value itself"
            was_there = above if canonical_path(above.path) in before.secrets else below
            hint = f"wellkept unset {spelt(was_there.path)} first, or name it otherwise"
            return Malformed(f"{name}: {fact}; nothing was written", hint=hint)
    fault = _fault(after, name)
    if fault is None or _fault(before, name) is not None:  # what a merge left is not to be mended at once
        return None
    return Malformed(f"{fault.message}; nothing was written", hint=fault.hint)


def _fault(text: SecretsText, name: str) -> TomlFault | None:
    """Why a text is no TOML: a merge may have left a key twice."""
    try:
        parse(str(text), name)
    except TomlFault as fault:
        return fault.with_traceback(None)
    return None

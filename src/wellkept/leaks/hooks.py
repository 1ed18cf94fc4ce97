"""Masking what a process prints: where the interpreter and `logging` turn things into text.

What is patched, and why there:

- `logging.Handler.format`: handlers that are added later and JSON formatters pass through it.
  A Filter would leak through `exc_info`.
- `logging.LogRecord.getMessage`: some handlers call it themselves.
- `sys.excepthook`, `threading.excepthook`, `sys.unraisablehook`, `warnings.formatwarning`.
- `sys.stderr`: what `sys.exit(text)`, `traceback.print_exc` and logging's own `handleError`
  write. A value is masked where one write holds all of it, as all of these do.

A hook that somebody set before us still runs; one that was set after us is left alone.
"""

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TextIO, cast

from wellkept.leaks.redact import Redactor

Patch = tuple[Any, str, Any, Any]


class MaskedStream:
    """A text stream whose writes are masked; in everything else it is the stream behind it."""

    def __init__(self, stream: TextIO, mask: Callable[[str], str]) -> None:
        """Write to `stream` what `mask` makes of each text."""
        self._stream = stream
        self._mask = mask

    def write(self, text: str) -> int:
        """Write the masked text; return the length of the given one, as callers expect."""
        self._stream.write(self._mask(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each line, masked."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class _Installed:
    """One installation: its patches, and how many asked for it."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self.is_active = True
        self.count = 1
        self.patches: list[Patch] = []

    def mask(self, text: str) -> str:
        """Mask, unless the installation was taken off while somebody kept a part of it."""
        return self.redactor.safe_mask(text) if self.is_active else text

    def put(self, owner: object, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute by what `make` makes of it."""
        original = getattr(owner, name)
        ours = make(original)
        setattr(owner, name, ours)
        self.patches.append((owner, name, original, ours))

    def take_off(self) -> None:
        """Put everything back that nobody replaced after us."""
        self.is_active = False
        for owner, name, original, ours in reversed(self.patches):
            if getattr(owner, name) is ours:
                setattr(owner, name, original)


_current: _Installed | None = None
_lock = threading.Lock()


def after_fork() -> None:
    """Take a new lock in a child: another thread may have held the old one when the process forked."""
    global _lock  # noqa: PLW0603 as above
    _lock = threading.Lock()


def install(redactor: Redactor) -> Callable[[], None]:
    """Mask what this process prints; return a callable that takes it off again.

    Several that ask share one installation; the last one to go takes it off.
    """
    global _current  # noqa: PLW0603 one process prints to one place
    with _lock:
        if _current is not None and _current.redactor is redactor:
            _current.count += 1
        else:
            _current = _patched(_Installed(redactor))
        installed, is_open = _current, [True]

    def uninstall() -> None:
        global _current  # noqa: PLW0603 as above
        with _lock:
            if is_open:  # the second call does nothing
                is_open.clear()
                installed.count -= 1
                if not installed.count:
                    installed.take_off()
                    _current = None if _current is installed else _current

    return uninstall


def _patched(installed: _Installed) -> _Installed:
    mask = installed.mask
    installed.put(logging.Handler, "format", lambda original: _formatting(original, mask))
    installed.put(logging.LogRecord, "getMessage", lambda original: _message(original, mask))
    installed.put(warnings, "formatwarning", lambda original: _masking(original, mask))
    if cast("TextIO | None", sys.stderr) is not None:  # a daemon may have none
        installed.put(sys, "stderr", lambda original: MaskedStream(original, mask))
    installed.put(sys, "excepthook", lambda original: _excepthook(original, mask))
    installed.put(threading, "excepthook", lambda original: _thread_hook(original, mask))
    installed.put(sys, "unraisablehook", lambda original: _unraisable_hook(original, mask))
    return installed


def _masking(original: Callable[..., str], mask: Callable[[str], str]) -> Callable[..., str]:
    def masked(*args: object, **kwargs: object) -> str:
        return mask(original(*args, **kwargs))

    return masked


class _Formatted(threading.local):
    """The record that this thread formats: its text is masked as a whole, once."""

    record: logging.LogRecord | None = None


_formatted = _Formatted()


def _formatting(original: Callable[..., str], mask: Callable[[str], str]) -> Callable[..., str]:
    def masked(handler: logging.Handler, record: logging.LogRecord) -> str:
        outer, _formatted.record = _formatted.record, record
        text = shown = ""
        try:
            text = original(handler, record)
            shown = mask(text)
            return shown
        finally:
            _formatted.record = outer
            # A formatter leaves the message on the record, where another handler may look.
            message = record.__dict__.get("message", "")
            if text != shown or message not in text:
                record.message = _masked_part(message, text, shown) or mask(message)

    return masked


def _masked_part(message: str, text: str, shown: str) -> str | None:
    """The message as it stands at the end of a masked text, if it does: masking again costs as much."""
    head = text.removesuffix(message)
    return shown[len(head) :] if len(head) < len(text) and shown.startswith(head) else None


def _message(original: Callable[..., str], mask: Callable[[str], str]) -> Callable[..., str]:
    def masked(record: logging.LogRecord) -> str:
        text = original(record)
        return text if _formatted.record is record else mask(text)

    return masked


def _show(text: str, mask: Callable[[str], str]) -> None:
    """Write to whatever stderr is now, masked even if that is not ours any more."""
    stream = cast("TextIO | None", sys.stderr)
    if stream is not None:
        stream.write(mask(text))


def _excepthook(original: Callable[..., Any], mask: Callable[[str], str]) -> Callable[..., None]:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if original is sys.__excepthook__:
            _show("".join(traceback.format_exception(kind, error, trace)), mask)
        else:
            original(kind, error, trace)

    return hook


def _thread_hook(original: Callable[..., Any], mask: Callable[[str], str]) -> Callable[..., None]:
    def hook(args: threading.ExceptHookArgs) -> None:
        if original is not threading.__excepthook__:
            original(args)
        elif args.exc_type is not SystemExit:  # a thread may end that way, and says nothing
            name = args.thread.name if args.thread is not None else threading.get_ident()
            text = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
            _show(f"Exception in thread {name}:\n{''.join(text)}", mask)

    return hook


def _unraisable_hook(original: Callable[..., Any], mask: Callable[[str], str]) -> Callable[..., None]:
    def hook(args: "sys.UnraisableHookArgs") -> None:
        if original is not sys.__unraisablehook__:
            original(args)
            return
        text = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
        what = args.err_msg or "Exception ignored in"
        _show(f"{what}: {args.object!r}\n{''.join(text)}", mask)

    return hook

"""The lock of a folder: a file for it would end in a commit."""

import fcntl
import os
import time
from contextlib import suppress

from wellkept._clock import SYSTEM_CLOCK
from wellkept.crypto.refusal import Refusal

PATIENCE_S = 30.0
_PAUSE_S = 0.005


def lock_folder(folder: str) -> int | Refusal:
    """Wait until nobody else holds it; the descriptor that holds it until it is closed, or why it cannot be held."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return Refusal(f"cannot be locked: its folder {_reason(error)}", "look at the folder")
    deadline = SYSTEM_CLOCK.seconds() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if SYSTEM_CLOCK.seconds() > deadline:
                os.close(descriptor)
                return Refusal(f"is held by another process for {PATIENCE_S:.0f} s", "let that one end, and try again")
            time.sleep(_PAUSE_S)
        except OSError as error:
            os.close(descriptor)
            return Refusal(f"cannot be locked: its folder {_reason(error)}", "keep it on a disk of this machine")
        else:
            return descriptor


def unlock_folder(descriptor: int) -> None:
    """Let others go on: a child that was forked meanwhile holds the descriptor, too, so closing it is not enough."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _reason(error: OSError) -> str:
    return f"gives the error {os.strerror(error.errno or 0).lower()}"

"""A command at a terminal of its own, as a person has one."""

import os
import pty
import subprocess
import sys
import time

from tests.cli.shelf import CommandLine

# Makes the terminal on its stdin the one that it is run from, as a shell's is.
AT_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'wellkept', *sys.argv[1:]])"
)


class Terminal:
    """A command at a terminal: what it shows, and what is typed into it."""

    def __init__(self, wellkept: CommandLine, *words: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, *words],
            cwd=wellkept.folder,
            env=wellkept.environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def type(self, text: str, *, after: str) -> None:
        """Wait for a question, and answer it."""
        while after not in self.shown:
            self.shown += os.read(self._master, 4096).decode()
        time.sleep(0.05)  # getpass throws away what is typed before it stops the echo
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read all that it still says; its exit code."""
        try:
            while more := os.read(self._master, 4096):
                self.shown += more.decode()
        except OSError:  # EIO is how a terminal says that nobody is at the other end
            pass
        os.close(self._master)
        return self.process.wait(timeout=20)

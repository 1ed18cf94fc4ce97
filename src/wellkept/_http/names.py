"""Looking up names under a deadline: the system's look-up cannot be stopped, so it runs beside us.

A look-up that hangs is left alone on a daemon thread; a few of them at the most, then names are
refused until one comes back. Threads that want the same name share one look-up.
"""

import socket
import threading

from wellkept._forks import after_fork
from wellkept._http.deadline import Deadline

MOST_STUCK = 8  # a resolver that hangs does so for every name: more threads would find out no more

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes] | str
Target = tuple[socket.AddressFamily, SocketAddress]


class _LookUp:
    """One look-up, on its way or done."""

    __slots__ = ("answer", "is_done")

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.answer: list[Target] | socket.gaierror | OSError = []

    def run(self, host: str, port: int) -> None:
        """Ask the system, and let go of the place in the list of those that are on their way."""
        try:
            self.answer = _ask(host, port, 0)
        except OSError as error:
            self.answer = error.with_traceback(None)
        except UnicodeError:  # a label that no name can have
            self.answer = socket.gaierror(socket.EAI_NONAME, "no name")
        finally:
            _on_their_way.pop((host, port), None)
            self.is_done.set()


_on_their_way: dict[tuple[str, int], _LookUp] = {}
_lock = threading.Lock()


def _forget() -> None:
    """Start anew in a forked child, where the threads of the look-ups are gone."""
    global _lock  # noqa: PLW0603 there is one
    _lock = threading.Lock()
    _on_their_way.clear()


after_fork(_forget)


def look_up(host: str, port: int, deadline: Deadline) -> list[Target]:
    """Find the addresses of a host, in the order in which to try them.

    Raises:
        TimeoutError: there is no answer in time, or too many look-ups hang already.
        OSError: the name is not known, or the look-up failed.
    """
    try:
        return _ask(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # it is a name
    with _lock:
        found = _on_their_way.get((host, port))
        if found is None:
            if len(_on_their_way) >= MOST_STUCK:
                raise TimeoutError
            found = _on_their_way[host, port] = _LookUp()
            threading.Thread(target=found.run, args=(host, port), daemon=True).start()
    if not found.is_done.wait(deadline.wait()):
        raise TimeoutError
    if isinstance(found.answer, OSError):
        raise type(found.answer)(*found.answer.args)  # each thread its own: an error carries a traceback
    return found.answer


def _ask(host: str, port: int, flags: int) -> list[Target]:
    # As bytes: text would be encoded by the codec idna, whose import takes 3 ms and holds a lock across a fork.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _kind, _protocol, _name, address in found]

"""What a server program of these tests is told on its command line, and the TLS that it makes of it.

A folder holds `server.crt`, `server.key` and `trust.crt`; the port goes to its file `port`. Programs whose
server starts processes of its own read the command line again from the environment.
"""

import json
import os
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from tests.servers.process import free_port
from wellkept.tls.live import CHECK_INTERVAL_S, Live
from wellkept.tls.material import CertKey, trust_files
from wellkept.tls.policy import OnTrustChange, Profile, VerifyClient
from wellkept.tls.server import MutualTLS, ServerTLS
from wellkept.tls.settings import CertValidation
from wellkept.tls.source import FilesSource

_HANDED_DOWN = "SERVER_PROGRAM_ARGUMENTS"


@dataclass(frozen=True, kw_only=True)
class QuickTLS(ServerTLS):
    """A `ServerTLS` that looks at its files more often.

    Attributes:
        check_interval_s: how long it does not look again.
    """

    check_interval_s: float = CHECK_INTERVAL_S

    @cached_property
    def live(self) -> Live:
        """As in ServerTLS."""
        trust = () if self.mutual is None else trust_files(self.mutual.trust)
        source = FilesSource(self.key, trust, self.cert_validation)
        return Live(source, self.policy(), remake=self.context, check_interval_s=self.check_interval_s)


def quick_tls(  # the options of the programs, for tests that run a server in their own process
    folder: Path,
    *,
    interval_s: float = 0.01,
    verify: str = "require",
    allow: tuple[str, ...] = (),
    on_trust_change: str = "drain",
    profile: str = "intermediate",
    share_session: bool | None = None,
    handshake_timeout: float = 10.0,
    crl: Path | None = None,
) -> QuickTLS:
    """The TLS of a folder."""
    return QuickTLS(
        key=CertKey(folder / "server.crt", folder / "server.key"),
        mutual=MutualTLS(trust=folder / "trust.crt", verify_client=VerifyClient(verify)),
        allow=allow,
        profile=Profile(profile),
        on_trust_change=OnTrustChange(on_trust_change),
        share_session=share_session,
        handshake_timeout=handshake_timeout,
        cert_validation=None if crl is None else CertValidation(crl=(crl,)),
        check_interval_s=interval_s,
    )


@dataclass(frozen=True)
class Given:
    """What the command line says.

    Attributes:
        tls: the TLS to serve with.
        port: where to listen; written to the folder's file `port`.
        kind: which variety of the server; each program has its own.
    """

    tls: QuickTLS
    port: int
    kind: str


def given(kinds: tuple[str, ...] = ("",)) -> Given:
    """Read the command line, choose a port and tell it; for the process that a person starts."""
    made = _parsed(sys.argv[1:], kinds)
    os.environ[_HANDED_DOWN] = json.dumps([*sys.argv[1:], "--port", str(made.port)])
    return made


@cache
def handed_down(kinds: tuple[str, ...] = ("",)) -> Given:
    """The same in a process that the server started."""
    return _parsed(json.loads(os.environ[_HANDED_DOWN]), kinds)


def _parsed(arguments: list[str], kinds: tuple[str, ...]) -> Given:
    parser = ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--interval", type=float, default=CHECK_INTERVAL_S)
    parser.add_argument("--kind", choices=kinds, default=kinds[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--verify", default="require")
    parser.add_argument("--allow", action="append", default=[])
    parser.add_argument("--on-trust-change", default="drain")
    parser.add_argument("--share-session", action="store_true")
    parser.add_argument("--handshake-timeout", type=float, default=10.0)
    read = parser.parse_args(arguments)
    port = read.port or free_port()
    if not read.port:
        (read.folder / "port").write_text(f"{port}\n")
    tls = quick_tls(
        read.folder,
        interval_s=read.interval,
        verify=read.verify,
        allow=tuple(read.allow),
        on_trust_change=read.on_trust_change,
        share_session=True if read.share_session else None,
        handshake_timeout=read.handshake_timeout,
    )
    return Given(tls, port, read.kind)

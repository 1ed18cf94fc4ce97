"""Closes its settings and exits while their leases are being given back, one after the other.

python -m tests.refresh.programs.closing LEDGER
"""

import sys
import time
from pathlib import Path

from tests.refresh.programs.leasing import Ledger
from wellkept import Secret, Settings, close, load


class Five(Settings):
    """Five leases."""

    a: Secret[str]
    b: Secret[str]
    c: Secret[str]
    d: Secret[str]
    e: Secret[str]


def main(ledger: Path) -> None:
    """Exit in the middle of it: what gives them back is at its first, and what the exit does comes from the other end.

    They meet while the exit is not yet over.
    """
    source = Ledger(ledger)
    environ = {f"BAL_CONFIG_VAR_{name.upper()}": f"${{ledger:{name}}}" for name in "abcde"}
    config = load(Five, files=[], environ=environ, providers={"ledger": source}, redact=False)
    source.takes_s = 0.3
    close(config)
    while "revoke" not in source.asked:
        time.sleep(0.01)
    source.takes_s = 0.2
    sys.exit(6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

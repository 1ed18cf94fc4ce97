"""Asks one server for a secret, and says how that went: in a process of its own, so that its memory can be told.

python -m tests.providers.vault.ask_hostile ADDRESS DEADLINE
"""

import json
import resource
import sys
import time
import traceback
from datetime import timedelta

from wellkept.errors import SourceError
from wellkept.providers.vault import Vault

address, deadline = sys.argv[1], float(sys.argv[2])
vault = Vault(address, token="CANARY-token", timeout=timedelta(seconds=deadline))
before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.monotonic()
error, shown = "", ""
try:
    vault.get("secret/prod/db")
except SourceError as caught:
    error = type(caught).__name__
    shown = "".join(traceback.TracebackException.from_exception(caught, capture_locals=True).format()) + str(
        vars(caught)
    )
seconds = time.monotonic() - start
grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
sys.stdout.write(json.dumps({"error": error, "seconds": seconds, "grown_kb": grown_kb, "shown": shown}))

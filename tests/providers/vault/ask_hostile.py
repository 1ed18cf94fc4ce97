"""Asks one server for a secret, and says how that went: in a process of its own, so that its memory can be told.

python -m tests.providers.vault.ask_hostile ADDRESS DEADLINE
"""

import json
import resource
import sys
import time
import traceback

from wellkept._http.address import parse_address
from wellkept.errors import SourceError
from wellkept.providers.vault import Vault
from wellkept.providers.vault.connection import Connection
from wellkept.providers.vault.login import GivenToken
from wellkept.secret import Secret

address, deadline = sys.argv[1], float(sys.argv[2])
# With the version known, an answer that is believed is a value: no further question hides it.
vault = Vault.of(
    Connection(
        parse_address(address, what="the server"),
        GivenToken(Secret("CANARY-token")),
        timeout_s=deadline,
        kv_version=2,
    )
)
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

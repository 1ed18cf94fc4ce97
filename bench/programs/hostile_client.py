"""Asks a hostile server for a secret, twice, and prints what came of it: `hostile_client.py ADDRESS TIMEOUT_S`."""

import json
import sys
import time
from pathlib import Path

from wellkept import Secret
from wellkept._http.address import parse_address
from wellkept.errors import SourceError
from wellkept.providers.vault import Vault
from wellkept.providers.vault.connection import Connection
from wellkept.providers.vault.login import GivenToken


def memory_kib(name: str) -> int:
    """What the kernel says of this process: VmRSS is its memory, VmHWM the most that it ever was."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


# With the version of the mount given, one answer is all that is asked for: any doubt is about that answer.
login = GivenToken(Secret("token-CANARY", name="vault token"))
address = parse_address(sys.argv[1], what="hostile")
vault = Vault.of(Connection(address, login, timeout_s=float(sys.argv[2]), kv_version=2))
before_kib = memory_kib("VmRSS")
takes_s, value = [], ""
for _ in range(2):  # the second answer may come from what the first one left behind
    start = time.monotonic()
    try:
        value = vault.get("secret/prod/db", "password").reveal()
    except SourceError as error:
        value = type(error).__name__
    takes_s.append(time.monotonic() - start)
    if "CANARY" not in value:
        break
    time.sleep(0.1)
print(json.dumps({"value": value, "took_s": max(takes_s), "more_kib": memory_kib("VmHWM") - before_kib}))

"""Gives each hostile answer to a client of its own, and prints a line of JSON for each: `… TIMEOUT_S`.

It is started as `-m bench.programs.hostile_answers` in the root of the repository, where it finds the
servers of the tests. The first answer is a good one: a client that stops it stops everything.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.servers.answers import a_good_answer
from tests.servers.hostile import HOSTILE, HostileServer

CLIENT = str(Path(__file__).with_name("hostile_client.py"))

for name, answer in {"good": a_good_answer, **HOSTILE}.items():
    with HostileServer(answer) as server:
        command = [sys.executable, "-I", CLIENT, server.address, sys.argv[1]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told = json.loads(done.stdout) if done.returncode == 0 else {"value": "", "took_s": 0.0, "more_kib": 0}
        was_led_away = server.elsewhere.connections > 0
    print(json.dumps({"name": name, "was_led_away": was_led_away, **told}), flush=True)

"""What a server that means harm costs a process that asks it for a secret: time, memory, or its trust."""

import json
import sys
from typing import Any, Final

from harness import Row, read_output
from openbao import ROOT

TIMEOUT_S: Final = 2  # in one second some machines do not get as far as the harm
STOPPED: Final = frozenset({"Malformed", "TimedOut", "Unreachable"})

# Its first response is a good one; what follows it must not be taken for the answer to the next request.
GENUINE: Final = {"unasked-response": "hostile-CANARY"}


def measure() -> list[Row]:
    """Let each hostile answer be stopped, one by one.

    Raises:
        RuntimeError: a good answer is stopped, too.
    """
    command = (sys.executable, "-m", "bench.programs.hostile_answers", str(TIMEOUT_S))
    good, *hostile = map(json.loads, read_output(command, folder=str(ROOT)).splitlines())
    if good["value"] != "hostile-CANARY":
        raise RuntimeError("a good answer is stopped, too")
    greediest = max(hostile, key=lambda one: one["more_kib"])
    missed = [one["name"] for one in hostile if not _is_stopped(one)]
    return [
        Row(" ".join((f"hostile answers not stopped, of {len(hostile)}", *missed)), len(missed), "", most=0),
        Row("the latest stop of them, after its deadline", _latest_ms(hostile), "ms", most=100),
        Row(f"most memory that one takes: {greediest['name']}", greediest["more_kib"] / 1024, "MiB", most=32),
    ]


def _is_stopped(told: dict[str, Any]) -> bool:
    is_refused = told["value"] in STOPPED or told["value"] == GENUINE.get(told["name"])
    return is_refused and not told["was_led_away"]


def _latest_ms(hostile: list[dict[str, Any]]) -> float:
    latest_s = max(float(one["took_s"]) for one in hostile)
    return max(latest_s - TIMEOUT_S, 0) * 1e3

"""What spoilt files do to a service that runs: nothing, and one event each."""

from harness import Row
from tls_programs import run_program

HOLD_S = 1.0  # a hundred looks


def measure() -> list[Row]:
    """Spoil them in each way."""
    told = run_program("tls_bad_files", HOLD_S)
    names, opened = ", ".join(one["name"] for one in told), sum(one["opened"] for one in told)
    odd = [one["name"] for one in told if one["events"] != 1]
    return [
        Row(f"reload of {names}: connections hurt, of {opened:,}", sum(one["hurt"] for one in told), "", most=0),
        Row(" ".join((f"… faults without exactly 1 event, of {len(told)}", *odd)), len(odd), "", most=0),
    ]

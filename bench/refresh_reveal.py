"""What reading a secret costs while it is swapped: it takes no lock and does no I/O, so nearly what it costs anyway."""

from typing import Final

from harness import Row
from tls_programs import run_program, scaled

SECONDS: Final = 15
KINDS: Final = {"static": "100 static secrets change", "leased": "its lease is replaced"}


def measure() -> list[Row]:
    """Reveal without a pause, a static secret and a leased one."""
    (told,) = run_program("refresh_reveal", scaled(SECONDS))
    rows: list[Row] = []
    for kind, what in KINDS.items():
        quiet_ns = told[f"{kind}_quiet_ns"]
        text = f"`reveal()` while {what}, {told[f'{kind}_swaps']} times"
        rows.append(Row(f"{text}, CPU", told[f"{kind}_ns"], "ns", "nothing refreshes", quiet_ns, most=150))
        rows.append(Row("… wall, with all waiting for the interpreter", told[f"{kind}_wall_ns"], "ns"))
    return rows

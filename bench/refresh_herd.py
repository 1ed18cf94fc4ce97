"""How often a backend is asked when many threads need another lease at one moment: it says so itself."""

from typing import Final

from harness import Row
from tls_programs import run_program, scaled

THREADS: Final = 100


def measure() -> list[Row]:
    """Let a login of a real PostgreSQL expire, and let the threads come for another one."""
    (told,) = run_program("refresh_herd", scaled(THREADS))
    what = f"{told['threads']} threads need an expired lease refreshed"
    return [
        Row(f"{what}: backend requests", len(told["asked"]), "", most=1),
        Row("… threads without a login", told["threads"] - told["served"], "", most=0),
        Row("… different logins in their hands", told["users"], "", most=1),
    ]

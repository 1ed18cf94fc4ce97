"""What rotations cost a service's clients: connections that fail or break; and the service: memory that stays."""

from typing import Final

from harness import Row
from tls_programs import run_program, scaled

WARM_UP: Final = 100  # rotations: by then each thread of gunicorn has reloaded, in an arena of malloc of its own
SERVERS: Final = {
    "asyncio": ("asyncio", 1000),
    "uvicorn": ("uvicorn-h11", 1000),
    "uvicorn on uvloop": ("uvicorn-httptools-uvloop", 1000),
    "hypercorn": ("hypercorn", 300),
    "gunicorn gthread": ("gunicorn-gthread", 300),
    "aiohttp": ("aiohttp", 300),
}


def measure() -> list[Row]:
    """Let each server rotate, one server after the other."""
    return [row for name, (program, count) in SERVERS.items() for row in _measure(name, program, scaled(count))]


def _measure(name: str, program: str, count: int) -> list[Row]:
    (told,) = run_program("tls_rotations", program, count, scaled(WARM_UP))
    what = f"{name}: {told['rotations']:,} rotations under mTLS load"
    clients = f"of {told['opened']:,} connections and {told['staying']} keep-alives"
    grown = (told["rss_after_kib"] / told["rss_before_kib"] - 1) * 100
    return [
        Row(f"{what}, failed {clients}", len(told["failures"]) + len(told["broken"]), "", most=0),
        Row(f"{what}, RSS growth", grown, "%", most=3),
    ]

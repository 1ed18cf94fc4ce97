"""What masking adds to a log line, by how many secrets live in the process."""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from harness import Row, compare_calls

from wellkept.leaks.hooks import install
from wellkept.leaks.redact import Redactor

MOST_US: Final = {10: 5, 1_000: 25, 10_000: 40}
LINES: Final = 500  # different ones, so that nothing is gained by remembering the last line

# With what stands in it, a line has 160 letters.
FORM: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
MESSAGE: Final = "charge accepted order=%s amount=129.90 currency=EUR attempt=1 latency_ms=%d token=%s"


def measure() -> list[Row]:
    """Time clean lines and lines with a secret in them: both have to be fast enough."""
    return [row for count, most_us in MOST_US.items() for row in _measure(count, most_us)]


def _measure(count: int, most_us: float) -> list[Row]:
    """Format log records with masking and without it; the difference is what masking adds."""
    secrets = [_token(f"secret {number}") for number in range(count)]
    redactor = Redactor(environ={})
    for number, secret in enumerate(secrets):
        redactor.learn(f"secret_{number}", secret)
    handler = logging.Handler()
    handler.setFormatter(logging.Formatter(FORM))
    clean = [_record(number, _token(f"trace {number}")) for number in range(LINES)]
    hit = [_record(number, secrets[number * 7 % count]) for number in range(LINES)]

    def bare(records: Sequence[logging.LogRecord]) -> list[str]:
        return [handler.format(record) for record in records]

    def masked(records: Sequence[logging.LogRecord]) -> list[str]:
        take_off = install(redactor)
        lines = bare(records)
        take_off()
        return lines

    _check(bare(clean), masked(clean), masked(hit), secrets)
    times_s = compare_calls(
        {
            "clean": lambda: bare(clean),
            "clean, masked": lambda: masked(clean),
            "hit": lambda: bare(hit),
            "hit, masked": lambda: masked(hit),
        },
        calls=4,
    )
    added_us = {kind: (times_s[f"{kind}, masked"] - times_s[kind]) / LINES * 1e6 for kind in ("clean", "hit")}
    return [
        Row(f"masking a log line, {count:,} secrets live", added_us["clean"], "µs", most=most_us),
        Row(f"masking a log line that holds one of {count:,}", added_us["hit"], "µs", most=most_us),
    ]


def _record(number: int, token: str) -> logging.LogRecord:
    arguments = (f"A-{70_000 + number}", number % 90 + 10, token)
    return logging.LogRecord("payments.gateway", logging.INFO, "gateway.py", 1, MESSAGE, arguments, None)


def _token(seed: str) -> str:
    """A random-looking text that is the same for the same seed, so that two runs measure the same."""
    return urlsafe_b64encode(sha256(seed.encode()).digest()).decode()[:32]


def _check(plain: Sequence[str], clean: Sequence[str], hit: Sequence[str], secrets: Sequence[str]) -> None:
    """A masker that does not mask is fast, and no measurement.

    Raises:
        RuntimeError: a secret was left in a line, or a clean line was changed.
    """
    if plain != clean:
        raise RuntimeError("a clean line was changed")
    if any(secret in line for line in hit for secret in secrets):
        raise RuntimeError("a secret was left in a line")

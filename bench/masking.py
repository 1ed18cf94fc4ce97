"""What masking adds to a log line, by how many secrets live in the process."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from harness import Row, compare_calls

from wellkept.leaks.redact import Redactor

MOST_US: Final = {10: 5, 1_000: 25, 10_000: 40}
LINES: Final = 100  # different ones, so that nothing is gained by remembering the last line


def measure() -> list[Row]:
    """Time clean lines and lines with a secret in them: both have to be fast enough."""
    return [row for count, most_us in MOST_US.items() for row in _measure(count, most_us)]


def _measure(count: int, most_us: float) -> list[Row]:
    secrets = [_token(f"secret {number}") for number in range(count)]
    redactor = Redactor(environ={})
    for number, secret in enumerate(secrets):
        redactor.learn(f"secret_{number}", secret)
    clean = [_line(number, _token(f"trace {number}")) for number in range(LINES)]
    hit = [_line(number, secrets[number * 7 % count]) for number in range(LINES)]
    _check(redactor, clean, hit, secrets)
    times_s = compare_calls(
        {
            "clean line": lambda: [redactor.mask(line) for line in clean],
            "line with one of them": lambda: [redactor.mask(line) for line in hit],
        },
        calls=20,
    )
    return [
        Row(f"masking, {count:,} live secrets, {kind}", seconds / LINES * 1e6, "µs", most=most_us)
        for kind, seconds in times_s.items()
    ]


def _line(number: int, token: str) -> str:
    return (
        f"2026-03-04 09:41:07,{number:03} INFO payments.gateway charge accepted order=A-{70_000 + number} "
        f"amount=129.90 currency=EUR attempt=1 latency_ms={number % 90 + 10} token={token}"
    )


def _token(seed: str) -> str:
    """A random-looking text that is the same for the same seed, so that two runs measure the same."""
    return urlsafe_b64encode(sha256(seed.encode()).digest()).decode()[:32]


def _check(redactor: Redactor, clean: list[str], hit: list[str], secrets: list[str]) -> None:
    """A masker that does not mask is fast, and no measurement.

    Raises:
        RuntimeError: a secret was left in a line, or a clean line was changed.
    """
    if [redactor.mask(line) for line in clean] != clean:
        raise RuntimeError("a clean line was changed")
    masked = [redactor.mask(line) for line in hit]
    if any(secret in line for line in masked for secret in secrets):
        raise RuntimeError("a secret was left in a line")

"""Processor time of a new connection: our context beside a plain `ssl.SSLContext` with the same settings, asyncio."""

from typing import Final

from harness import Row
from tls_programs import run_program, scaled

ROUNDS: Final = 41  # of 60 connections each; a quiet machine repeats the ratio to 0.01


def measure() -> list[Row]:
    """Measure TLS and mTLS."""
    return [
        Row(
            f"{told['name']} connection, asyncio, P-256, server CPU",
            told["us"],
            "µs",
            "plain ssl",
            told["plain"],
            most_ratio=1.1,
        )
        for told in run_program("tls_handshakes", scaled(ROUNDS))
    ]

"""Processor time of a new connection to gunicorn: with our context, and with the TLS that gunicorn does by itself."""

from typing import Final

from harness import Row
from tls_programs import run_program, scaled

ROUNDS: Final = 31  # of 30 connections each


def measure() -> list[Row]:
    """Measure TLS and mTLS."""
    return [
        Row(
            f"{told['name']} connection, gunicorn gthread, server CPU",
            told["us"],
            "µs",
            "its default",
            told["default"],
            most_ratio=0.5,
        )
        for told in run_program("tls_gunicorn", scaled(ROUNDS))
    ]

"""Asking a person on the terminal: for a value that is not shown, or for a yes."""

import getpass

import click


def for_hidden(question: str) -> bytes:
    """Ask on the terminal for what is not shown while it is typed."""
    return getpass.getpass(question).encode(errors="surrogateescape")


def for_agreement(question: str) -> bool:
    """Ask for a yes on the terminal; anything else but a y is a no."""
    return click.confirm(question, err=True)

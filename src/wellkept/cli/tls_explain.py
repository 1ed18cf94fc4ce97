"""`wellkept tls explain`: what a TLS error of any program means, and what to do. It never repeats the message."""

import sys

import click

from wellkept.cli import render
from wellkept.errors import UsageError
from wellkept.tls.explain import MAX_CHARS, explain
from wellkept.tls.explained import Explanation

_MAX_BYTES = 4 * MAX_CHARS  # UTF-8 has up to four a character


@click.command("explain")
@click.argument("text", metavar="[TEXT]", nargs=-1)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(text: tuple[str, ...], *, wants_json: bool) -> None:
    """Say what the error message TEXT means, what it comes from, and what to do.

    It knows the messages of Python, OpenSSL, curl, Java and keytool, Go, Node, nginx, PostgreSQL,
    MySQL and gRPC. Without TEXT, or with -, it is read from standard input: a whole log may be.
    """
    given = " ".join(text)
    found = explain(_read() if given in {"", "-"} else given)
    if found is None:
        raise UsageError(
            "TEXT: is no TLS error that is known",
            hint="wellkept tls probe HOST:PORT looks at a server, wellkept tls check FILES at certificates and keys",
        )
    name, explanation = found
    if wants_json:
        render.as_json(
            {
                "name": name,
                "meaning": explanation.meaning,
                "causes": list(explanation.causes),
                "fixes": list(explanation.fixes),
            }
        )
    else:
        _show(explanation)


def _read() -> str:
    """What stands on standard input; of more than is looked at, the end."""
    if sys.stdin is None:  # closed: `<&-`
        raise UsageError("explain: there is no message, and no standard input", hint="give it as an argument")
    if sys.stdin.isatty():
        render.talk("paste the message, then press Ctrl-D")
    kept = b""
    while part := sys.stdin.buffer.read(_MAX_BYTES):
        kept = (kept + part)[-_MAX_BYTES:]
    return kept.decode(errors="replace")


def _show(explanation: Explanation) -> None:
    render.out(explanation.meaning)
    render.out("\nlikely causes:")
    for number, cause in enumerate(explanation.causes, 1):
        render.out(f"  {number}. {cause}")
    render.out("\nwhat to do:")
    for fix in explanation.fixes:
        render.out(f"  - {fix}")

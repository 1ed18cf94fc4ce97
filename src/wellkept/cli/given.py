"""A secret text that a person gave: typed, piped in, or in a file."""

from wellkept._files import without_final_newline
from wellkept.errors import UsageError
from wellkept.secret import Secret


def given_secret(given: bytes, where: str, what: str, *, most: tuple[int, str], hint: str) -> Secret[str]:
    """The text without one final newline.

    Args:
        given: the bytes.
        where: what they were given as or in, for errors.
        what: what they should be: `value`, `password`.
        most: how many bytes there may be, and what is said of more.
        hint: how to give it.

    Raises:
        UsageError: it can be no secret.
    """
    secret = _secret(given, what, most)
    given = b""  # a traceback may show the locals of this frame
    if isinstance(secret, Secret):
        return secret
    raise UsageError(f"{where}: {secret}", hint=hint)


def _secret(given: bytes, what: str, most: tuple[int, str]) -> Secret[str] | str:
    """The text, or why it can be none."""
    if len(given) > most[0]:
        return most[1]
    try:
        text = without_final_newline(given)[0].decode()
    except UnicodeDecodeError:
        return "holds no UTF-8 text"
    return Secret(text) if text else f"holds no {what}"

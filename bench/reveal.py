"""What reading a secret costs at each use, beside pydantic's SecretStr."""

from harness import Row, compare_calls
from pydantic import SecretStr

from wellkept import Secret


def measure() -> list[Row]:
    """Time `reveal()` by its mean over many calls."""
    ours = Secret("a-password-of-a-database", name="db_password")
    theirs = SecretStr("a-password-of-a-database")
    means = compare_calls({"wellkept": ours.reveal, "pydantic": theirs.get_secret_value}, calls=200_000)
    return [Row("`reveal()`", means["wellkept"] * 1e9, "ns", "pydantic SecretStr", means["pydantic"] * 1e9, most=100)]

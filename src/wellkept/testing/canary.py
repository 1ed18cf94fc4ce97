"""Asserts that no secret of a test stands where it must not."""

from collections.abc import Sequence


def assert_hidden(canaries: Sequence[str], *texts: object) -> None:
    """Assert that no canary stands in any of the texts; the message does not show it either.

    Raises:
        AssertionError: one does; the message says which, by number.
    """
    found = [
        f"canary {index} in text {number}"
        for index, canary in enumerate(canaries)
        for number, text in enumerate(texts)
        if canary in str(text)
    ]
    canaries, texts = (), ()  # a test runner prints the locals of a failing frame
    assert not found, "; ".join(found)  # noqa: S101 this is an assertion for tests

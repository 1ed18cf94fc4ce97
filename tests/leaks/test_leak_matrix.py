"""The leak matrix: no sink shows a secret that is held; a use-site sink is as closed as it says.

The rows stand in `sinks_*.py`; a new one is a function with a decorator, and a line of the page that
`python -m tests.leaks.write_matrix` writes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.leaks.canaries import SECRETS, TEXTS, shows
from tests.leaks.masking import masking
from tests.leaks.matrix import PAGE, USUAL, object_row, totals, tried, use_site_row
from tests.leaks.sinks import OBJECT_SINKS, USE_SITES, Lacking, Outcome, Sink, UseSite, outcome
from wellkept import Secret, Settings
from wellkept.leaks.forms import forms_of

Missing = Callable[[str], NoReturn]

LINES = PAGE.read_text(encoding="utf-8").splitlines()
QUICK = [sink for sink in OBJECT_SINKS if not sink.is_slow]

each_object_sink = pytest.mark.parametrize("sink", OBJECT_SINKS, ids=str)
each_quick_object_sink = pytest.mark.parametrize("sink", QUICK, ids=str)
each_use_site = pytest.mark.parametrize("site", USE_SITES, ids=str)


class Database(Settings):
    """A part of a configuration."""

    password: Secret[str]


class Config(Settings):
    """A configuration that holds secrets in every way."""

    port: int
    api_key: Secret[str]
    database: Database
    spare: list[Secret[str]]
    by_name: dict[str, Secret[bytes]]
    login: Secret[dict[str, str]]


def a_configuration() -> Config:
    return Config(
        port=5432,
        api_key=Secret(TEXTS["URL's special characters"], name="api_key"),
        database=Database(password=Secret(TEXTS["quotes and backslashes"], name="database.password")),
        spare=[Secret(TEXTS["PEM"])],
        by_name={"one": Secret(TEXTS["not ASCII"].encode())},
        login=Secret({"password": TEXTS["8 characters"]}, name="login"),
    )


@contextmanager
def skipping(missing: Missing) -> Iterator[None]:
    """Say what a sink lacks: a package is missed, what Python or the system never has is not."""
    lacking = None
    try:
        yield
    except Lacking as error:
        lacking = error
    if lacking is not None:
        (pytest.skip if lacking.is_for_good else missing)(str(lacking))


def leaking(site: UseSite, holder: str) -> set[str]:
    """The kinds of text that leak."""
    kinds = [USUAL] if site.is_slow else list(TEXTS)  # names only: loguru shows what callers have
    return {kind for kind in kinds if tried(site.show, holder, kind) is Outcome.LEAKS}


@each_quick_object_sink
def test_no_sink_shows_a_secret_that_is_held(sink: Sink, missing: Missing) -> None:
    with skipping(missing):
        leaks = [kind for kind, make in SECRETS.items() if outcome(sink.show, make()) is Outcome.LEAKS]
        assert leaks == []


@each_quick_object_sink
def test_no_sink_shows_the_secrets_of_a_configuration(sink: Sink, missing: Missing) -> None:
    with skipping(missing):
        assert outcome(sink.show, a_configuration()) is not Outcome.LEAKS


@each_object_sink
def test_the_page_says_what_a_sink_does_to_text_and_to_secrets(sink: Sink, missing: Missing) -> None:
    with skipping(missing):
        assert object_row(sink) in LINES


@each_object_sink
def test_the_page_lists_no_leak_of_a_secret(sink: Sink) -> None:
    (row,) = [line for line in LINES if line.startswith(f"| {sink.group} | {sink.name} | ")]
    assert row.endswith((" hidden |", " refused |"))


@each_use_site
def test_masking_closes_a_use_site_sink_as_far_as_it_says(site: UseSite, missing: Missing) -> None:
    with skipping(missing), masking():
        leaks = leaking(site, "RevealedText")
    assert [kind for kind in leaks if site.closes(TEXTS[kind])] == []
    assert bool(leaks) is (site.open_because is not None)


@each_use_site
def test_without_masking_a_use_site_sink_is_closed_by_revealed_text_or_by_nothing(
    site: UseSite, missing: Missing
) -> None:
    with skipping(missing):
        leaks = leaking(site, "RevealedText")
    assert bool(leaks) is (site.closed_by is None or site.closed_by.needs_masking)


@each_use_site
def test_a_use_site_sink_does_leak_plain_text(site: UseSite, missing: Missing) -> None:
    with skipping(missing):
        assert tried(site.show, "str") is Outcome.LEAKS


@each_use_site
def test_a_use_site_sink_says_what_closes_it_or_why_it_is_open(site: UseSite) -> None:
    assert use_site_row(site) in LINES
    assert (site.closed_by is None) is (site.open_because is not None and site.cuts_at is None)


def test_the_page_has_a_row_for_each_sink_and_no_other() -> None:
    rows = [line for line in LINES if line.startswith("| ") and not line.startswith(("| | ", "| **leak**"))]
    assert len(set(rows)) == len(rows) == len(OBJECT_SINKS) + len(USE_SITES)


def test_the_page_counts_right() -> None:
    first = LINES.index("## The value was revealed")
    rows = [line for line in LINES[:first] if line.startswith("| ") and not line.startswith(("| | ", "| **leak**"))]
    assert totals(rows) in LINES


def test_no_sink_of_the_measured_ones_was_dropped() -> None:
    measured = [site for site in USE_SITES if site.group != "way out"]
    assert (len(OBJECT_SINKS), len(measured)) == (80, 23)  # the table before the first line of wellkept had them


@pytest.mark.parametrize("kind", TEXTS)
def test_the_search_finds_every_form_of_a_canary(kind: str) -> None:
    assert [number for number, form in enumerate(sorted(forms_of(TEXTS[kind]))) if not shows(form)] == []

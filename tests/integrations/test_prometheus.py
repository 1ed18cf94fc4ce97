"""The metrics of Prometheus, read back by its own client's parser; and the collector in a real registry."""

import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.refresh.answering import secret, status
from wellkept._dataclasses import replace
from wellkept.integrations.prometheus import CONTENT_TYPE, exposition
from wellkept.integrations.prometheus_client import Collector
from wellkept.refresh.status import SourceStatus, Status
from wellkept.secret import State

NOW = status(secret(), secret("api_key", State.STALE, expires_s=61.5, next_s=None, version=None, failure="unreachable"))


def families(text: str) -> dict[str, Metric]:
    """The metrics by name, each of which stands there once."""
    found = list(text_string_to_metric_families(text))
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def values(text: str, name: str, label: str = "secret") -> dict[str, float]:
    """The values of one metric, by a label."""
    return {
        one.labels[label]: one.value for family in families(text).values() for one in family.samples if one.name == name
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("wellkept_secret_age_seconds", {"db_password": 90.25, "api_key": 90.25}),
        ("wellkept_secret_checked_seconds", {"db_password": 4.5, "api_key": 4.5}),
        ("wellkept_secret_next_seconds", {"db_password": 5.5}),
        ("wellkept_secret_expires_seconds", {"api_key": 61.5}),
    ],
)
def test_the_times_of_secrets_are_told_where_there_are_any(name: str, told: dict[str, float]) -> None:
    assert values(exposition(lambda: NOW), name) == told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wellkept_source_up", 1),
        ("wellkept_source_circuit_open", 0),
        ("wellkept_source_requests_total", 12),
        ("wellkept_source_failures_total", 1),
        ("wellkept_source_login_seconds", 2700),
    ],
)
def test_the_facts_of_sources_are_told(name: str, value: float) -> None:
    assert values(exposition(lambda: NOW), name, "source") == {"vault": value}


def test_a_secret_is_in_one_state_of_all() -> None:
    samples = families(exposition(lambda: NOW))["wellkept_secret_state"].samples
    assert [(one.labels["secret"], one.labels["state"]) for one in samples if one.value == 1] == [
        ("db_password", "fresh"),
        ("api_key", "stale"),
    ]
    assert {one.labels["state"] for one in samples} == set(State)
    assert {one.labels["source"] for one in samples} == {"vault"}


def test_what_counts_is_a_counter_and_all_else_a_gauge_with_help() -> None:
    found = families(exposition(lambda: NOW))
    assert {name for name, one in found.items() if one.type == "counter"} == {
        "wellkept_source_requests",
        "wellkept_source_failures",
    }
    assert {one.type for one in found.values()} == {"counter", "gauge"}
    assert all(one.documentation for one in found.values())


def test_the_text_is_as_its_format_has_it() -> None:
    text = exposition(lambda: Status(1, (), (SourceStatus("vault", is_answering=False),)))
    assert text.startswith(
        "# HELP wellkept_source_up 1 if the source answered the last time, else 0\n"
        "# TYPE wellkept_source_up gauge\n"
        'wellkept_source_up{source="vault"} 0\n'
    )
    assert "version=0.0.4" in CONTENT_TYPE


def test_a_process_without_secrets_has_no_metrics() -> None:
    assert not exposition(lambda: Status(1))


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\\nb", "é", 'a="b",c="d'])
def test_any_name_comes_back_as_it_was(name: str) -> None:
    text = exposition(lambda: status(secret(name)))
    assert values(text, "wellkept_secret_age_seconds") == {name: 90.25}


def test_what_no_source_answers_is_a_file() -> None:
    text = exposition(lambda: status(secret(origin="/etc/secrets/db_password", source="file")))
    assert values(text, "wellkept_secret_age_seconds", "source") == {"file": 90.25}


def test_of_two_secrets_of_one_name_the_one_that_is_worse_off_is_told() -> None:
    twins = secret(age_s=1.0), secret(state=State.GONE, age_s=2.0), secret(state=State.STALE, age_s=3.0)
    text = exposition(lambda: status(*twins))
    assert values(text, "wellkept_secret_age_seconds") == {"db_password": 2.0}


def test_two_sources_of_one_name_are_told_as_one() -> None:
    fine, broken = SourceStatus("vault", requests=3, login_s=9.0), SourceStatus("vault", False, True, 4, 2)
    text = exposition(lambda: Status(1, (), (fine, broken)))
    told = {one.samples[0].name: one.samples[0].value for one in families(text).values()}
    assert told == {
        "wellkept_source_up": 0,
        "wellkept_source_circuit_open": 1,
        "wellkept_source_requests_total": 7,
        "wellkept_source_failures_total": 2,
        "wellkept_source_login_seconds": 9,
    }


def test_large_counts_stay_whole() -> None:
    many = replace(NOW, sources=(SourceStatus("vault", requests=123_456_789_012),))
    assert values(exposition(lambda: many), "wellkept_source_requests_total", "source") == {"vault": 123_456_789_012}


def test_a_registry_gives_the_same() -> None:
    registry = CollectorRegistry()
    registry.register(Collector(lambda: NOW))
    theirs, ours = families(generate_latest(registry).decode()), families(exposition(lambda: NOW))
    assert {name: one.samples for name, one in theirs.items()} == {name: one.samples for name, one in ours.items()}
    assert {name: one.type for name, one in theirs.items()} == {name: one.type for name, one in ours.items()}


def test_without_a_status_it_is_that_of_this_process() -> None:
    code = (
        "from wellkept.integrations.prometheus import exposition\n"
        "from wellkept.integrations.prometheus_client import Collector\n"
        "print(repr(exposition()), list(Collector().collect()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "'' []\n"


def test_the_text_needs_no_package() -> None:
    code = "import sys, wellkept.integrations.prometheus; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

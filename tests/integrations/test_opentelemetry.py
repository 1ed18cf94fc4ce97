"""The metrics of OpenTelemetry, as its real SDK reads them."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric, NumberDataPoint

from tests.refresh.answering import secret, status
from wellkept.integrations.opentelemetry import instrument
from wellkept.refresh.status import Status
from wellkept.secret import State

NOW = status(secret(), secret("api_key", State.STALE, expires_s=61.5, next_s=None))


def read(told: Status) -> dict[str, Metric]:
    """What a reader is told, by name."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    instrument(provider.get_meter("test"), status=lambda: told)
    data = reader.get_metrics_data()
    provider.shutdown()
    found = [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
    return {one.name: one for one in found}


def points(metric: Metric) -> list[tuple[dict[str, object], float]]:
    """The numbers of a metric, with their attributes."""
    return [
        (dict(one.attributes or {}), one.value) for one in metric.data.data_points if isinstance(one, NumberDataPoint)
    ]


def test_times_are_seconds_with_secret_and_source() -> None:
    found = read(NOW)
    assert found["wellkept.secret.age"].unit == "s"
    assert points(found["wellkept.secret.age"]) == [
        ({"secret": "db_password", "source": "vault"}, 90.25),
        ({"secret": "api_key", "source": "vault"}, 90.25),
    ]
    assert points(found["wellkept.secret.expires"]) == [({"secret": "api_key", "source": "vault"}, 61.5)]


def test_a_secret_is_in_one_state_of_all() -> None:
    told = [(one["secret"], one["state"]) for one, value in points(read(NOW)["wellkept.secret.state"]) if value]
    assert told == [("db_password", "fresh"), ("api_key", "stale")]


@pytest.mark.parametrize(("name", "value"), [("wellkept.source.requests", 12), ("wellkept.source.failures", 1)])
def test_what_counts_only_grows(name: str, value: int) -> None:
    metric = read(NOW)[name]
    assert getattr(metric.data, "is_monotonic", False)
    assert points(metric) == [({"source": "vault"}, value)]


def test_each_metric_is_described() -> None:
    found = read(NOW)
    assert set(found) == {
        *(f"wellkept.secret.{one}" for one in ("age", "checked", "next", "expires", "state")),
        *(f"wellkept.source.{one}" for one in ("up", "circuit_open", "requests", "failures", "login")),
    }
    assert all(one.description for one in found.values())


def test_a_process_without_secrets_has_no_metrics() -> None:
    assert not [one for metric in read(Status(1)).values() for one in points(metric)]


def test_without_a_meter_it_is_the_global_one_and_the_status_of_this_process() -> None:
    code = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from wellkept.integrations.opentelemetry import instrument
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
instrument()
print(reader.get_metrics_data())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("None\n", "")

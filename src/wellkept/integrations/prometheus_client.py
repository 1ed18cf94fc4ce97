"""prometheus_client: a collector that joins the metrics of secrets to those that a program has already.

REGISTRY.register(Collector())
"""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from wellkept.integrations.prometheus import metric_name
from wellkept.refresh.measures import MEASURES, Measure, Sample
from wellkept.refresh.status import Status
from wellkept.runtime import status as own_status


class Collector:
    """Gives a registry what `exposition()` writes."""

    def __init__(self, status: Callable[[], Status] | None = None) -> None:
        """Make it.

        Args:
            status: what tells of the secrets, or None for those of this process.
        """
        self._status = own_status if status is None else status

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The metrics as they are now."""
        now = self._status()
        for measure in MEASURES:
            samples = list(measure.samples(now))
            if samples:
                yield _family(measure, samples)


def _family(measure: Measure, samples: list[Sample]) -> CounterMetricFamily | GaugeMetricFamily:
    made = CounterMetricFamily if measure.is_counter else GaugeMetricFamily
    family = made(metric_name(measure), measure.description, labels=list(samples[0][0]))
    for labels, value in samples:
        family.add_metric(list(labels.values()), value)
    return family

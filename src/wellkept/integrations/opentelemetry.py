"""OpenTelemetry: `instrument()`, after which a meter reports the secrets of this process and their sources."""

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from wellkept.refresh.measures import MEASURES, Measure
from wellkept.refresh.status import Status
from wellkept.runtime import status as own_status


def instrument(meter: Meter | None = None, *, status: Callable[[], Status] | None = None) -> None:
    """Let a meter ask for the metrics whenever it is read; call it once a process, in each worker.

    Args:
        meter: which one, or None for one of the global provider.
        status: what tells of the secrets, or None for those of this process.
    """
    chosen = get_meter("wellkept") if meter is None else meter
    for measure in MEASURES:
        create = chosen.create_observable_counter if measure.is_counter else chosen.create_observable_gauge
        observe = _observer(measure, own_status if status is None else status)
        create(f"wellkept.{measure.name}", [observe], measure.unit, measure.description)


def _observer(measure: Measure, status: Callable[[], Status]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(labels)) for labels, value in measure.samples(status())]

    return observe

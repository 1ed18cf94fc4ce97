"""Prometheus: `exposition()`, the text of a `/metrics` endpoint about secrets and their sources; it needs no package.

    async def metrics(request):
        return Response(exposition(), media_type=CONTENT_TYPE)

Where prometheus_client is used already, `wellkept.integrations.prometheus_client` joins its registry.
"""

from collections.abc import Callable, Iterator

from wellkept.refresh.measures import MEASURES, SECONDS, Labels, Measure
from wellkept.refresh.status import Status
from wellkept.runtime import status as own_status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(status: Callable[[], Status] | None = None) -> str:
    """The metrics, in the text format 0.0.4.

    Args:
        status: what tells of the secrets, or None for those of this process.
    """
    now = own_status() if status is None else status()
    return "".join(f"{line}\n" for measure in MEASURES for line in _lines(measure, now))


def metric_name(measure: Measure) -> str:
    """How Prometheus calls a measure: with its unit in base units, and `_total` for a counter."""
    unit = "_seconds" if measure.unit == SECONDS else ""
    return f"wellkept_{measure.name.replace('.', '_')}{unit}{'_total' if measure.is_counter else ''}"


def _lines(measure: Measure, status: Status) -> Iterator[str]:
    samples = list(measure.samples(status))
    if not samples:
        return
    name = metric_name(measure)
    yield f"# HELP {name} {measure.description}"
    yield f"# TYPE {name} {'counter' if measure.is_counter else 'gauge'}"
    for labels, value in samples:
        yield f"{name}{{{_labels(labels)}}} {round(value, 6):.15g}"


def _labels(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

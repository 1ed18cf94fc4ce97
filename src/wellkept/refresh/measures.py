"""A `Status` as numbers with labels: the one table behind all metrics. No I/O here."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from wellkept._dataclasses import dataclass
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.secret import State

SECONDS = "s"  # of UCUM, as OpenTelemetry writes units
ONE = "1"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]

_WORST_FIRST = (State.EXPIRED, State.GONE, State.STALE, State.DUE, State.FRESH)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured.

    Attributes:
        name: its parts, the first of which is `secret` or `source`: `secret.age`.
        unit: `s`, or `1` for what is counted or is a fact (1 yes, 0 no).
        description: what it says, in one line.
        samples: its numbers, each with its labels.
        is_counter: whether it only grows.
    """

    name: str
    unit: str
    description: str
    samples: Callable[[Status], Iterable[Sample]]
    is_counter: bool = False


def _of_secrets(read: Callable[[SecretStatus], float | None]) -> Callable[[Status], Iterator[Sample]]:
    def samples(status: Status) -> Iterator[Sample]:
        for labels, secret in _told(status):
            value = read(secret)
            if value is not None:
                yield labels, value

    return samples


def _of_sources(read: Callable[[SourceStatus], float | None]) -> Callable[[Status], Iterator[Sample]]:
    def samples(status: Status) -> Iterator[Sample]:
        for source in _merged(status.sources):
            value = read(source)
            if value is not None:
                yield {"source": source.name}, value

    return samples


def _states(status: Status) -> Iterator[Sample]:
    for labels, secret in _told(status):
        for state in State:
            yield {**labels, "state": str(state)}, int(secret.state is state)


def _told(status: Status) -> Iterable[tuple[Labels, SecretStatus]]:
    """Each secret with its labels.

    Two loads of a process may have settings of one name. Two samples with the same labels would cost the whole
    scrape, so the one that is worst off speaks for both.
    """
    told: dict[tuple[str, str], SecretStatus] = {}
    for secret in status.secrets:
        key = secret.name, secret.source
        known = told.get(key)
        if known is None or _WORST_FIRST.index(secret.state) < _WORST_FIRST.index(known.state):
            told[key] = secret
    return [({"secret": name, "source": source}, secret) for (name, source), secret in told.items()]


def _merged(sources: Iterable[SourceStatus]) -> Iterable[SourceStatus]:
    """Each source once: two loads may have one each of the same name, with a login of its own."""
    merged: dict[str, SourceStatus] = {}
    for source in sources:
        known = merged.get(source.name)
        merged[source.name] = source if known is None else _both(known, source)
    return merged.values()


def _both(one: SourceStatus, other: SourceStatus) -> SourceStatus:
    logins = [source.login_s for source in (one, other) if source.login_s is not None]
    return SourceStatus(
        one.name,
        one.is_answering and other.is_answering,
        one.is_circuit_open or other.is_circuit_open,
        one.requests + other.requests,
        one.failures + other.failures,
        min(logins, default=None),
    )


MEASURES = (
    Measure("secret.age", SECONDS, "since the value of the secret was fetched", _of_secrets(lambda one: one.age_s)),
    Measure(
        "secret.checked",
        SECONDS,
        "since the source last said that this is still the value",
        _of_secrets(lambda one: one.checked_s),
    ),
    Measure("secret.next", SECONDS, "until the source is asked again", _of_secrets(lambda one: one.next_s)),
    Measure(
        "secret.expires", SECONDS, "until the secret is not served any more", _of_secrets(lambda one: one.expires_s)
    ),
    Measure("secret.state", ONE, "1 for the state that the secret is in, 0 for the others", _states),
    Measure(
        "source.up",
        ONE,
        "1 if the source answered the last time, else 0",
        _of_sources(lambda one: int(one.is_answering)),
    ),
    Measure(
        "source.circuit_open",
        ONE,
        "1 if the source is left alone for a moment, having failed several times in a row, else 0",
        _of_sources(lambda one: int(one.is_circuit_open)),
    ),
    Measure(
        "source.requests",
        ONE,
        "how often the source was asked",
        _of_sources(lambda one: one.requests),
        is_counter=True,
    ),
    Measure(
        "source.failures",
        ONE,
        "how often the source did not answer",
        _of_sources(lambda one: one.failures),
        is_counter=True,
    ),
    Measure("source.login", SECONDS, "until the login at the source ends", _of_sources(lambda one: one.login_s)),
)

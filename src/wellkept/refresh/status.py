"""What the engine says of itself: states, ages and what comes next; never a value. No I/O here."""

from wellkept._dataclasses import dataclass
from wellkept.secret import State


@dataclass(frozen=True, slots=True)
class SecretStatus:
    """How fresh one secret is. All times are seconds.

    Attributes:
        name: the setting that it is.
        origin: what answered: `vault secret/prod/db#password`.
        version: its version there, or None.
        state: fresh, due, stale, expired or gone.
        age_s: since its value was fetched.
        checked_s: since its source last said that this is still the value.
        next_s: until its source is asked again, or None where nothing is planned.
        expires_s: until it is not served any more, or None.
        failure: why the source did not answer the last time (`unreachable`, `denied`, `absent`, `invalid`), or None.
        source: the scheme of what answers: `vault`, `file`.
    """

    name: str
    origin: str
    version: str | None
    state: State
    age_s: float
    checked_s: float
    next_s: float | None = None
    expires_s: float | None = None
    failure: str | None = None
    source: str = "file"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source does.

    Attributes:
        name: its scheme.
        is_answering: whether it answered the last time.
        is_circuit_open: whether it is left alone for a moment, having failed several times in a row.
        requests: how often it was asked since the start.
        failures: how many of these it did not answer.
        login_s: until the login at it ends, or None where it does not.
    """

    name: str
    is_answering: bool = True
    is_circuit_open: bool = False
    requests: int = 0
    failures: int = 0
    login_s: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The secrets that are kept fresh in this process, and the sources that they come from.

    Attributes:
        pid: of which process.
        secrets: the secrets, by name.
        sources: the sources, by scheme.
    """

    pid: int
    secrets: tuple[SecretStatus, ...] = ()
    sources: tuple[SourceStatus, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether every secret can be revealed: what a readiness endpoint asks."""
        return all(one.state is not State.EXPIRED for one in self.secrets)

    @property
    def worst(self) -> State:
        """The state of the secret that is worst off; fresh where there is none."""
        order = (State.EXPIRED, State.GONE, State.STALE, State.DUE)
        states = {one.state for one in self.secrets}
        return next((one for one in order if one in states), State.FRESH)

"""A `Status` as JSON holds it, both ways. No I/O here."""

from collections.abc import Mapping
from math import isfinite
from typing import cast

from wellkept.errors import Malformed
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.secret import State

FORMAT = 1  # grows when a reader of the old form would misread the new one; a new fact is no reason

Document = Mapping[str, object]


def status_to_json(status: Status) -> dict[str, object]:
    """What JSON holds of a status; `is_ready` and `worst` stand in it for who reads it with jq."""
    return {
        "format": FORMAT,
        "pid": status.pid,
        "is_ready": status.is_ready,
        "worst": str(status.worst),
        "secrets": [_secret_to_json(one) for one in status.secrets],
        "sources": [_source_to_json(one) for one in status.sources],
    }


def status_from_json(document: object) -> Status:
    """The status that a document tells of; facts in it that are not known here are left out.

    Raises:
        Malformed: it is no such document.
    """
    try:
        given = _Given(document)
        _require(given.number("format") == FORMAT)
        return Status(
            given.whole("pid"),
            tuple(_secret_from_json(_Given(one)) for one in given.rows("secrets")),
            tuple(_source_from_json(_Given(one)) for one in given.rows("sources")),
        )
    except _Unfit:
        pass  # raised below, where no context hangs on it
    raise Malformed("status: is not in the form that is read here", hint="use one version of wellkept on both sides")


class _Unfit(Exception):
    """A document is not what it should be; never leaves this file."""


def _require(is_fit: bool) -> None:
    if not is_fit:
        raise _Unfit


class _Given:
    """Reads facts of the types that they should have."""

    def __init__(self, document: object) -> None:
        _require(isinstance(document, dict))
        self._document = cast("Document", document)

    def text(self, name: str) -> str:
        found = self._document.get(name)
        _require(isinstance(found, str))
        return cast("str", found)

    def text_or_none(self, name: str) -> str | None:
        return None if self._document.get(name) is None else self.text(name)

    def number(self, name: str) -> float:
        found = self._document.get(name)
        _require(isinstance(found, (int, float)) and not isinstance(found, bool) and isfinite(found))
        return float(cast("float", found))

    def number_or_none(self, name: str) -> float | None:
        return None if self._document.get(name) is None else self.number(name)

    def whole(self, name: str) -> int:
        found = self._document.get(name)
        _require(isinstance(found, int) and not isinstance(found, bool))
        return cast("int", found)

    def fact(self, name: str) -> bool:
        found = self._document.get(name)
        _require(isinstance(found, bool))
        return cast("bool", found)

    def state(self, name: str) -> State:
        found = next((one for one in State if one == self.text(name)), None)
        _require(found is not None)
        return cast("State", found)

    def rows(self, name: str) -> list[object]:
        found = self._document.get(name)
        _require(isinstance(found, list))
        return cast("list[object]", found)


def _secret_to_json(secret: SecretStatus) -> Document:
    return {
        "name": secret.name,
        "origin": secret.origin,
        "version": secret.version,
        "state": str(secret.state),
        "age_s": _rounded(secret.age_s),
        "checked_s": _rounded(secret.checked_s),
        "next_s": _rounded(secret.next_s),
        "expires_s": _rounded(secret.expires_s),
        "failure": secret.failure,
        "source": secret.source,
    }


def _secret_from_json(given: _Given) -> SecretStatus:
    return SecretStatus(
        name=given.text("name"),
        origin=given.text("origin"),
        version=given.text_or_none("version"),
        state=given.state("state"),
        age_s=given.number("age_s"),
        checked_s=given.number("checked_s"),
        next_s=given.number_or_none("next_s"),
        expires_s=given.number_or_none("expires_s"),
        failure=given.text_or_none("failure"),
        source=given.text("source"),
    )


def _source_to_json(source: SourceStatus) -> Document:
    return {
        "name": source.name,
        "is_answering": source.is_answering,
        "is_circuit_open": source.is_circuit_open,
        "requests": source.requests,
        "failures": source.failures,
        "login_s": _rounded(source.login_s),
    }


def _source_from_json(given: _Given) -> SourceStatus:
    return SourceStatus(
        name=given.text("name"),
        is_answering=given.fact("is_answering"),
        is_circuit_open=given.fact("is_circuit_open"),
        requests=given.whole("requests"),
        failures=given.whole("failures"),
        login_s=given.number_or_none("login_s"),
    )


def _rounded(seconds: float | None) -> float | None:
    """Milliseconds are enough; a number that JSON has no form for is one that never comes."""
    return round(seconds, 3) if seconds is not None and isfinite(seconds) else None

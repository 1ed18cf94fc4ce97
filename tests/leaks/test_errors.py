"""Each class of error, in each way to raise it that touches a value: nothing of it shows the value."""

import functools
import inspect
import json
import logging
import pickle  # noqa: TID251 what revealed text must refuse
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.leaks.canaries import NUMBER, TEXTS, Account, Login, shows
from tests.leaks.overheard import assert_silent, overheard
from wellkept import Secret, Settings, errors, explain, load, setting
from wellkept.config.types import URL, Pattern, Size
from wellkept.delivery.run import execute, write_files
from wellkept.model import Reading, Reference
from wellkept.secret import swap
from wellkept.testing import MemorySource, assert_hidden
from wellkept.tls import CallableSource, ClientTLS
from wellkept.tls import pem as tls_pem
from wellkept.tls.keystore import read_identity, read_trust

V = TEXTS["letters and digits"]


class Config(Settings):
    """A configuration with a secret and a plain value."""

    x: Secret[str]
    y: int = 1


class Impossible(Settings):
    """A class that cannot work."""

    x: Secret[str]
    z: complex


class Unfit(Settings):
    """A class whose secret has a plain default."""

    x: Secret[str] = V  # type: ignore[assignment]  # the mistake


class Judging(Settings):
    """A class whose rules quote what they judge."""

    x: Secret[str]

    def validate(self) -> Iterator[tuple[str, str]]:
        yield "x", f"must not be {self.x.reveal()}"


class Failing(Settings):
    """A class whose rules fail, and quote what they judge."""

    x: Secret[str]

    def validate(self) -> Iterator[tuple[str, str]]:
        raise ValueError(self.x.reveal())


def fail() -> int:
    raise LookupError("no such thing")


class Factory(Settings):
    """A class with a default that cannot be made."""

    x: Secret[str]
    y: int = setting(default_factory=fail)


class Provider:
    """A provider that does what it is given; its repr shows nothing."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self._answer = answer

    def fetch(self, _reference: Reference) -> Reading:
        return self._answer()  # type: ignore[return-value]  # a provider may be wrong


class Together(Provider):
    """The same, for many references at once."""

    def fetch_many(self, _references: Sequence[Reference]) -> Sequence[Reading]:
        return self._answer()  # type: ignore[return-value]  # as above


def raising(error: Exception) -> Callable[[], object]:
    def answer() -> object:
        token = V  # a local that a provider has
        raise error if token else LookupError

    return answer


def chaining() -> object:
    try:
        boom(V)
    except ValueError as error:
        raise errors.Denied("memory: denied") from error
    return None


def loaded(cls: type[Settings] = Config, text: str = V, **options: Any) -> object:  # noqa: ANN401 options of load
    return load(cls, files=[], environ={"BAL_CONFIG_VAR_X": text, "OTHER": V}, redact=False, **options)


def asked(provider: object) -> object:
    return loaded(text="${memory:x#key}", providers={"memory": provider})


def source(*, denied: bool = False, reachable: bool = True) -> MemorySource:
    made = MemorySource({"x": {"other": V}, "list": [V], "text": V})
    if denied:
        made.deny("x")
    if not reachable:
        made.disconnect()
    return made


def secret(value: object = V) -> Any:  # noqa: ANN401 what is tried with it, type checkers refuse
    return Secret(value, name="db_password")


def untyped(cls: Any) -> Any:  # noqa: ANN401 as above
    return cls


def boom(value: object) -> str:
    raise ValueError(value)


def pem(label: str) -> bytes:
    """A block of PEM that holds the value, in plain."""
    return f"-----BEGIN {label}-----\n{V}\n-----END {label}-----\n".encode()


def locked_key() -> bytes:
    """A private key behind another password."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"CANARY-other-password")
    )


CASES: Mapping[str, Callable[[], object]] = {
    "load: a class that cannot work": lambda: loaded(Impossible, overrides={"x": V}, arguments=[f"-Cx={V}"]),
    "load: a secret with a plain default": lambda: loaded(Unfit),
    "load: a rule quotes the value": lambda: loaded(Judging),
    "load: a rule fails": lambda: loaded(Failing),
    "load: a default cannot be made": lambda: loaded(Factory),
    "load: a secret as an argument": lambda: loaded(arguments=[f"-Cx={V}"]),
    "load: an argument with : for =": lambda: loaded(arguments=[f"-Cx:{V}"]),
    "load: an argument with a space for =": lambda: loaded(arguments=[f"-Cx {V}"]),
    "load: a missing value": lambda: load(Config, files=[], environ={"OTHER": V}, redact=False),
    "load: an unknown variable": lambda: load(
        Config, files=[], environ={"BAL_CONFIG_VAR_X": V, "BAL_CONFIG_VAR_Z": V}, redact=False
    ),
    "load: two variables that disagree": lambda: load(
        Config, files=[], environ={"BAL_CONFIG_VAR_X": V, "BAL_CONFIG_VAR_x": V[:-1]}, redact=False
    ),
    "load: an unknown override": lambda: loaded(overrides={"z": V}),
    "load: data that is no TOML": lambda: load(Config, environ={"BAL_CONFIG_DATA": f'x = "{V}'}, redact=False),
    "load: a file that is not there": lambda: load(
        Config, files=["missing.toml"], environ={"BAL_CONFIG_VAR_X": V}, redact=False
    ),
    "source: absent": lambda: loaded(text="${memory:z}", providers={"memory": source()}),
    "source: absent key": lambda: loaded(text="${memory:x#key}", providers={"memory": source()}),
    "source: no keys": lambda: loaded(text="${memory:text#key}", providers={"memory": source()}),
    "source: no table": lambda: loaded(text="${memory:list#/a/b}", providers={"memory": source()}),
    "source: a table for text": lambda: loaded(text="${memory:x}", providers={"memory": source()}),
    "source: denied": lambda: loaded(text="${memory:x}", providers={"memory": source(denied=True)}),
    "source: unreachable": lambda: loaded(text="${memory:x}", providers={"memory": source(reachable=False)}),
    "source: text around a denied reference": lambda: loaded(
        text=f"{V}${{memory:x}}{V}", providers={"memory": source(denied=True)}
    ),
    "source: fails with the value": lambda: asked(Provider(raising(ValueError(V)))),
    "source: fails beside the value": lambda: asked(Provider(raising(errors.Unreachable("memory: no answer")))),
    "source: fails because of the value": lambda: asked(Provider(chaining)),
    "source: answers with no reading": lambda: asked(Provider(lambda: V)),
    "source: answers with nothing": lambda: asked(Provider(lambda: None)),
    "source: many fail with the value": lambda: asked(Together(raising(ValueError(V)))),
    "source: many answer with no reading": lambda: asked(Together(lambda: [V])),
    "source: many answer too little": lambda: asked(Together(list)),
    "source: broken JSON with a key": lambda: asked(MemorySource({"x": f'{{"key": "{V}'})),
    "secret: of a secret": lambda: Secret(secret()),
    "secret: empty": lambda: Secret(""),
    "secret: format": lambda: f"{secret()}",
    "secret: iterate": lambda: list(secret()),
    "secret: length": lambda: len(secret()),
    "secret: contains": lambda: "a" in secret(),
    "secret: item": lambda: secret()[0],
    "secret: add": lambda: secret() + "a",
    "secret: add to": lambda: "a" + secret(),
    "secret: multiply": lambda: secret() * 2,
    "secret: percent": lambda: secret() % 2,
    "secret: bytes": lambda: bytes(secret()),
    "secret: int": lambda: int(secret()),
    "secret: float": lambda: float(secret()),
    "secret: index": lambda: [1][secret()],
    "secret: path": lambda: Path(secret()),
    "secret: pickle": lambda: pickle.dumps(secret()),
    "secret: JSON": lambda: json.dumps(secret()),
    "secret: hash": lambda: hash(secret()),
    "secret: set an attribute": lambda: setattr(secret(), "value", V),
    "secret: revealed text, pickled": lambda: pickle.dumps(secret().reveal()),
    "secret: revealed bytes, pickled": lambda: pickle.dumps(secret(V.encode()).reveal()),
    "secret: a revealed dict, pickled": lambda: pickle.dumps(secret({"a": [V]}).reveal()),
    "map: fails with the value": lambda: secret().map(boom),
    "map: fails, as a partial": lambda: secret().map(functools.partial(boom)),
    "map: to nothing": lambda: secret().map(lambda _value: ""),
    "map: to a secret": lambda: secret().map(lambda _value: secret()),
    "header: a final newline": lambda: secret(f"{V}\n").header("Bearer"),
    "header: not Latin-1": lambda: secret(TEXTS["not ASCII"]).header("Bearer"),
    "header: a number": lambda: secret(NUMBER).header("Bearer"),
    "header: bytes": lambda: secret(V.encode()).header("Bearer"),
    "dsn: no place": lambda: secret().dsn("postgresql://app@db/app"),
    "dsn: fields of text": lambda: secret().dsn("postgresql://{username}:{password}@db/app"),
    "dsn: an unknown field of a dict": lambda: secret({"password": V}).dsn("postgresql://{user}@db/app"),
    "dsn: an unknown field of a Settings": lambda: secret(Login(username=V, password=V)).dsn("{user}"),
    "dsn: an unknown field of a dataclass": lambda: secret(Account(V, V)).dsn("{user}"),
    "dsn: text that cannot be encoded": lambda: secret(f"{V}\ud800").dsn("postgresql://app:{}@db/app"),
    "settings: an unknown name": lambda: untyped(Login)(username="CANARY-user", password="CANARY-pw-7f3a", other=1),
    "settings: a missing name": lambda: untyped(Login)(password="CANARY-pw-7f3a"),
    "settings: change": lambda: setattr(Config(x=secret()), "x", V),
    "settings: explain what was not loaded": lambda: explain(Config(x=secret())),
    "types: URL": lambda: URL(V),
    "types: Size": lambda: Size(V),
    "types: Pattern": lambda: Pattern("("),
    "run: no such command": lambda: execute(["no-such-command"], {"DB_PASSWORD": V, "PATH": "/bin"}),
    "run: no command at all": lambda: execute(["/"], {"DB_PASSWORD": V, "PATH": "/bin"}),
    "run: a value with NUL": lambda: execute(["true"], {"DB_PASSWORD": f"{V}\0", "PATH": "/bin"}),
    "run: a value that is too long": lambda: execute(["true"], {"DB_PASSWORD": V * 20_000, "PATH": "/bin"}),
    "run: a file where a folder was meant": lambda: write_files(__file__, {"db_password": V}),
    "tls: a key behind another password": lambda: tls_pem.read_key(locked_key(), Secret(V), place="server.key"),
    "tls: a key that is cut off": lambda: tls_pem.read_key(
        f"-----BEGIN PRIVATE KEY-----\n{V}\n".encode(), None, place="server.key"
    ),
    "tls: a key that is damaged": lambda: tls_pem.read_key(pem("PRIVATE KEY"), None, place="server.key"),
    "tls: a key as a certificate": lambda: tls_pem.read_certificates(pem("PRIVATE KEY"), place="server.crt"),
    "tls: a certificate that is damaged": lambda: tls_pem.read_certificates(pem("CERTIFICATE"), place="server.crt"),
    "tls: a key as a CA": lambda: ClientTLS(trust=pem("PRIVATE KEY").decode()).context(),
    "tls: a keystore that is none": lambda: read_identity(V.encode(), Secret(V), place="keystore.p12"),
    "tls: a truststore that is none": lambda: read_trust(b"\xfe\xed\xfe\xed" + V.encode(), Secret(V), place="t.jks"),
    "tls: a source that raises": lambda: CallableSource(untyped(raising(ValueError(V)))).read(),
    "tls: a context that is to verify less": lambda: setattr(ClientTLS(system=True).context(), "check_hostname", False),
    "testing: a canary is not hidden": lambda: assert_hidden([V], f"password {V}"),
}


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG], ids=logging.getLevelName)
@pytest.mark.parametrize("name", CASES)
def test_an_error_shows_no_value(name: str, level: int) -> None:
    assert_silent(CASES[name], level)


def test_the_cases_raise_every_class_of_error_and_every_kind_of_problem() -> None:
    raised = [overheard(case)[0] for case in CASES.values()]
    problems = [problem for error in raised if isinstance(error, errors.ConfigError) for problem in error.problems]
    assert {problem.kind for problem in problems} == set(errors.Kind)
    declared = {one for _name, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)}
    bases = {errors.WellkeptError, errors.SourceError}
    as_problems = {errors.Absent, errors.Denied, errors.Unreachable, errors.Malformed}
    # What only a server says: tests/providers/vault raises each of them, and looks at all that it shows.
    of_servers = {one for one in declared if one.__base__ in as_problems} | {errors.Conflict}
    a_warning, has_no_lease_yet = errors.InsecurePermissions, errors.SecretExpired
    elsewhere = of_servers | {a_warning, has_no_lease_yet}
    assert declared - bases - as_problems - elsewhere == declared & {type(error) for error in raised}


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG], ids=logging.getLevelName)
def test_the_warning_about_permissions_shows_no_value_even_as_an_error(level: int, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    file.write_text(f'x = "{V}"\n', encoding="utf-8")
    file.chmod(0o644)

    def load_strictly() -> object:
        with warnings.catch_warnings(action="error"):
            return load(Config, files=[file], environ={"OTHER": V}, redact=False)

    assert assert_silent(load_strictly, level) is errors.InsecurePermissions


def test_a_callback_that_fails_with_the_new_value_is_told_without_it() -> None:
    held = secret()
    derived = held.map(lambda value: boom(value) if value != V else value)
    held.on_change(lambda one: boom(one.reveal()))
    told = swap(held, "CANARY-next-9c1e", origin=held.origin, version="2")
    assert list(told) == ["the function given to map raised ValueError", "a callback raised ValueError"]
    assert derived.reveal() == V


SPOKEN: Mapping[str, Callable[[], object]] = {
    "a message": lambda: boom(V),
    "a log": lambda: logging.getLogger("wellkept").debug("password %s", V),
    "a warning": lambda: warnings.warn(V, stacklevel=1),
    "an output": lambda: sys.stdout.write(V),
    "a chain": chaining,
    "a local of a frame of ours": lambda: secret().wait_newer(None, V),
}


@pytest.mark.shows_canary
@pytest.mark.parametrize("name", SPOKEN)
def test_what_is_spoken_is_overheard(name: str) -> None:
    _error, told = overheard(SPOKEN[name])
    assert shows(told)

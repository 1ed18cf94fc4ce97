"""load(), explain() and close()."""

import os
import sys
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar, cast

from wellkept._dataclasses import dataclass, field
from wellkept._files import is_never_updated
from wellkept._forks import after_fork as in_child
from wellkept._imports import load_module
from wellkept.config.assemble import Values, build, convert_all
from wellkept.config.declare import Settings
from wellkept.config.explain import Explanation, SettingExplanation, Verdict
from wellkept.config.fetch import Fetcher
from wellkept.config.layers.documents import SECRETS_FILE
from wellkept.config.layers.environment import plain_name_of, plain_variable_of
from wellkept.config.layers.read import Inputs, Layers, inputs_of, read_layers
from wellkept.config.providers import offer_tables
from wellkept.config.resolve import Outcome, references_of, resolve
from wellkept.config.schema import Schema, schema_of, type_text
from wellkept.config.setting import Setting
from wellkept.errors import ConfigError, InsecurePermissions, Problem, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.leaks.hooks import after_fork, install
from wellkept.leaks.redact import Redactor
from wellkept.model import Reference
from wellkept.origin import Layer
from wellkept.ports import Source
from wellkept.registry import Schemes
from wellkept.secret import Secret, install_observer

if TYPE_CHECKING:
    from wellkept.runtime.followed import Followed

S = TypeVar("S", bound=Settings)


@dataclass(slots=True)
class Attempt:
    """One load, whether it worked or not.

    Attributes:
        schema: what was asked for.
        config: the instance, or None.
        problems: everything that is wrong, in the order of the declaration.
        outcomes: what became of each setting.
        values: what each setting was converted to.
        fetcher: what was asked.
        environ: the variables.
        own: what `[wellkept]` says.
        close: lets go of sources and masking.
        followed: the settings that are kept fresh.
    """

    schema: Schema
    config: Settings | None
    problems: tuple[Problem, ...]
    outcomes: Sequence[Outcome] = field(repr=False)
    values: Values = field(repr=False)
    fetcher: Fetcher = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    own: Mapping[str, object]
    close: Callable[[], None] = field(repr=False)
    followed: "Sequence[Followed]" = ()

    def explanation(self) -> Explanation:
        """What each layer said of each setting."""
        return Explanation(self.schema.cls.__qualname__, [_explained(self, one) for one in self.outcomes])


def load(
    cls: type[S],
    *,
    files: Sequence[str | os.PathLike[str]] | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: Sequence[str] | None = None,
    overrides: Mapping[str, object] | None = None,
    providers: Mapping[str, Source] | None = None,
    redact: bool | None = None,
    strict_permissions: bool = False,
) -> S:
    """Read every layer, resolve every reference, and return the settings.

    Args:
        cls: the Settings class.
        files: TOML files and mounted directories, the strongest first; None reads what
            BAL_CONFIG_FILES lists, or BAL_CONFIG_DATA, or ./Config.toml and ./Secrets.toml.
        environ: the variables, or None for those of the process.
        arguments: the command line, of which `-Ckey=value` is read: pass `sys.argv[1:]`.
        overrides: values by dotted name that win over everything, for tests.
        providers: sources by scheme, beside the built-in ones.
        redact: whether to mask secrets in logs and tracebacks of this process; None does it
            for a class without a namespace.
        strict_permissions: whether a file with secrets that others can read is an error.

    Raises:
        ConfigError: every problem at once.
        DeclarationError: the class itself cannot work.
    """
    inputs = inputs_of(environ, files, arguments, overrides)
    environ = arguments = overrides = None  # a traceback may show this frame: it must hold no value
    return load_from(cls, inputs, providers=providers or {}, redact=redact, strict_permissions=strict_permissions)


def load_from(
    cls: type[S],
    inputs: Inputs,
    *,
    providers: Mapping[str, Source],
    redact: bool | None,
    strict_permissions: bool,
) -> S:
    """Load from inputs that were taken before; see `load`."""
    attempt = attempt_load(
        cls,
        inputs,
        providers=providers,
        redact=not cls.namespace_ if redact is None else redact,
        strict_permissions=strict_permissions,
    )
    if attempt.config is None:
        error = ConfigError(f"configuration of {cls.__qualname__}", attempt.problems)
        attempt.close()
        del attempt
        raise error
    config = cast("S", attempt.config)
    try:
        _keep_fresh(attempt)
    except BaseException:
        attempt.close()
        raise
    _remember(config, attempt)
    return config


def attempt_load(
    cls: type[Settings],
    inputs: Inputs,
    *,
    providers: Mapping[str, Source],
    redact: bool,
    strict_permissions: bool = False,
) -> Attempt:
    """Load without raising for what is wrong with the configuration; see `load`."""
    schema = schema_of(cls)
    _fit_tls()
    fetcher = Fetcher(providers, inputs.environ, Schemes(providers))
    unmask = _mask() if redact else _nothing

    def close() -> None:
        try:
            logins = fetcher.logins
            if logins:  # other loads may go on with them: they end with the process
                _alive().remember(logins)
            fetcher.close()
        finally:
            unmask()

    try:
        return _attempted(schema, inputs, fetcher, redact=redact, is_strict=strict_permissions, close=close)
    except BaseException:
        close()
        raise


def _attempted(
    schema: Schema, inputs: Inputs, fetcher: Fetcher, *, redact: bool, is_strict: bool, close: Callable[[], None]
) -> Attempt:
    layers = read_layers(schema, inputs, fetcher.schemes)
    odd = offer_tables(layers.providers, fetcher, inputs.environ)
    outcomes = resolve(layers.says, layers.spoilt, fetcher)
    values = convert_all(schema, outcomes, layers.spoilt, lambda one: _missing_hint(schema, one, inputs.environ))
    problems = [*(one for outcome in outcomes for one in outcome.problems), *layers.problems, *odd]
    problems += _shared_leases(outcomes, fetcher)
    problems += layers.warnings if is_strict else ()
    config = build(schema, values, outcomes, problems)
    if redact:
        _redactor().exempt(_plain_texts(schema, values))
    _tell(layers, outcomes)
    if config is not None:  # a load that fails has worse to say
        _warn(layers.warnings)
    found = tuple(_in_order(schema, problems))
    return Attempt(schema, config, found, outcomes, values, fetcher, inputs.environ, layers.own, close)


def explain(config: Settings) -> Explanation:
    """Say where each setting of a loaded configuration came from; no value stands in it.

    Raises:
        UsageError: it was not made by `load`.
    """
    return recall(config).explanation()


def close(config: Settings, *, drains: bool = False) -> None:
    """Let go of what a load holds: connections, leases, and masking where it was the last one to ask for it.

    Its secrets can still be revealed, and are kept fresh no longer. Closing twice does nothing.

    Args:
        config: what `load` has made.
        drains: whether its leases stay good for a minute: somebody may still be using them.
    """
    attempt = _loaded.pop(id(config), None)
    if attempt is not None:
        if attempt.followed:
            _alive().forget(attempt.followed, drains=drains)
        attempt.close()
        BUS.publish(Event(Topic.CLOSED, attempt.schema.cls.__qualname__, "closed"))


def _keep_fresh(attempt: Attempt) -> None:
    """Follow what may change from now on; a program of plain settings loads none of that."""
    if attempt.own:
        _alive().obey(attempt.own, attempt.environ)
    if attempt.fetcher.tables or any(
        one.setting.holds_secret and _may_change(one, attempt.fetcher) for one in attempt.outcomes
    ):
        attempt.followed = _alive().follow(attempt.outcomes, attempt.values, attempt.fetcher, attempt.environ)
    attempt.values = {}  # the settings hold their values themselves


def _may_change(outcome: Outcome, fetcher: Fetcher) -> bool:
    """Whether the word that won is a file of its own, or refers to what may come to another value."""
    say = outcome.say
    if outcome.tree is None:
        return say is not None and say.origin.file is not None and say.origin.layer in {Layer.DIRECTORY, Layer.ARGUMENT}
    sources = [fetcher.source(one.scheme) for one in references_of(outcome) if one.option("version") is None]
    return any(not getattr(one, "never_changes", False) for one in sources)


def _alive() -> ModuleType:
    return load_module("wellkept.runtime.alive")


_loaded: dict[int, Attempt] = {}
_the_redactor: Redactor | None = None


def _remember(config: Settings, attempt: Attempt) -> None:
    attempt.config = None  # the record must not keep it alive
    _loaded[id(config)] = attempt
    # Masking stays on when a configuration is only dropped: what it logged may still be written.
    weakref.finalize(config, _loaded.pop, id(config), None).atexit = False


def recall(config: Settings) -> Attempt:
    """What was remembered of a load.

    Raises:
        UsageError: it was not made by `load`, or is closed.
    """
    attempt = _loaded.get(id(config))
    if attempt is None:
        raise UsageError(f"{type(config).__qualname__}: was not made by load, or is closed", hint="call load first")
    return attempt


def _redactor() -> Redactor:
    global _the_redactor  # noqa: PLW0603 one process has one masker
    if _the_redactor is None:
        _the_redactor = Redactor(environ=os.environ)
        in_child(_the_redactor.after_fork)
        in_child(after_fork)
    return _the_redactor


def _mask() -> Callable[[], None]:
    """Switch masking on, before the first value is read; return what takes it off again."""
    redactor = _redactor()
    install_observer(redactor)
    return install(redactor)


def _fit_tls() -> None:
    """Let OCSP go through our own client; a class without TLS settings has not imported any of it."""
    responders = sys.modules.get("wellkept.tls.responders")
    if responders is not None:
        responders.offer_fetch(_fetch_ocsp)


def _fetch_ocsp(url: str, request: bytes) -> bytes:
    answer: bytes = load_module("wellkept._http.ocsp").fetch_ocsp(url, request)
    return answer


def _nothing() -> None:
    """What `close` does where no masking was asked for."""


def _plain_texts(schema: Schema, values: Mapping[tuple[str, ...], object]) -> list[str]:
    """The texts of plain settings: a secret that equals one cannot be masked without masking it too."""
    plain = (values[setting.form] for setting in schema.settings if not setting.is_secret)
    return [str(value) for value in plain if value is not None and not isinstance(value, Secret)]


def _shared_leases(outcomes: Sequence[Outcome], fetcher: Fetcher) -> list[Problem]:
    """Two settings of one lease would come to their next values one after the other: a user and another's password."""
    if not fetcher.leased:
        return []
    users: dict[Reference, list[Outcome]] = {}
    for outcome in outcomes:
        for question in dict.fromkeys(map(fetcher.question, references_of(outcome))):
            if question in fetcher.leased:
                users.setdefault(question, []).append(outcome)
    return [
        Problem(
            found[-1].setting.name,
            f"is leased together with {found[0].setting.name}: two settings cannot change at one moment",
            None if found[-1].say is None else found[-1].say.origin.place,
            f"declare one setting for both: Secret[Login], and write ${{{question}}} for it",
        )
        for question, found in users.items()
        if len(found) > 1
    ]


def _missing_hint(schema: Schema, setting: Setting, environ: Mapping[str, str]) -> str:
    variable = plain_variable_of(setting) if schema.is_plain else schema.variable(setting)
    plain = None if schema.is_plain else plain_name_of(setting, environ)
    if plain is not None:
        return f"{plain} is in the environment: rename it {variable}, or declare env_prefix='' to read plain names"
    key = schema.toml_key(setting)
    if setting.is_secret and os.path.lexists(SECRETS_FILE):
        return f"set {variable}, or {key} in Config.toml, or run wellkept set {key}"
    return f"set {variable}, or {key} in Config.toml"


def _warn(exposed: Sequence[Problem]) -> None:
    for problem in exposed:
        BUS.publish(Event(Topic.WARNING, problem.setting, problem.message))
        # The sixth frame is the caller of load.
        warnings.warn(f"{problem.setting}: {problem.message}; {problem.hint}", InsecurePermissions, stacklevel=6)


def _tell(layers: Layers, outcomes: Sequence[Outcome]) -> None:
    for subject, detail in layers.notices:
        BUS.publish(Event(Topic.UNKNOWN_FILE, subject, detail))
    for outcome in outcomes:
        for line in outcome.lines:
            if line.origin.answer is not None:
                BUS.publish(Event(Topic.RESOLVED, outcome.setting.name, str(line.origin)))


def _file_of(reference: Reference) -> str | None:
    """The file that a reference names, or None for another thing."""
    return reference.file_path if reference.scheme == "file" else None


def _in_order(schema: Schema, problems: Sequence[Problem]) -> list[Problem]:
    """Problems in the order of the declaration; those of no setting last."""

    def place(problem: Problem) -> int:
        found = (index for index, one in enumerate(schema.settings) if one.is_named_by(problem.setting))
        return next(found, len(schema.settings))

    return sorted(problems, key=place)


def _explained(attempt: Attempt, outcome: Outcome) -> SettingExplanation:
    setting = outcome.setting
    lines = tuple(outcome.lines)
    winner = next((line for line in lines if line.verdict is Verdict.WINNER), None)
    note = None
    files = [] if winner is None else [winner.origin.file, *map(_file_of, references_of(outcome))]
    if any(file is not None and is_never_updated(file) for file in files):
        note = "never updated: its file is a mount of its own (subPath); mount the directory instead"
    own = tuple(one for one in attempt.problems if setting.is_named_by(one.setting))
    has_default = setting.extras.has_default
    return SettingExplanation(setting.name, type_text(setting.hint), setting.is_secret, has_default, lines, own, note)

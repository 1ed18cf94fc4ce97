"""Resolving without a class that declares anything: for `run`, `check`, and the commands that ask one source.

It stands beside `runtime`, which loads classes and masks what they hold; here is neither, and
so `wellkept run` need not load either.
"""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from wellkept._names import did_you_mean
from wellkept.config.fetch import Fetcher
from wellkept.config.layers.chosen import choose_files
from wellkept.config.layers.say import Say
from wellkept.config.providers import offer_tables
from wellkept.config.resolve import Outcome, references_of, resolve
from wellkept.config.setting import Setting
from wellkept.config.undeclared import Found, read_undeclared, refuse_unrendered
from wellkept.errors import ConfigError, Problem, SourceError, UsageError
from wellkept.ports import Source
from wellkept.registry import Schemes


def attempt_undeclared(
    said: Sequence[tuple[Setting, Sequence[Say]]],
    found: Found,
    environ: Mapping[str, str],
    *,
    may_be_leased: bool = True,
) -> tuple[list[Outcome], list[Problem]]:
    """Resolve settings that no class declares, for `run` and `check`.

    Args:
        said: the settings, each with the words on it, strongest first.
        found: what the files say; its problems come first.
        environ: the variables.
        may_be_leased: whether a lease is fine, which ends with this call: for `check`, which looks at no value.

    Returns:
        What became of each, and everything that is wrong.
    """
    fetcher = Fetcher({}, environ, Schemes())
    odd = offer_tables(found.providers, fetcher, environ)
    outcomes = resolve(said, frozenset(), fetcher)
    if not may_be_leased:
        _refuse_leases(outcomes, fetcher)
    fetcher.close()
    refuse_unrendered(outcomes)
    return outcomes, [*found.problems, *odd, *(one for outcome in outcomes for one in outcome.problems)]


def _refuse_leases(outcomes: Sequence[Outcome], fetcher: Fetcher) -> None:
    for outcome in outcomes:
        leased = [one for one in references_of(outcome) if fetcher.question(one) in fetcher.leased]
        if leased and outcome.say is not None:
            fact = f"{leased[0]}: is leased for a time, and nobody would renew it in the command"
            hint = "let the program read it itself: load() keeps it alive"
            outcome.problems.append(Problem(outcome.setting.name, fact, outcome.say.origin.place, hint))


@contextmanager
def opened(scheme: str, *, files: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Generator[Source]:
    """Open the source of a scheme as the files and the environment configure it, and close it at the end.

    Raises:
        ConfigError: the files cannot be read.
        UsageError: there is no such scheme.
        SourceError: it cannot be opened.
    """
    variables = os.environ if environ is None else environ
    found = read_undeclared(choose_files(files or None, variables), with_settings=False)
    fetcher = Fetcher({}, variables, Schemes())
    odd = offer_tables(found.providers, fetcher, variables)
    if found.problems or odd:
        raise ConfigError("configuration of the providers", [*found.problems, *odd])
    if scheme not in fetcher.schemes:
        near = did_you_mean(scheme, fetcher.schemes)
        raise UsageError(f"{scheme}: is no known scheme", hint=near or f"known are {', '.join(fetcher.schemes)}")
    source = fetcher.source(scheme)
    if isinstance(source, SourceError):
        raise source
    try:
        yield source
    finally:
        fetcher.close()

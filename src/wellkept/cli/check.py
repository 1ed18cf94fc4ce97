"""`wellkept check`: resolve everything now, and say what is wrong. Never a value."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import click

from wellkept.cli import render
from wellkept.cli.target import attempt, layer_options
from wellkept.config.explain import Verdict
from wellkept.config.layers.chosen import choose_files
from wellkept.config.resolve import references_of
from wellkept.config.undeclared import read_undeclared
from wellkept.errors import ConfigError, Problem
from wellkept.runtime import Attempt
from wellkept.secret import Secret
from wellkept.undeclared import attempt_undeclared

HEAD = ("setting", "state", "place", "version", "age", "lease")

Row = Mapping[str, object]


@click.command("check")
@click.argument("target", required=False, metavar="[MODULE:CLASS]")
@layer_options
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(target: str | None, files: Sequence[str], arguments: Sequence[str], *, wants_json: bool) -> int:
    """Resolve every setting now, and say where each came from or what is wrong.

    Without a class: every reference of Config.toml and Secrets.toml. Exit code 0 if all is
    fine, 1 if a value is missing or wrong, 77 if all that is wrong is a denial, 69 if all
    that is wrong is a source out of reach.
    """
    with render.waiting("asking the sources"):
        rows, problems = _undeclared(files) if target is None else _declared(target, files, arguments)
    subject = "the files of this folder" if target is None else target
    error = ConfigError(subject, problems) if problems else None
    if wants_json:
        render.as_json({"settings": rows, "problems": [_problem(one) for one in problems]})
    else:
        if rows:
            render.table(HEAD, render.columns(rows, HEAD))
        elif not problems:
            render.talk(f"nothing to check: {subject} hold no reference")
        if error is not None:
            render.failure(error)
    return 0 if error is None else error.exit_code


def _declared(target: str, files: Sequence[str], arguments: Sequence[str]) -> tuple[list[Row], Sequence[Problem]]:
    made = attempt(target, files, arguments)
    try:
        return [_row(made, one.name) for one in made.explanation().settings], made.problems
    finally:
        made.close()


def _row(made: Attempt, name: str) -> Row:
    explained = made.explanation()[name]
    value: object = made.config
    for step in name.split("."):
        value = getattr(value, step, None)
    secret = cast("Secret[object]", value) if isinstance(value, Secret) else None
    return {
        "setting": name,
        "state": explained.problems[0].kind if explained.problems else "ok",
        "place": explained.place,
        "version": None if secret is None else secret.version,
        "age": None if secret is None else _age(secret.fetched_at),
        "lease": _lease(made, name),
        "note": explained.note,
    }


def _lease(made: Attempt, name: str) -> str | None:
    """For how long what a setting refers to was leased; it is given back when all has been said."""
    asked = (one for outcome in made.outcomes if outcome.setting.name == name for one in references_of(outcome))
    leased = made.fetcher.leased
    found = [leased[question] for question in map(made.fetcher.question, asked) if question in leased]
    return f"{min(one.duration_s for one in found):.0f}s" if found else None


def _undeclared(files: Sequence[str]) -> tuple[list[Row], Sequence[Problem]]:
    found = read_undeclared(choose_files(files or None, os.environ))
    outcomes, problems = attempt_undeclared(found.settings, found, os.environ)
    rows: list[Row] = []
    for outcome in outcomes:
        line = next((one for one in outcome.lines if one.verdict is not Verdict.SHADOWED), None)
        if line is not None and line.references:
            state = outcome.problems[0].kind if outcome.problems else "ok"
            place = line.origin.place if outcome.problems else str(line.origin)
            rows.append(
                {"setting": outcome.setting.name, "state": state, "place": place, "version": line.origin.version}
            )
    return rows, problems


def _problem(problem: Problem) -> Row:
    return {
        "setting": problem.setting,
        "kind": problem.kind,
        "message": problem.message,
        "place": problem.place,
        "hint": problem.hint,
    }


def _age(fetched_at: datetime) -> str:
    return f"{(datetime.now(UTC) - fetched_at).total_seconds():.0f}s"

"""`wellkept explain`: every layer's say on each setting, the winner first. Never a value."""

from collections.abc import Mapping, Sequence

import click

from wellkept._names import canonical, did_you_mean
from wellkept.cli import render
from wellkept.cli.target import attempt, layer_options
from wellkept.config.explain import SettingExplanation
from wellkept.errors import ConfigError, Kind, UsageError


@click.command("explain")
@click.argument("target", metavar="MODULE:CLASS")
@click.argument("key", required=False)
@layer_options
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(target: str, key: str | None, files: Sequence[str], arguments: Sequence[str], *, wants_json: bool) -> int:
    """Say where each setting, or the one of KEY, comes from, layer by layer."""
    with render.waiting("asking the sources"):
        made = attempt(target, files, arguments)
    explanation = made.explanation()
    made.close()
    chosen = [one for one in explanation.settings if key is None or _is_meant(key, one.name)]
    if not chosen:
        near = did_you_mean(key or "", [one.name for one in explanation.settings])
        raise UsageError(f"{key}: {target} declares no such setting", hint=near or f"try wellkept explain {target}")
    if wants_json:
        render.as_json([_record(one) for one in chosen])
    else:
        render.out("\n".join(str(one) for one in chosen))
    own = [problem for one in chosen for problem in one.problems]
    # What is wrong with a file, or a name that nobody declared, belongs to no setting.
    others = [problem for problem in made.problems if problem not in own and (key is None or problem.kind is Kind.FILE)]
    if others:
        error = ConfigError(target, others)
        render.failure(error)
        return error.exit_code
    return 1 if own else 0


def _is_meant(key: str, name: str) -> bool:
    return [canonical(step) for step in key.split(".")] == [canonical(step) for step in name.split(".")]


def _record(one: SettingExplanation) -> Mapping[str, object]:
    return {
        "setting": one.name,
        "type": one.type,
        "secret": one.is_secret,
        "default": one.has_default,
        "layers": [
            {
                "layer": line.origin.layer,
                "place": line.origin.place,
                "verdict": line.verdict,
                "references": list(line.references),
                "answer": line.origin.answer,
                "version": line.origin.version,
                "note": line.origin.note,
            }
            for line in one.lines
        ],
        "problems": [problem.message for problem in one.problems],
        "note": one.note,
    }

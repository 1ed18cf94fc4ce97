"""Where a converter stands: problems, places, answers."""

from wellkept._dataclasses import replace
from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import INVALID, Answer, At, Step
from wellkept.errors import Kind
from wellkept.origin import Layer, Origin


def _place(path: tuple[Step, ...]) -> Origin:
    return Origin(Layer.FILE, f"Config.toml:{len(path) + 1}")


def _at() -> At:
    return At("pools", _place(()), [], _place)


def test_a_refusal_is_a_problem_at_the_place() -> None:
    at = _at()
    assert at.refuse("expected text", kind=Kind.UNKNOWN) is INVALID
    (problem,) = at.problems
    assert str(problem) == "pools: expected text (Config.toml:1)"
    assert (problem.kind, problem.hint) == (Kind.UNKNOWN, "write it as TOML of that type")


def test_the_general_fix_of_text_is_another() -> None:
    at = replace(_at(), is_strict=False)
    at.refuse("expected text")
    assert at.problems[0].hint == "write it in that form"


def test_a_step_down_has_its_own_name_and_place() -> None:
    below = _at().below(2).below("port")
    assert (below.setting, below.path) == ("pools[2].port", (2, "port"))
    assert below.origin.place == "Config.toml:3"


def test_a_trial_reports_to_nobody() -> None:
    at = _at()
    at.trial().refuse("expected text")
    assert at.problems == []


def test_an_answer_shows_no_value_in_its_repr() -> None:
    assert "CANARY" not in repr(Answer("CANARY-k1", _place(()), is_secret=True))


def test_a_refusal_inside_an_answer_is_at_the_reference() -> None:
    at = _at()
    origin = Origin(Layer.FILE, "Config.toml:7:5", answer="file a")
    assert at.apply(converter_for(int), Answer("CANARY-k2", origin, is_secret=False)) is INVALID
    assert at.problems[0].place == "Config.toml:7:5"


def test_invalid_says_what_it_is() -> None:
    assert repr(INVALID) == "INVALID"

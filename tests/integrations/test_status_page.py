"""The page on status: its example serves, its tables are whole, and its output is what is printed."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.shelf import CommandLine
from tests.refresh.answering import answering
from wellkept.errors import Kind
from wellkept.integrations.prometheus import metric_name
from wellkept.refresh.measures import MEASURES
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.secret import State

PAGE = (Path(__file__).parents[2] / "docs/reference/status.md").read_text(encoding="utf-8")
SHOWN = Status(
    1,
    (
        SecretStatus(
            "db_password", "vault database/creds/app#password", None, State.FRESH, 724, 4, 2_280, 2_820, None, "vault"
        ),
        SecretStatus(
            "api_key", "vault secret/prod/partner#key", "7", State.STALE, 273_600, 370, 21, None, "unreachable", "vault"
        ),
    ),
    (SourceStatus("vault", False, True, 1_204, 9, 2_472),),
)


def first_cells(heading: str, table: int = 0) -> list[str]:
    """The first column of a table of a section, without marks."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[table]
    return [line.split("|")[1].strip(" `") for line in found.splitlines()[2:]]


async def got(app: Any, *paths: str) -> list[httpx.Response]:  # noqa: ANN401 what exec made
    """What an application answers."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return [await client.get(path) for path in paths]


def test_its_example_answers() -> None:
    scope: dict[str, object] = {}
    exec(PAGE.split("```python\n", 1)[1].split("```", 1)[0], scope)  # noqa: S102 as a reader runs it
    ready, metrics = asyncio.run(got(scope["app"], "/ready", "/metrics"))
    assert ready.json() == {"ready": True, "worst": "fresh"}
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_its_table_of_metrics_is_whole() -> None:
    assert set(first_cells("Metrics")) == {metric_name(one) for one in MEASURES}
    assert all(f"`wellkept.{one.name}`" in PAGE for one in MEASURES)


def test_its_tables_of_states_and_failures_are_whole() -> None:
    assert first_cells("States") == [one for one in ("fresh", "due", "stale", "gone", "expired") if one in set(State)]
    assert set(first_cells("States", 1)) <= set(Kind)


@pytest.mark.parametrize("fact", sorted({*SecretStatus.__slots__, *SourceStatus.__slots__, "pid", "is_ready", "worst"}))
def test_each_fact_is_named(fact: str) -> None:
    assert f"`{fact}`" in PAGE.split("## States")[0]


def test_its_output_is_what_is_printed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    command = CommandLine(tmp_path)
    with answering(str(tmp_path / "wellkept"), SHOWN) as other:
        done = command("status", str(other.pid), environ={"XDG_RUNTIME_DIR": str(tmp_path)})
    shown = PAGE.split("$ wellkept status 4711\n")[1].split("$ echo")[0]
    assert (done.out, done.code) == (shown, 1)

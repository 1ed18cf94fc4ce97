"""What the pages on TLS say in tables is true: each name of a setting, code, word, event, recipe and command."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import ModuleType

import click
import pytest

from wellkept.cli import tls as tls_command
from wellkept.cli import tls_sorting, tls_trial
from wellkept.events import Topic
from wellkept.tls import (
    CertKey,
    CertValidation,
    ClientTLS,
    KeyStore,
    MutualTLS,
    ServerTLS,
    TrustStore,
    Versions,
    guard,
    judge,
)
from wellkept.tls.faults import Fault
from wellkept.tls.reasons import reason_for

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SETTINGS = DOCS / "howto/tls.md"
RELOAD = DOCS / "howto/tls-reload.md"
FINDINGS = DOCS / "reference/tls-findings.md"
PARTNERS = DOCS / "reference/tls-servers-clients.md"
COMMANDS = DOCS / "reference/command-line.md"
CLASSES: tuple[type, ...] = (
    ServerTLS,
    ClientTLS,
    CertKey,
    KeyStore,
    TrustStore,
    MutualTLS,
    Versions,
    CertValidation,
)
RECIPES = sorted((ROOT / "tests/tls").glob("*/recipes/*.py"))

_NAME = re.compile(r"`([\w-]+)`")
_ALSO = re.compile(r"Also: (`[\w`, ]+)")
_CODE = re.compile(r'"(TLS\d{3})"')
_JUDGED = re.compile(r'\b(_error|_warning|made)\(\s*"(TLS\d{3})"')
_INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
# A peer that hangs up or never answers is no event: it was not refused, and port scanners do so all day.
_NO_EVENTS = {"hung-up", "timed-out", "unreachable"}
_SEVERITIES = {"_error": "error", "_warning": "warning", "made": "error, warning"}


def rows(page: Path, heading: str, columns: int) -> Iterator[list[str]]:
    """The rows of the tables below a heading, up to the next one."""
    section = page.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            cells = [one.strip().replace(r"\|", "|") for one in re.split(r"(?<!\\)\|", line.strip("|"))]
            assert len(cells) == columns, line
            yield cells


def canonical(name: str) -> str:
    return name.replace("_", "").lower()


def table(cls: type) -> dict[str, list[str]]:
    return {cells[0].strip("`"): cells[1:] for cells in rows(SETTINGS, f"### {cls.__name__}", 4)}


def fields_of(cls: type) -> tuple[Field[object], ...]:
    assert hasattr(cls, "__dataclass_fields__")
    return fields(cls)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_is_in_the_table_of_names_in_its_order(cls: type) -> None:
    assert list(table(cls)) == [one.name for one in fields_of(cls)]


@pytest.mark.parametrize("cls", CLASSES)
def test_the_table_has_all_names_of_a_field_and_no_other(cls: type) -> None:
    for one in fields_of(cls):
        ballerina, means, _ = table(cls)[one.name]
        also = [name for found in _ALSO.findall(means) for name in _NAME.findall(found)]
        told = {canonical(name) for name in (one.name, *_NAME.findall(ballerina), *also)}
        assert told == {canonical(name) for name in (one.name, *one.metadata.get("names", ()))}, one.name


@pytest.mark.parametrize("cls", CLASSES)
def test_the_table_says_which_fields_are_required_and_what_the_plain_defaults_are(cls: type) -> None:
    for one in fields_of(cls):
        default = table(cls)[one.name][2]
        is_required = one.default is MISSING and one.default_factory is MISSING
        if cls is not MutualTLS or one.name != "trust":  # that one is required by a rule, which has words of its own
            assert (default == "required") is is_required, one.name
        if isinstance(one.default, bool):
            assert default == str(one.default).lower(), one.name
        elif isinstance(one.default, int | float):
            assert default.removesuffix(" s") == f"{one.default:g}", one.name
        elif isinstance(one.default, str):
            assert default.strip('`"').lower() == one.default.lower(), one.name


def judged(module: ModuleType) -> dict[str, str]:
    """The codes of findings in a module, with how severe each is."""
    found: dict[str, str] = {}
    for made, code in _JUDGED.findall(inspect.getsource(module)):
        told = {*found.get(code, "").split(", "), *_SEVERITIES[made].split(", ")} - {""}
        found[code] = ", ".join(sorted(told))
    return found


def test_every_code_of_a_finding_is_in_the_table_with_its_severity() -> None:
    expected = judged(judge)
    for module in (tls_sorting, tls_trial):  # all that these find is an error
        expected |= dict.fromkeys(_CODE.findall(inspect.getsource(module)), "error")
    headings = ("### Who we are", "### Whom we trust", "### Files")
    told = {cells[0].strip("`"): cells[1] for heading in headings for cells in rows(FINDINGS, heading, 4)}
    assert told == expected


def test_no_code_is_used_elsewhere() -> None:
    used = {code for file in (ROOT / "src").rglob("*.py") for code in _CODE.findall(file.read_text(encoding="utf-8"))}
    assert used == {
        *judged(judge),
        *_CODE.findall(inspect.getsource(tls_sorting)),
        *_CODE.findall(inspect.getsource(tls_trial)),
    }


def test_every_word_of_a_refused_handshake_is_in_the_table() -> None:
    told = [cells[0].strip("`") for cells in rows(FINDINGS, "## Why a handshake was refused", 3)]
    own = set(re.findall(r'Reason\("([\w-]+)"', inspect.getsource(guard)))
    assert own
    assert len(told) == len(set(told))
    assert set(told) == ({reason_for(one).code for one in Fault} | own) - _NO_EVENTS


def test_every_word_of_a_probe_is_one_that_it_says() -> None:
    text = FINDINGS.read_text(encoding="utf-8").split("## What a probe finds\n", 1)[1].split("by a word: ", 1)[1]
    sources = "".join((ROOT / f"src/wellkept/tls/{name}.py").read_text("utf-8") for name in ("probe", "diagnose"))
    assert [one for one in _NAME.findall(text) if one not in {*Fault, *re.findall(r'"([\w-]+)"', sources)}] == []


def test_every_event_of_tls_is_in_the_table() -> None:
    told = [cells[0].strip("`") for cells in rows(RELOAD, "## What to alert on", 3)]
    source = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "src/wellkept/tls").glob("*.py")))
    assert set(told) == {Topic[name].value for name in re.findall(r"\bTopic\.([A-Z_]+)\b", source)}


def test_every_recipe_is_on_the_page_and_every_one_on_the_page_is_there() -> None:
    told = {(PARTNERS.parent / one).resolve() for one in _INCLUDED.findall(PARTNERS.read_text(encoding="utf-8"))}
    assert RECIPES
    assert told == set(RECIPES)


def tls_commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in tls_commands(command))
        else:
            yield name, command


def test_every_command_and_option_of_tls_is_on_the_page_of_the_command_line() -> None:
    section = COMMANDS.read_text(encoding="utf-8").split("\n## `tls`\n", 1)[1].split("\n## ", 1)[0]
    for name, command in tls_commands(tls_command.command):
        group, _, own = name.rpartition(" ")
        assert re.search(rf"\| `{group} {own}".replace("` ", "`"), section) or f"`{own}`" in section, name
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                assert any(spelling in section for spelling in one.opts), (name, one.opts)

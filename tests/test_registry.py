"""Schemes: the built-in ones, those of a load, and those that an installed package adds."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wellkept import registry
from wellkept.errors import UsageError
from wellkept.model import Reference
from wellkept.providers.local.env import EnvironmentSource
from wellkept.providers.local.file import FileSource
from wellkept.registry import BUILT_IN, Schemes, open_source

MODULE = """
from wellkept.testing import MemorySource

def open_source(environ):
    return MemorySource({"a": environ["ANSWER"]})
"""
ENTRY_POINTS = """
[wellkept.providers]
shelf = wellkept_shelf:open_source
env = wellkept_shelf:open_source
unnamed = wellkept_shelf:nothing
broken = wellkept_absent:open_source

[some.others]
other = wellkept_shelf:open_source
"""


@pytest.fixture
def _shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with entry points, as pip leaves it behind."""
    (tmp_path / "wellkept_shelf.py").write_text(MODULE, encoding="utf-8")
    info = tmp_path / "wellkept_shelf-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wellkept-shelf\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    registry._points.cache_clear()
    yield
    registry._points.cache_clear()
    sys.modules.pop("wellkept_shelf", None)


def test_the_built_in_schemes_open_their_own_sources() -> None:
    assert set(BUILT_IN) == {"enc", "env", "file", "sops", "vault"}
    assert isinstance(open_source("env", {}), EnvironmentSource)
    assert isinstance(open_source("file", {}), FileSource)


def test_schemes_are_the_built_in_ones_and_the_given() -> None:
    schemes = Schemes({"mem"})
    assert {"env", "file", "mem"} <= set(schemes)
    assert "mem" in schemes
    assert "shelf" not in schemes
    assert len(schemes) == len(list(schemes)) == len(set(schemes))


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="nothing: is no known scheme") as caught:
        open_source("nothing", {})
    assert caught.value.hint == "known are env, file, sops, vault"


def test_a_scheme_at_hand_is_found_without_looking_for_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_points", lambda: pytest.fail("looked for packages"))
    assert "env" in Schemes()
    assert "mem" in Schemes({"mem"})
    assert isinstance(open_source("env", {}), EnvironmentSource)


@pytest.mark.usefixtures("_shelf")
def test_an_installed_package_adds_a_scheme_that_reads_only_what_it_is_given() -> None:
    assert "shelf" in Schemes()
    assert "other" not in Schemes()
    source = open_source("shelf", {"ANSWER": "CANARY-shelf"})
    assert source.fetch(Reference("shelf", ("a",))).value == "CANARY-shelf"


@pytest.mark.usefixtures("_shelf")
def test_an_installed_package_never_replaces_a_built_in_scheme() -> None:
    assert isinstance(open_source("env", {"ANSWER": "CANARY-shelf"}), EnvironmentSource)
    assert len(Schemes()) == len(set(Schemes()))


@pytest.mark.usefixtures("_shelf")
def test_a_package_is_not_imported_before_its_scheme_is_used() -> None:
    assert "shelf" in Schemes()
    assert "wellkept_shelf" not in sys.modules


@pytest.mark.usefixtures("_shelf")
@pytest.mark.parametrize(("scheme", "fault"), [("broken", "ModuleNotFoundError"), ("unnamed", "AttributeError")])
def test_a_package_that_cannot_be_imported_is_named_with_the_way_out(scheme: str, fault: str) -> None:
    with pytest.raises(UsageError, match=rf"{scheme}: its package cannot be imported \({fault}\)") as caught:
        open_source(scheme, {})
    assert "install it again" in (caught.value.hint or "")
    assert caught.value.__context__ is None

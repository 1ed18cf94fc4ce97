"""Becoming the child, and what is left where that fails."""

import signal
from pathlib import Path

import pytest

from wellkept.delivery.environment import child_environment
from wellkept.delivery.run import RunFailed, execute


def test_a_command_that_cannot_be_started_leaves_the_signals_as_they_were() -> None:
    before = (signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGXFSZ))
    with pytest.raises(RunFailed, match="cannot be started") as caught:
        execute(["true"], {"VALUE": "CANARY\0"})
    assert (signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGXFSZ)) == before
    assert caught.value.exit_code == 125


def test_an_empty_path_finds_no_command_not_even_one_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zzz").write_text("#!/bin/sh\n")
    (tmp_path / "zzz").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFailed, match="no such command"):
        execute(["zzz"], {"PATH": ""})


def test_what_is_given_wins_over_the_inherited_and_that_over_the_table_and_that_over_settings() -> None:
    child = child_environment(
        {"A": "inherited", "B": "inherited", "VAULT_TOKEN": "CANARY-token", "WELLKEPT_IDENTITY": "CANARY-id"},
        given={"A": "given"},
        filled={"B": "filled"},
        table={"B": "table", "C": "table"},
        settings={"C": "setting", "D_E": "setting", "A_": "setting"},
        form=lambda name: name.replace("_", "").casefold(),
        passed=["WELLKEPT_IDENTITY"],
    )
    assert child == {
        "A": "given",
        "B": "filled",
        "C": "table",
        "D_E": "setting",
        "WELLKEPT_IDENTITY": "CANARY-id",
        "WELLKEPT_RESOLVED": "A,B,C,D_E",
    }

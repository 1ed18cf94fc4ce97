"""The command line in a folder of its own, for every test of this folder."""

from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine, command_line


@pytest.fixture
def wellkept(tmp_path: Path) -> CommandLine:
    """The command line, in a folder with an empty shelf."""
    return command_line(tmp_path)

"""A folder with a real sops binary in it."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.providers.sops.encrypting import Sops, make_sops


@pytest.fixture
def sops(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Sops:
    return make_sops(tmp_path, missing)

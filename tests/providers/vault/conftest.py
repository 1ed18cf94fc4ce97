"""What the tests of leased engines need beside a `space`: a real PostgreSQL, once a session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.database import Database, run_database
from tests.servers.postgres import postgres_folder as programs
from tests.servers.postgres import postgres_template
from tests.servers.process import NotStarted


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A data folder that servers are copied from; what needs one is skipped where there is no PostgreSQL."""
    try:
        programs()
    except NotStarted as error:
        problem = str(error)
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing, and CI=true: {problem}", pytrace=False)
        pytest.skip(problem)
    with postgres_template() as made:
        yield made


@pytest.fixture(scope="session")
def database(postgres_folder: Path) -> Iterator[Database]:
    """A database for all tests: do not stop it."""
    with run_database(postgres_folder) as made:
        yield made

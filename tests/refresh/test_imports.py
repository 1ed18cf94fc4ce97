"""What the threads of the engine import, a fork waits for: a child would hang in a module that is half made."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.refresh.programs.run import Fact, rotate, running
from tests.servers.space import Space

pytestmark = pytest.mark.timeout(180)

ROLE = {"allowed_domains": ["localhost"], "allow_bare_domains": True, "key_type": "ec", "max_ttl": "72h"}


def followed(folder: Path, text: str, environ: Mapping[str, str], change: Callable[[], object]) -> Fact:
    """What a new process says that has seen a setting change."""
    config = folder / "Config.toml"
    config.touch(mode=0o600)
    config.write_text(text, encoding="utf-8")
    with running("imported", config, errors=folder / "errors", environ=environ) as program:
        program.wait_told("ready")
        change()
        assert program.wait() == 0, program.errors
        (fact,) = program.told("imported")
        assert program.errors == ""
        return fact


def test_a_file_that_changes(tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    rotate(file, 1)
    text = f'dbPassword = "${{file:{file}?ttl=1s}}"\n'
    fact = followed(tmp_path, text, {}, lambda: rotate(file, 2))
    assert (fact["is_new"], fact["imported"]) == (True, [])
    assert fact["guarded"], "the two values were compared, which takes a module"


def test_a_secret_of_a_vault_that_changes(tmp_path: Path, space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    text = 'dbPassword = "${vault:secret/prod/db?ttl=1s#password}"\n'
    fact = followed(tmp_path, text, space.environ(), lambda: space.put("secret/prod/db", password="CANARY-2"))
    assert (fact["is_new"], fact["imported"]) == (True, [])


def test_a_certificate_of_a_vault_that_is_renewed(tmp_path: Path, space: Space) -> None:
    space.do("POST", "sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
    space.do("POST", "pki/root/generate/internal", {"common_name": "the root", "key_type": "ec", "ttl": "90h"})
    space.do("POST", "pki/roles/web", ROLE)
    reference = "${vault:pki/issue/web?common_name=localhost&life=6s#%s}"
    text = f'[tls]\nkey = {{ certFile = "{reference % "fullchain"}", keyFile = "{reference % "private_key"}" }}\n'
    fact = followed(tmp_path, text, space.environ(), lambda: None)
    assert (fact["is_new"], fact["imported"]) == (True, [])

"""`wellkept run` with references to a real Vault."""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.space import Space


def run(
    space: Space, folder: Path, *words: str, token: str | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), **space.environ(token), **environ}
    return subprocess.run(
        [sys.executable, "-m", "wellkept", "run", *words],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_variable_that_refers_is_filled_and_the_token_stays_behind(space: Space, tmp_path: Path) -> None:
    space.put("secret/prod/db", password="CANARY-of-run")
    script = 'test "$DB" = CANARY-of-run && test -z "$VAULT_TOKEN" && echo "$WELLKEPT_RESOLVED"'
    done = run(space, tmp_path, "--", "sh", "-c", script, DB="${vault:secret/prod/db#password}")
    assert (done.stdout, done.stderr, done.returncode) == ("DB\n", "", 0)


def test_an_optional_value_that_is_absent_leaves_no_variable(space: Space, tmp_path: Path) -> None:
    done = run(
        space, tmp_path, "--", "sh", "-c", 'echo "${DB-unset}"', DB="${vault:secret/none?optional=true#password}"
    )
    assert (done.stdout, done.returncode) == ("unset\n", 0)


def test_what_cannot_be_had_starts_nothing_and_is_all_said(space: Space, tmp_path: Path) -> None:
    done = run(space, tmp_path, "--", "echo", "started", A="${vault:secret/none#a}", B="${vault:kv1/none#b}")
    assert (done.stdout, done.returncode) == ("", 125)
    assert "A: vault:secret/none: absent" in done.stderr
    assert "B: vault:kv1/none: absent" in done.stderr


def test_a_denial_is_said_with_the_line_that_is_missing(space: Space, tmp_path: Path) -> None:
    token = space.make_token(["default"])
    done = run(space, tmp_path, "--", "echo", "started", token=token, A="${vault:secret/a#a}")
    assert done.returncode == 125
    assert 'path "secret/data/a" { capabilities = ["read"] }' in done.stderr
    assert token not in done.stderr


def test_it_says_what_it_waits_for(space: Space, tmp_path: Path) -> None:
    variables = {"VAULT_ADDR": "https://192.0.2.7:8200", "VAULT_CLIENT_TIMEOUT": "1s"}  # RFC 5737: nobody there
    done = run(space, tmp_path, "--", "true", **variables, A="${vault:secret/a#a}")
    assert "waiting for vault (1 value) …" in done.stderr
    assert "unreachable" in done.stderr


def test_a_file_may_not_say_where_the_command_finds_its_secrets(space: Space, tmp_path: Path) -> None:
    (tmp_path / "Config.toml").write_text('[wellkept.run.env]\nBAO_ADDR = "http://127.0.0.1:1"\n')
    done = run(space, tmp_path, "--", "echo", "started")
    assert (done.stdout, done.returncode) == ("", 125)
    assert "BAO_ADDR: a file may not say where the command finds its secrets" in done.stderr
    done = run(space, tmp_path, "--env", "BAO_ADDR=https://mine.example.com", "--", "sh", "-c", "echo $BAO_ADDR")
    assert done.stdout == "https://mine.example.com\n"
    (tmp_path / "Config.toml").unlink()
    done = run(space, tmp_path, "--env", "BAO_ADDR=https://mine.example.com", "--", "echo", "started")
    assert done.stdout == "started\n"

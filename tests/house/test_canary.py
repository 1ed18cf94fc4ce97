"""The canary and `missing` of tests/conftest.py, each in a small suite of its own."""

import re
from base64 import b64encode
from pathlib import Path

import pytest

# Without the servers: a small suite needs none, and cannot import them.
CONFTEST = (
    (Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8").replace(', "tests.servers.fixtures"', "")
)
VALUE = "CANARY-first-3c1d"
PLUGINS = [f"-pno:{name}" for name in ("randomly", "cacheprovider", "hypothesispytest")]  # not needed, and slow


def run(pytester: pytest.Pytester, *options: str, **files: str) -> pytest.RunResult:
    """Run a suite of its own under the real conftest."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(**files)
    return pytester.runpytest_subprocess(*PLUGINS, *options)


def shown(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        pytest.param(f"print('{VALUE}')", "Captured stdout call", id="stdout"),
        pytest.param(f"import sys; print('{VALUE}', file=sys.stderr)", "Captured stderr call", id="stderr"),
        pytest.param(f"import logging; logging.warning('{VALUE}')", "Captured log call", id="log"),
        pytest.param(f"import os; os.system('echo {VALUE}')", "Captured stdout call", id="child"),
        pytest.param(f"print('{VALUE.encode().hex()}')", "Captured stdout call", id="hex"),
        pytest.param(f"print('{VALUE.encode().hex().upper()}')", "Captured stdout call", id="HEX"),
        pytest.param(f"print('{b64encode(VALUE.encode()).decode()}')", "Captured stdout call", id="base64"),
        pytest.param(f"print('{b64encode(b'u:' + VALUE.encode()).decode()}')", "Captured stdout call", id="base64+2"),
        pytest.param(f"print('{b64encode(b'u' + VALUE.encode()).decode()}')", "Captured stdout call", id="base64+1"),
    ],
)
def test_a_passing_test_that_shows_a_canary_fails_without_repeating_it(
    pytester: pytest.Pytester, statement: str, place: str
) -> None:
    result = run(pytester, test_it=f"def test_shows():\n    {statement}\n")
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"test_it.py::test_shows: a canary stands in {place}" in shown(result)
    assert VALUE not in shown(result)


def test_a_suite_that_shows_no_canary_passes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester, test_it="def test_quiet(tmp_path):\n    print('fine'); (tmp_path / 'a.log').write_text('fine')"
    )
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_a_fixture_that_shows_a_canary_fails_its_test(pytester: pytest.Pytester) -> None:
    fixture = f"import pytest\n@pytest.fixture\ndef one():\n    yield\n    print('{VALUE}')\n"
    result = run(pytester, test_it=f"{fixture}def test_uses(one):\n    pass\n")
    result.assert_outcomes(passed=1, errors=1)
    assert "a canary stands in Captured stdout teardown" in shown(result)
    assert VALUE not in shown(result)


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "workers"])
def test_a_file_that_a_test_leaves_is_searched_and_named(pytester: pytest.Pytester, options: list[str]) -> None:
    test = f"def test_leaves(tmp_path):\n    (tmp_path / 'service.log').write_text('x {VALUE}')\n"
    result = run(pytester, *options, test_it=test)
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert re.search(r"test_it.py::test_leaves: a canary stands in test_leaves\d*/service.log", shown(result))
    assert VALUE not in shown(result)


@pytest.mark.parametrize(
    "name", ["Config.toml", "Config.dev.toml", "Secrets.toml", "pw.secret", "mount/..data/pw", "secrets-a/pw"]
)
def test_a_file_that_is_made_for_secrets_may_hold_one(pytester: pytest.Pytester, name: str) -> None:
    lines = [
        "def test_writes(tmp_path):",
        f"    file = tmp_path / '{name}'",
        "    file.parent.mkdir(parents=True, exist_ok=True)",
        f"    file.write_text('{VALUE}')",
    ]
    run(pytester, test_it="\n".join(lines)).assert_outcomes(passed=1)


def test_a_folder_that_no_single_test_owns_is_searched(pytester: pytest.Pytester) -> None:
    lines = [
        "import pytest",
        "@pytest.fixture(scope='session')",
        "def server(tmp_path_factory):",
        "    folder = tmp_path_factory.mktemp('server')",
        f"    (folder / 'access.log').write_text('{VALUE}')",
        "def test_uses(server):",
        "    pass",
    ]
    result = run(pytester, test_it="\n".join(lines))
    result.assert_outcomes(passed=1, errors=1)
    assert "a canary stands in server0/access.log" in shown(result)
    assert VALUE not in shown(result)


def test_a_canary_in_a_frame_of_ours_is_named_and_withheld(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        ours=f"def load():\n    raise ValueError('bad value {VALUE}')\n",
        test_it="import ours\ndef test_loads():\n    ours.load()\n",
    )
    result.assert_outcomes(failed=1)
    assert "a canary stands in the traceback of its call" in shown(result)
    assert VALUE not in shown(result)


def test_an_expected_failure_is_no_excuse(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        ours=f"def load():\n    raise ValueError('bad value {VALUE}')\n",
        test_it="import ours, pytest\n@pytest.mark.xfail\ndef test_loads():\n    ours.load()\n",
    )
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.shows_canary
def test_the_source_of_a_failing_test_may_hold_a_canary(pytester: pytest.Pytester) -> None:
    result = run(pytester, test_it=f"def test_compares():\n    assert '{VALUE}' == 'other'\n")
    result.assert_outcomes(failed=1)
    assert "a canary stands in" not in shown(result)


def test_a_test_may_say_that_it_shows_a_canary(pytester: pytest.Pytester) -> None:
    test = f"import pytest\n@pytest.mark.shows_canary\ndef test_reveals():\n    print('{VALUE}')\n"
    run(pytester, test_it=test).assert_outcomes(passed=1)


def test_a_run_that_captures_nothing_says_that_the_canary_is_blind(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-s", test_it="def test_quiet():\n    pass\n")
    assert "canary: output is not captured (-s), so it is not searched" in shown(result)


NEEDS = "def test_needs(missing):\n    missing('no server here')\n"


def test_what_is_missing_is_skipped_with_its_reason_on_a_laptop(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = run(pytester, "-rs", test_it=NEEDS)
    result.assert_outcomes(skipped=1)
    assert "no server here" in shown(result)


def test_what_is_missing_fails_where_ci_is_true(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(pytester, test_it=NEEDS)
    result.assert_outcomes(failed=1)
    assert "missing, and CI=true: no server here" in shown(result)

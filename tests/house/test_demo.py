"""The demo runs from end to end; it checks by itself that what it shows is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)  # it starts servers, rotates and waits
def test_the_demo_runs_a_clone_with_nothing_but_an_identity() -> None:
    done = subprocess.run(
        [sys.executable, "examples/payments/demo.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    second = done.stdout.partition("\n2. ")[2].partition("\n3. ")[0]
    assert "GET /pay → 200 ok" in second
    assert "database login <Secret db_password from Secrets.toml:" in second
    twelfth = done.stdout.partition("\n12. ")[2]
    assert " 0 errors; 4 certificates seen; the connection that stayed open was never cut" in twelfth
    assert "a caller without a certificate: refused" in twelfth
    last = done.stdout.partition("\n14. ")[2]
    assert "from now on the partner is called with <Secret api_key from Secrets.toml:" in last
    assert re.search(r"^api_key +Secrets.toml:\d+:\d+ .*fresh", last, re.MULTILINE)
    assert re.search(r"^[1-9]\d* calls, 0 errors$", last, re.MULTILINE)

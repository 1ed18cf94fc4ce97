"""What the scanner sslyze accepts and finds on a demo server of ours, for each profile."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from harness import Row, read_output
from tls_programs import ROOT

SCANNER: Final = ROOT / ".venv-sslyze/bin/python"
# The CA of the demo is nobody's; Python chooses curves from 3.15 on (cpython#136306).
ACCEPTED: Final = frozenset({"certificate_path_validation", "tls_curves"})


def measure() -> list[Row]:
    """Scan both at once: most of a scan is waiting."""
    if not SCANNER.exists():
        print("the scanner is not installed: make .venv-sslyze/.ready", file=sys.stderr)
        return []
    with TemporaryDirectory() as folder:
        server = subprocess.Popen(
            (sys.executable, "-m", "bench.programs.tls_scanned", folder), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            served = [json.loads(server.stdout.readline() if server.stdout else "") for _ in range(2)]
            with ThreadPoolExecutor() as pool:
                found = list(pool.map(_scan, served))
        finally:
            server.terminate()
            server.wait()
    return [row for one, told in zip(served, found, strict=True) for row in _rows(one, told)]


def _scan(served: dict[str, Any]) -> dict[str, Any]:
    program = str(Path(__file__).parent / "programs/tls_sslyze.py")
    command = (str(SCANNER), program, str(served["port"]), served["profile"])
    told: dict[str, Any] = json.loads(read_output(command))
    return told


def _rows(served: dict[str, Any], told: dict[str, Any]) -> list[Row]:
    wanted = {(version, suite) for version, suites in served["expected"].items() for suite in suites}
    accepted = {(version, suite) for version, suites in told["accepted"].items() for suite in suites}
    issues = sorted(told["issues"].keys() - ACCEPTED)
    what = f"sslyze, {served['profile']}"
    return [
        Row(f"{what}: suites beside or missing of the profile's {len(wanted)}", len(wanted ^ accepted), "", most=0),
        Row(" ".join((f"{what}: findings of ours to fix", *issues)), len(issues), "", most=0),
    ]

"""The example on the first page of the documentation runs as it stands."""

import subprocess
import sys
from pathlib import Path

INDEX = Path(__file__).parents[2] / "docs/index.md"


def test_the_example_on_the_first_page_runs_as_it_stands(tmp_path: Path) -> None:
    example = INDEX.read_text(encoding="utf-8").split("```python\n", 1)[1].split("```", 1)[0]
    (tmp_path / "example.py").write_text(f"{example}\nprint(config.db_password, len(password))\n", encoding="utf-8")
    config = tmp_path / "Config.toml"
    config.touch(mode=0o600)
    config.write_text('dbPassword = "CANARY-docs-pw"\n', encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("<Secret db_password from Config.toml:1:14> 14\n", "")

"""The demo: a service, its secrets, its log, and three mistakes at once. `make demo` runs it.

Everything happens in a folder of its own that is removed at the end; no server is needed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
PASSWORD = "s3cur3-p@ssw0rd"  # noqa: S105 the page's own example
API_KEY = "sk-abc123-demo"

CONFIG = f"""\
dbPassword = "{PASSWORD}"
apiKey = "${{file:partner.key}}"
timeout = "10s"

[db]
host = "db.internal"
"""

BROKEN = """\
dbPasword = "${vaullt:secret/prod/db#password}"
timeout = 10

[db]
poolSize = 5000
"""


def say(text: str) -> None:
    """Narrate."""
    print(f"\n\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def wellkept(folder: Path, *arguments: str) -> int:
    """Run a wellkept command in the demo's folder and show it."""
    print(f"$ wellkept {' '.join(arguments)}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "wellkept", *arguments], cwd=folder, env=environment(), check=False
    ).returncode


def environment() -> Mapping[str, str]:
    """The environment without anybody's own configuration, and with the service importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAL_CONFIG_", "WELLKEPT_"))}
    return kept | {"PYTHONPATH": str(HERE)}


def serve(folder: Path) -> str:
    """Run the service, call it, and return its log."""
    service = subprocess.Popen(
        [sys.executable, str(HERE / "service.py")],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if service.stdout is None:
            raise RuntimeError("the service has no output")
        port = service.stdout.readline().split()[-1]
        with urlopen(f"http://127.0.0.1:{port}/pay", timeout=5) as answer:
            print(f"GET /pay → {answer.status} {answer.read().decode().strip()}")
    finally:
        service.terminate()
        log = service.communicate(timeout=10)[1]
    return log


def main() -> None:
    """Show the main job, end to end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        say("1. A Config.toml: one secret in it, one by reference (0600; never commit it)")
        config = folder / "Config.toml"
        config.touch(mode=0o600)
        config.write_text(CONFIG, encoding="utf-8")
        key = folder / "partner.key"
        key.touch(mode=0o600)
        key.write_text(f"{API_KEY}\n", encoding="utf-8")
        print(CONFIG.replace(PASSWORD, "…"), end="")

        say("2. Check it: every setting, where it came from, never a value")
        if wellkept(folder, "check", "service:Config") != 0:
            sys.exit("the demo's configuration should be fine")

        say("3. Explain one: every layer's say, the winner first")
        wellkept(folder, "explain", "service:Config", "api_key")

        say("4. Run the service and call it; it logs more than it should, and the log holds masks")
        log = serve(folder)
        print(log, end="")
        if PASSWORD in log or API_KEY in log or "<secret api_key>" not in log:
            sys.exit("a secret stands in the log, or a mask does not")

        say("5. Three mistakes at once: one report, each with its place and its fix")
        config.write_text(BROKEN, encoding="utf-8")
        print(BROKEN, end="\n")
        if wellkept(folder, "check", "service:Config") != 1:
            sys.exit("the broken configuration should be refused")
        say("That was the demo: examples/payments/service.py is all of the service's code.")


if __name__ == "__main__":
    main()

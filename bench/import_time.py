"""What `import wellkept` costs, beside pydantic-settings and hvac, and what it loads."""

from harness import BARE, PYTHON, Row, compare_processes, read_output

# Of the standard library, but nothing that a declaration needs. No module of anybody else is allowed.
HEAVY = ("ssl", "http", "asyncio")

REFUSED = f"""
import sys
before = set(sys.modules)
import wellkept
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}} - {{"wellkept"}}
print(*sorted((loaded - sys.stdlib_module_names) | (loaded & {{*{HEAVY}}})))
"""


def measure() -> list[Row]:
    """Compare CPU times: they are what every start of every process pays."""
    commands = {
        "wellkept": "import wellkept",
        "pydantic-settings": "import pydantic_settings",
        "hvac": "import hvac",
        "load": "from wellkept import Settings, load",
        "BaseSettings": "from pydantic_settings import BaseSettings",
    }
    costs = compare_processes({"bare": BARE, **{name: (*PYTHON, "-c", code) for name, code in commands.items()}})
    cpu_ms = {name: (costs[name] - costs["bare"]).cpu_ms for name in commands}
    refused = read_output((*PYTHON, "-c", REFUSED)).split()
    ours = cpu_ms["wellkept"]
    return [
        Row("`import wellkept`, CPU", ours, "ms", "pydantic-settings", cpu_ms["pydantic-settings"], most_ratio=0.2),
        Row("`import wellkept`, CPU", ours, "ms", "hvac", cpu_ms["hvac"], most_ratio=0.3),
        Row(" ".join(("modules it must not load", *refused)), len(refused), "", most=0),
        # Nothing was promised here, but a package that puts off its own loading would look better than it is.
        Row("`from wellkept import load`, CPU", cpu_ms["load"], "ms", "pydantic-settings", cpu_ms["BaseSettings"]),
    ]

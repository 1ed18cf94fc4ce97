"""What `import wellkept` costs, beside pydantic-settings and hvac, and what it loads."""

from harness import BARE, PYTHON, Row, compare_processes, read_output

# Of the standard library, but nothing that a declaration needs.
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
    modules = {"wellkept": "wellkept", "pydantic-settings": "pydantic_settings", "hvac": "hvac"}
    commands = {name: (*PYTHON, "-c", f"import {module}") for name, module in modules.items()}
    costs = compare_processes({"bare": BARE, **commands})
    cpu_ms = {name: (costs[name] - costs["bare"]).cpu_ms for name in modules}
    refused = read_output((*PYTHON, "-c", REFUSED)).split()
    return [
        Row(
            "`import`, CPU", cpu_ms["wellkept"], "ms", "pydantic-settings", cpu_ms["pydantic-settings"], most_ratio=0.2
        ),
        Row("`import`, CPU", cpu_ms["wellkept"], "ms", "hvac", cpu_ms["hvac"], most_ratio=0.3),
        Row(
            " ".join(("modules loaded: not of the standard library, or ssl, http, asyncio", *refused)),
            len(refused),
            "",
            most=0,
        ),
    ]

"""Says what `import wellkept` loads that it must not; run it in a fresh interpreter: `python -I import_is_light.py`."""

import sys

HEAVY = {"ssl", "http", "asyncio"}  # of the standard library, but nothing that a declaration needs

before = {name.partition(".")[0] for name in sys.modules}
import wellkept  # noqa: E402, F401 what is loaded before it does not count

loaded = {name.partition(".")[0] for name in sys.modules} - before - {"wellkept"}
refused = (loaded - sys.stdlib_module_names) | (loaded & HEAVY)
if refused:
    sys.exit(f"import wellkept loads {', '.join(sorted(refused))}")

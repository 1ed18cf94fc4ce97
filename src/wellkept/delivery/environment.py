"""The environment of a child: what is passed, what is taken out, what wins. No I/O here.

--env > inherited > [wellkept.run.env] > settings
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from wellkept.model import RESOLVED_VARIABLE

# What opens other secrets stays with the parent; `--pass NAME` keeps one.
BOOTSTRAP = frozenset({"VAULT_TOKEN", "BAO_TOKEN", "WELLKEPT_PASSPHRASE"})
BOOTSTRAP_PREFIX = "WELLKEPT_IDENTITY"


def child_environment(
    inherited: Mapping[str, str],
    *,
    given: Mapping[str, str],
    filled: Mapping[str, str],
    table: Mapping[str, str],
    settings: Mapping[str, str],
    form: Callable[[str], object],
    passed: Collection[str] = (),
) -> dict[str, str]:
    """Merge what a child gets.

    Args:
        inherited: the environment of this process.
        given: `--env NAME=TEXT`, resolved.
        filled: the inherited variables that held references, resolved.
        table: `[wellkept.run.env]`, resolved.
        settings: the settings of the files under their variables, resolved.
        form: is equal for two spellings of one name: `load` refuses two that disagree.
        passed: bootstrap credentials to keep all the same.

    Returns:
        The variables; WELLKEPT_RESOLVED names those that are final.
    """
    child = {name: value for name, value in inherited.items() if name in passed or not is_bootstrap(name)}
    child.update(filled)
    stronger = {form(name) for name in given}
    child = {name: value for name, value in child.items() if form(name) not in stronger}
    taken = stronger | {form(name) for name in child}
    added = {name: value for name, value in table.items() if form(name) not in taken}
    taken |= {form(name) for name in added}
    added |= {name: value for name, value in settings.items() if form(name) not in taken}
    child |= added | dict(given)
    earlier = {name for name in inherited.get(RESOLVED_VARIABLE, "").split(",") if name in child}
    final = sorted({*earlier, *(name for name in filled if name in child), *added, *given})
    if final:
        child[RESOLVED_VARIABLE] = ",".join(final)
    return child


def unfit_name(names: Iterable[str]) -> str | None:
    """A name that no variable can have, or that would break the list of final ones; None where all are fit."""
    return next((name for name in names if not name or set(name) & set(",=\0")), None)


def leads_to_a_store(name: str) -> bool:
    """Whether a variable says where a process finds a secret store, or its credentials: no file may say that for it."""
    is_theirs = name.startswith(("VAULT_", "BAO_")) and "__" not in name  # VAULT__ADDR is vault.addr of ours
    return name in {"HOME", "XDG_CONFIG_HOME"} or is_theirs


def is_bootstrap(name: str) -> bool:
    """Whether a variable opens other secrets."""
    return name in BOOTSTRAP or name.startswith(BOOTSTRAP_PREFIX)

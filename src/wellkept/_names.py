"""The names of one setting: in Python, in TOML, in the environment, on the command line.

Two names are equal when they are equal without `_` and case: `db_password`, `dbPassword`,
`DB_PASSWORD` and Ballerina's `DBPASSWORD` are one name. This file does no I/O.
"""

from collections.abc import Iterable, Sequence

from wellkept._patterns import pattern

BALLERINA_PREFIX = "BAL_CONFIG_VAR_"
NESTING = "__"  # in the environment: BAL_CONFIG_VAR_DB__HOST is db.host

# Variables that a login shell, a container runtime or systemd sets for everybody.
LOGIN_VARIABLES = frozenset(
    {"USER", "LOGNAME", "HOME", "PATH", "SHELL", "SHLVL", "PWD", "OLDPWD", "HOSTNAME", "HOST", "NAME"}
    | {"LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "LINES", "DISPLAY", "MAIL"}
    | {"TMPDIR", "TEMP", "TMP", "EDITOR", "VISUAL", "PAGER", "MANPATH", "UID", "GID", "GROUPS", "PPID"}
    | {"IFS", "PS1", "PS2", "PS4", "RANDOM", "SECONDS", "XDG_RUNTIME_DIR", "INVOCATION_ID", "JOURNAL_STREAM"}
)

MOST_LETTERS = 64  # of a name that is compared with others: the work grows with its square

_WORD_START = pattern(r"(?<=[a-z0-9])(?=[A-Z])")


def canonical(name: str) -> str:
    """The form in which two spellings of one name are equal."""
    return name.replace("_", "").casefold()


def canonical_path(path: Iterable[str]) -> tuple[str, ...]:
    """`canonical` of each step of a path."""
    return tuple(canonical(step) for step in path)


def snake(name: str) -> str:
    """`dbPassword` as `db_password`; a name with `_` stays as it is but for its case."""
    return _WORD_START.sub("_", name).lower()


def camel(name: str) -> str:
    """`db_password` as `dbPassword`, as Config.toml of the page spells it."""
    first, *rest = [part for part in snake(name).split("_") if part] or [name]
    return first + "".join(part.capitalize() for part in rest)


def toml_key(path: Sequence[str]) -> str:
    """The dotted key of a setting in Config.toml: `db.maxSize`."""
    return ".".join(camel(step) for step in path)


def variable(prefix: str, path: Sequence[str]) -> str:
    """The variable of a setting: prefix, then `DB_PASSWORD` or `DB__HOST`."""
    return prefix + NESTING.join(snake(step).upper() for step in path)


def namespace_prefix(namespace: str) -> str:
    """The prefix of a namespace's variables: `BAL_CONFIG_VAR_ACME_PAYMENTS_`."""
    return BALLERINA_PREFIX + "".join(f"{snake(step).upper()}_" for step in steps(namespace))


def steps(dotted: str) -> tuple[str, ...]:
    """The steps of a dotted name; none for the empty name."""
    return tuple(dotted.split(".")) if dotted else ()


def is_plain_spelling(name: str, setting: str) -> bool:
    """Whether an unprefixed variable means this root setting.

    `dbPassword`, `db_password` and `DB_PASSWORD` do. A variable of the login (`USER`, `PATH`)
    never does in capitals: only its exact camelCase or Python name does.
    """
    exact = {camel(setting), setting}
    if name.upper() in LOGIN_VARIABLES:
        return name in exact and name not in LOGIN_VARIABLES
    return name in exact or name == snake(setting).upper()


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means, or None."""
    form = canonical(name)[:MOST_LETTERS]
    most = max(1, len(form) // 4)
    others = ((canonical(one)[:MOST_LETTERS], one) for one in known)
    found = [(_typos(form, other), one) for other, one in others if abs(len(form) - len(other)) <= most]
    typos, nearest = min(found, default=(MOST_LETTERS, ""))
    return nearest if typos <= most else None


def _typos(one: str, other: str) -> int:
    """How many letters must be put in, left out, changed or swapped (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, partner in enumerate(other, 1):
            cost = min(last[column] + 1, here[-1] + 1, last[column - 1] + (letter != partner))
            if before and column > 1 and letter == other[column - 2] and one[row - 2] == partner:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        before, last = last, here
    return last[-1]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean dbPassword?`, or None when nothing is close."""
    near = closest(name, known)
    return None if near is None else f"did you mean {near}?"

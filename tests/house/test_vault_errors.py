"""Every error that Vault and the client below it can make stands on its page, with the exit code that it really has.

The sources are read, not run: the facts of all errors are put together from their literals, and `…` stands
for what is only known then. On the page they stand to the letter, and nothing stands there that is not made.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from wellkept import errors

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/vault-errors.md"
SOURCES = (
    *ROOT.glob("src/wellkept/providers/vault/*.py"),
    # ocsp.py asks responders of CAs, never a Vault.
    *(one for one in ROOT.glob("src/wellkept/_http/*.py") if one.name != "ocsp.py"),
    ROOT / "src/wellkept/_home.py",
)

# Which argument is the fact; and functions that put a fact of others into a sentence of theirs, with its error.
FACTS: Final = {"Failure": 1, "UsageError": 0, "Absent": 0, "Malformed": 0, "FileFault": 1}
SENTENCES: Final = {
    "_broken": (0, "unreachable: TLS cannot start: {}", "TLSFailed"),
    "_malformed": (0, "its answer {}", "Malformed"),
    "Unreadable": (0, "its answer {}", "Malformed"),
    "_answered": (2, "denied: … is refused: {}", "LoginRefused"),
}
# Functions whose answer is a fact, the sentence that it ends in, and its error.
ANSWERS: Final = {
    "parse_body": ("its answer {}", "Malformed"),
    "_fault": ("its answer {}", "Malformed"),
    "find_address": ("…: {}", ""),
    "_socket": ("…: {}", ""),
}
# What those sentences are where the fact is still open.
OPEN: Final = frozenset(
    {"unreachable: TLS cannot start: …", "its answer …", "denied: … is refused: …", "denied: …", "…: …"}
)
# The page says these once, by the name of the thing; `trust` says them of its own list.
NAMED: Final = frozenset({"trust: the URL …"})

_WORDS = re.compile(r"[a-z]+ [a-z]+")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Module:
    """One source file."""

    tree: ast.Module

    def made(self) -> Iterator[tuple[str, str]]:
        """Each fact, with the class of its error or nothing."""
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        for scope in (*functions, *(node for node in self.tree.body if isinstance(node, ast.Assign))):
            name = scope.name if isinstance(scope, ast.FunctionDef) else ""
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from self._made(node, node.func.id, scope)
                elif isinstance(node, ast.Return | ast.Assign) and name in ANSWERS and node.value:
                    sentence, kind = ANSWERS[name]
                    for text in self._strings(node.value, scope, node.lineno):
                        yield sentence.format(text), kind

    def _made(self, call: ast.Call, name: str, scope: ast.AST) -> Iterator[tuple[str, str]]:
        at, sentence, kind = (FACTS[name], "{}", "") if name in FACTS else SENTENCES.get(name, (99, "", ""))
        if at >= len(call.args):
            return
        first = call.args[0]
        if name == "Failure" and isinstance(first, ast.Name):
            kind = first.id
        for text in self.texts(call.args[at], scope, call.lineno):
            yield re.sub("…+", "…", sentence.format(text)), kind

    def texts(self, node: ast.expr, scope: ast.AST, line: int) -> list[str]:
        """What an expression may be as text."""
        found = ["…"]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = [node.value]
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.FormattedValue) else part for part in node.values)
            found = ["".join(one) for one in product(*(self.texts(part, scope, line) for part in parts))]
        elif isinstance(node, ast.BinOp):
            sides = (self.texts(side, scope, line) for side in (node.left, node.right))
            found = ["".join(one) for one in product(*sides)]
        elif isinstance(node, ast.IfExp):
            found = self.texts(node.body, scope, line) + self.texts(node.orelse, scope, line)
        elif isinstance(node, ast.Name):
            found = self._of_name(node.id, scope, line)
        return ["…"] if "…" in found else found

    def _of_name(self, name: str, scope: ast.AST, line: int) -> list[str]:
        """What a name may be: by its last assignment before a line, or by that of the module."""
        inner = [node for node in ast.walk(scope) if isinstance(node, ast.Assign) and node.lineno < line]
        outer = [node for node in self.tree.body if isinstance(node, ast.Assign)]
        for given in (inner, outer):
            for node in sorted(given, key=lambda one: -one.lineno):
                target = node.targets[0]
                if isinstance(target, ast.Name) and target.id == name:
                    return self.texts(node.value, scope, node.lineno)
                names = [one.id for one in getattr(target, "elts", []) if isinstance(one, ast.Name)]
                if name in names:
                    return self._of_pair(node.value, names.index(name), scope, node.lineno)
        return ["…"]

    def _of_pair(self, value: ast.expr, index: int, scope: ast.AST, line: int) -> list[str]:
        """One side of a pair: written out, or looked up in a table of the module with a pair for all else."""
        if isinstance(value, ast.Tuple):
            return self.texts(value.elts[index], scope, line)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get":
            tables = [
                node.value
                for node in self.tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(value.func.value)
            ]
            pairs = [pair for table in tables if isinstance(table, ast.Dict) for pair in table.values]
            if pairs:
                known = [*pairs, value.args[1]]
                return [text for pair in known for text in self._of_pair(pair, index, scope, line)]
        return ["…"]

    def _strings(self, node: ast.expr, scope: ast.AST, line: int) -> Iterator[str]:
        """The facts in an expression: texts of more than one word."""
        for one in ast.walk(node):
            if isinstance(one, ast.Constant | ast.Name):
                yield from (text for text in self.texts(one, scope, line) if _WORDS.search(text))


def made() -> dict[str, set[str]]:
    """Each fact of the sources, with the classes of its errors."""
    found: dict[str, set[str]] = {}
    for source in SOURCES:
        for fact, kind in Module(ast.parse(source.read_text(encoding="utf-8"))).made():
            if fact not in OPEN | NAMED:
                found.setdefault(fact, set()).update({kind} - {""})
    return found


def told() -> Mapping[str, str]:
    """Each fact of the page, with its exit code."""
    lines = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {fact: cells[-2].strip() for cells in lines for fact in _CODE.findall(cells[1])}


def test_every_error_stands_on_the_page() -> None:
    assert sorted(made().keys() - told().keys()) == []


def test_the_page_names_no_error_that_nobody_makes() -> None:
    assert sorted(told().keys() - made().keys()) == []


def test_the_page_gives_each_error_its_own_exit_code() -> None:
    page = told()
    codes = {
        (fact, page[fact], str(getattr(errors, kind).exit_code)) for fact, kinds in made().items() for kind in kinds
    }
    assert [one for one in codes if one[1] != one[2]] == []


def test_every_row_says_what_it_means_and_what_to_do() -> None:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert all(len(cells) == 6 and all(cell.strip() for cell in cells[1:-1]) for cells in rows)


def test_the_functions_from_which_facts_are_read_are_all_there() -> None:
    trees = [ast.parse(source.read_text(encoding="utf-8")) for source in SOURCES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert {*SENTENCES, *ANSWERS} <= defined
    assert set(FACTS) <= called

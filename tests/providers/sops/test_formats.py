"""Files of every format and type, made by a real sops binary, say here what they say to it."""

import json
import math
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.providers.sops.encrypting import Sops
from wellkept._dataclasses import replace

YAML = """\
# about CANARY
db:
  # inner CANARY
  password: CANARY "x" é 🎉
  port: 5432 # inline
  ratio: 0.1
  huge: 1e21
  minus: -7
  whole: 1.0
  word: yes
  fact: true
  nothing: null
  empty: ""
  day: 2001-12-14
  octal: 0777
hosts:
  - one
  - 2
  - {name: three}
  - [four, 5]
  # at the end of a list
lines: |
  CANARY 1
  CANARY 2
no-keys: {}
no-items: []
in_unencrypted:
  int: 5432
  float: 1e21
  small: 1e-7
  point: 100000000.5
  word: no
  day: 2001-12-14
  octal: 0777
  whole: 1.0
  fact: false
  empty: ""
  nothing: ~
  text: "5"
  texts: ["0777", "1e3", "2001-12-14", "null", "~", "a\\nb"]
  endless: .inf
"""
READ = {
    "db": {
        "password": 'CANARY "x" é 🎉',
        "port": 5432,
        "ratio": 0.1,
        "huge": 1e21,
        "minus": -7,
        "whole": 1,
        "word": "yes",
        "fact": True,
        "nothing": None,
        "empty": "",
        "day": "2001-12-14T00:00:00Z",
        "octal": 511,
    },
    "hosts": ["one", 2, {"name": "three"}, ["four", 5]],
    "lines": "CANARY 1\nCANARY 2\n",
    "no-keys": {},
    "no-items": [],
    "in_unencrypted": {
        "int": 5432,
        "float": 1e21,
        "small": 1e-7,
        "point": 100000000.5,
        "word": "no",
        "day": "2001-12-14T00:00:00Z",
        "octal": 511,
        "whole": 1,
        "fact": False,
        "empty": "",
        "nothing": None,
        "text": "5",
        "texts": ["0777", "1e3", "2001-12-14", "null", "~", "a\nb"],
        "endless": math.inf,
    },
}


def same(one: object, other: object) -> bool:
    """Equal, and of equal types: 1 is not True."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def test_yaml_gives_every_type_nested_and_in_the_clear(sops: Sops) -> None:
    sops.encrypt("a.yaml", YAML)
    assert same(sops.read("a.yaml"), READ)


def test_without_libyaml_the_same_is_read(sops: Sops, monkeypatch: pytest.MonkeyPatch) -> None:
    sops.encrypt("a.yaml", YAML)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert same(sops.read("a.yaml"), READ)


def test_json_gives_every_type_nested_and_in_the_clear(sops: Sops) -> None:
    held = {
        "a": {
            "b": "CANARY",
            "port": 5432,
            "part": 0.1,
            "yes": True,
            "nothing": None,
            "empty": "",
            "é🎉": "CANARY\n\t\\",
        },
        "list": [1, "CANARY", {"x": False}, [], {}],
        "c_unencrypted": {"int": -3, "part": 1e-7, "huge": 1e21, "big": 12345678901234567000, "no": False, "n": None},
    }
    sops.encrypt("a.json", json.dumps(held))
    assert same(sops.read("a.json"), held)


def test_a_whole_number_of_json_comes_back_whole_as_long_as_it_is_exact(sops: Sops) -> None:
    sops.encrypt("a.json", '{"a": 9007199254740992, "b": 12345678901234567890, "c": -0.0, "d_unencrypted": -0}')
    read = sops.read("a.json")
    assert repr(read) == "{'a': 9007199254740992, 'b': 1.2345678901234567e+19, 'c': -0.0, 'd_unencrypted': -0.0}"


def test_dotenv_gives_texts(sops: Sops) -> None:
    sops.encrypt("a.env", '# CANARY\nA=CANARY b\nQ="CANARY"\nE=\nM=CANARY\\nb\nU_unencrypted= x \n\nX=CANARY=z é')
    assert sops.read("a.env") == {
        "A": "CANARY b",
        "Q": '"CANARY"',
        "E": "",
        "M": "CANARY\nb",
        "U_unencrypted": " x ",
        "X": "CANARY=z é",
    }


INI = '''\
top = CANARY
; about
[db]
password = "CANARY w"
; about
hash = `CANARY#b;c`
lines = """CANARY
b"""
quote = it's "CANARY"
empty =
path = C:\\\\dir
joined = CANARY \\
  more
[in_unencrypted]
hash = `x#y`
blanks = "  x "
lines = """m
n"""
quote = it"s
tick = """a`b"""
"k=ey" = 1
plain = x ; gone
other : y
'''


def test_ini_gives_sections_of_texts(sops: Sops) -> None:
    sops.encrypt("a.ini", INI)
    assert sops.read("a.ini") == {
        "DEFAULT": {"top": "CANARY"},
        "db": {
            "password": "CANARY w",
            "hash": "CANARY#b;c",
            "lines": "CANARY\nb",
            "quote": 'it\'s "CANARY"',
            "empty": "",
            "path": r"C:\\dir",
            "joined": "CANARY more",
        },
        "in_unencrypted": {
            "hash": "x#y",
            "blanks": "  x ",
            "lines": "m\nn",
            "quote": 'it"s',
            "tick": "a`b",
            "k=ey": "1",
            "plain": "x",
            "other": "y",
        },
    }


@pytest.mark.parametrize(
    ("held", "value", "note"),
    [
        (b"CANARY\xff\x00\n", b"CANARY\xff\x00\n", None),  # no text: each byte counts
        (b"CANARY\n", b"CANARY", "one final newline stripped"),
        (b"CANARY", b"CANARY", None),
        (b"", b"", None),
    ],
)
def test_a_binary_file_gives_bytes(sops: Sops, held: bytes, value: bytes, note: str | None) -> None:
    sops.encrypt("key.p12", held)
    reading = sops.fetch("key.p12")
    assert (reading.value, reading.note, reading.answer) == (value, note, "sops key.p12")


def test_the_format_can_be_given_where_the_name_does_not_tell_it(sops: Sops) -> None:
    sops.encrypt("a.yaml", "a: CANARY").rename(sops.folder / "a.enc")
    reading = sops.source().fetch(sops.reference("a.enc", format="yaml"))
    assert dict(reading.value) == {"a": "CANARY"}  # type: ignore[call-overload]  # it is a table
    assert (
        sops.refusal("a.enc").hint == "where its name does not tell its format, add ?format=yaml, dotenv, ini or json"
    )
    assert sops.source().options == {"format"}


def test_a_file_that_sops_edited_and_rotated_is_read(sops: Sops) -> None:
    path = sops.encrypt("a.yaml", "a: {b: CANARY-old, c: CANARY}\n")
    sops.run("set", str(path), '["a"]["b"]', '"CANARY-new"')
    sops.run("rotate", "--in-place", str(path))
    assert sops.read("a.yaml") == {"a": {"b": "CANARY-new", "c": "CANARY"}}


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), max_size=12)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())
    | texts
    | st.sampled_from(["no", "0x1F", "1_000", "2001-01-01", "1e3", ".5", "<<", "=", "- a", "a: b", "# x", " x "])
)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=12
)


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
@pytest.mark.parametrize(
    "options", [("--unencrypted-suffix", "_none"), ("--encrypted-regex", "^none$")], ids=["all", "no"]
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.dictionaries(texts.filter(lambda key: key != "sops"), trees, min_size=1, max_size=4))
def test_any_tree_comes_back_as_it_was(
    sops: Sops, name: str, options: tuple[str, str], tree: dict[str, object]
) -> None:
    sops.encrypt(name, json.dumps(tree), "--input-type", "json", "--output-type", name[2:], *options)
    assert same(sops.read(name), tree)


def test_the_name_of_a_file_may_be_absolute_or_start_at_its_base(sops: Sops, tmp_path: Path) -> None:
    sops.encrypt("a.json", '{"a": "CANARY"}')
    reference = sops.reference("a.json")
    absolute = replace(reference, path=(*tmp_path.parts[1:], "a.json"), is_absolute=True, base=None)
    for one in (reference, absolute):
        assert sops.source().fetch(one).value["a"] == "CANARY"  # type: ignore[index]  # it is a table

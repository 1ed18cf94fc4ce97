"""Files that are not there, are no SOPS files, or are of another kind; each has its own answer and its fix."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.frames import shown_by
from tests.providers.sops.encrypting import Sops, make_identity
from wellkept.config.pick import pick
from wellkept.errors import Absent, Denied, Malformed
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.providers.sops.from_yaml import resolve
from wellkept.providers.sops.source import open_source
from wellkept.providers.sops.tree import Tree

ENC = "-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n"


def refusal(folder: Path, name: str, text: str | bytes, **options: str) -> Malformed:
    folder = folder / "mount"  # a folder for secrets
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(Malformed) as caught:
        open_source({}).fetch(Reference("sops", (name,), (), tuple(options.items()), base=str(folder)))
    assert "CANARY" not in shown_by(caught.value)
    return caught.value


def test_a_file_that_is_missing_is_absent_and_one_that_may_not_be_read_is_denied(tmp_path: Path) -> None:
    source = open_source({})
    assert isinstance(source, Source)
    with pytest.raises(Absent, match="does not exist"):
        source.fetch(Reference("sops", ("a.yaml",), base=str(tmp_path)))
    if os.geteuid():
        (tmp_path / "a.yaml").touch(mode=0)
        with pytest.raises(Denied):
            source.fetch(Reference("sops", ("a.yaml",), base=str(tmp_path)))


def test_a_fifo_and_a_file_that_is_too_large_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "large.yaml").write_bytes(b"a: 1\n" * 300_000)
    for name, fact in (("fifo.yaml", "is a FIFO, not a file"), ("large.yaml", "is larger than 1 MiB")):
        with pytest.raises(Malformed, match=fact):
            open_source({}).fetch(Reference("sops", (name,), base=str(tmp_path)))


def test_a_version_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.yaml", "", version="3")
    assert str(error) == "sops:a.yaml: sops has no versions\n  hint: leave out version="
    error = refusal(tmp_path, "a.yaml", "", format="toml")
    assert str(error) == "sops:a.yaml: is of no known format\n  hint: known are yaml, json, dotenv, ini, binary"


PLAIN = "holds nothing that SOPS wrote: it is not encrypted"


TWICE = "says something twice, or has NaN or Infinity, which JSON does not have"
NO_AGE = ", and age is what is read here"
SHAMIR = "splits its data key between key groups (Shamir), which is not supported"
CASES: list[tuple[str, str | bytes, str]] = [
    ("a.yaml", "a: CANARY\n", PLAIN),
    ("a.yml", "a: CANARY\nsops: CANARY\n", PLAIN),
    ("a.json", '{"a": "CANARY"}', PLAIN),
    ("a.env", "A=CANARY\n", PLAIN),
    ("a.ini", "[a]\nb = CANARY\n", PLAIN),
    ("a.bin", '{"data": "CANARY"}', PLAIN),
    ("a.bin", "CANARY", "is no JSON"),
    ("a.bin", '{"data": null, "sops": {}}', "is no binary file that SOPS encrypted"),
    ("a.bin", '{"a": "CANARY", "sops": {}}', "is no binary file that SOPS encrypted"),
    ("a.json", '["CANARY"]', "is no JSON"),
    ("a.json", "[" * 100_000, "is no JSON"),
    ("a.json", b'{"a": "\xff"}', "is no JSON"),
    ("a.json", '{"a": 1, "a": 2, "sops": {}}', TWICE),
    ("a.json", '{"a": NaN, "sops": {}}', TWICE),
    ("a.json", '{"a": ' + "9" * 5000 + "}", "is no JSON"),
    ("a.env", "A=CANARY\nCANARY", "has no = in line 2"),
    ("a.env", "A=CANARY\nA=CANARY", "names the same variable again in line 2"),
    ("a.env", "sops_a=1\nsops_a=1", "names the same variable again in line 2"),
    ("a.env", b"\xff", "is no UTF-8 text"),
    ("a.ini", b"\xff", "is no UTF-8 text"),
    ("a.ini", "[a]\nb = CANARY\n[a]\n", "has a section that is not closed, or comes again, in line 3"),
    ("a.ini", "[a\n", "has a section that is not closed, or comes again, in line 1"),
    ("a.ini", "a = CANARY\nCANARY", "has no new key with its value in line 2"),
    ("a.ini", "a = CANARY\na = CANARY", "has no new key with its value in line 2"),
    ("a.ini", "a = `CANARY\n", "has no new key with its value in line 1"),
    ("a.ini", '"a = CANARY\n', "has no new key with its value in line 1"),
    ("a.ini", " = CANARY\n", "has no new key with its value in line 1"),
    ("a.yaml", b"\xff", "is no UTF-8 text"),
    ("a.yaml", "a: [CANARY\n", "is no YAML (line 2)"),
    ("a.yaml", "a: \x01CANARY\n", "is no YAML"),
    ("a.yaml", "- CANARY\n", "is no table of keys"),
    ("a.yaml", "", "is no table of keys"),
    ("a.yaml", "a: 1\n---\na: 2\n", "holds a second document, and no key says which one it means (line 2)"),
    ("a.yaml", "a: &x [CANARY]\nb: *x\n", "holds a YAML anchor or tag (line 1)"),
    ("a.yaml", "a: &x CANARY\n", "holds a YAML anchor or tag (line 1)"),
    ("a.yaml", "a: *x\n", "holds a YAML alias (line 1)"),
    ("a.yaml", "a: !!python/object:os.system CANARY\n", "holds a YAML anchor or tag (line 1)"),
    ("a.yaml", "a: !x {b: CANARY}\n", "holds a YAML anchor or tag (line 1)"),
    ("a.yaml", "a: 1\na: CANARY\n", "has the same key again (line 2)"),
    ("a.yaml", "1: CANARY\n", "has a key that is no text (line 1)"),
    ("a.yaml", "{a: 1}: CANARY\n", "has a key that is no text (line 1)"),
    ("a.yaml", "a: " + "[" * 200_000, "is more than 64 levels deep"),
    ("a.yaml", "sops: {}\n", f"names nobody who can open it{NO_AGE}"),
    ("a.yaml", "sops: {age: [1, {recipient: 1}]}\n", f"names nobody who can open it{NO_AGE}"),
    ("a.yaml", "sops: {age: [{recipient: a, enc: b}]}\n", "has no MAC, so nothing in it can be trusted"),
    ("a.yaml", "sops: {pgp: [{fp: a}], kms: [{arn: b}], age: []}\n", f"is encrypted for AWS KMS and PGP only{NO_AGE}"),
    ("a.yaml", "sops: {hc_vault: [{a: b}]}\n", f"is encrypted for HashiCorp Vault only{NO_AGE}"),
    ("a.yaml", "sops: {key_groups: [{gcp_kms: [{a: b}]}]}\n", f"is encrypted for Google Cloud KMS only{NO_AGE}"),
    ("a.yaml", "sops: {key_groups: [{age: []}, {age: []}]}\n", SHAMIR),
    ("a.yaml", "sops: {shamir_threshold: 2}\n", SHAMIR),
    ("a.yaml", "sops: {shamir_threshold: [x]}\n", SHAMIR),
    ("a.env", "sops_key_groups__list_0__map_age__list_0__map_enc=x\nsops_key_groups__list_1__map_x=y\n", SHAMIR),
]


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, case: tuple[str, str | bytes, str]) -> None:
    name, text, fact = case
    error = refusal(tmp_path, name, text)
    assert error.message == f"{name}: {fact}"
    assert error.hint


def test_files_that_sops_makes_for_several_groups_are_named(sops: Sops) -> None:
    groups = [make_identity()[1] for _ in range(2)]
    path = sops.folder / "groups"
    lines = "".join(f"      - age: [{recipient}]\n" for recipient in groups)
    path.write_text(f"creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n{lines}")
    made = sops.run("--config", str(path), "encrypt", "--filename-override", "a.json", given=b'{"a": "CANARY"}')
    (sops.folder / "a.json").write_bytes(made)
    assert sops.refusal("a.json").message == f"a.json: {SHAMIR}"


def test_a_single_key_group_is_read(sops: Sops) -> None:
    path = sops.encrypt("a.json", '{"a": "CANARY"}')
    whole = json.loads(path.read_text())
    whole["sops"]["key_groups"] = [{"age": whole["sops"].pop("age")}]
    path.write_text(json.dumps(whole))
    assert sops.read("a.json") == {"a": "CANARY"}


def test_a_table_inside_ends_at_its_depth(sops: Sops) -> None:
    path = sops.encrypt("a.json", '{"a": "CANARY"}')
    path.write_text(path.read_text().replace('"a":', '"b": ' + "[" * 70 + "]" * 70 + ', "a":'))
    assert sops.refusal("a.json").message == "a.json: is more than 64 levels deep"


TREE = {
    "db": {"password": "CANARY", "hosts": ["one", {"two": 2}], "none": None},
    "certs": {"tls.crt": "CANARY-crt"},
    "db.user": "CANARY-user",
    "": {"": "CANARY-empty"},
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("db.password", "CANARY"),
        ("db.hosts.0", "one"),
        ("db.hosts.1.two", 2),
        ("db.user", "CANARY-user"),
        ("db.none", None),
        ("certs.tls.crt", "CANARY-crt"),
        (".", "CANARY-empty"),
    ],
)
def test_a_dotted_key_goes_down(key: str, value: object) -> None:
    tree = Tree(TREE)
    assert key in tree
    assert (tree[key], tree.get(key)) == (value, value)
    picked = pick(Reading(tree, "sops a"), Reference("sops", ("a",), (key,)))
    assert isinstance(picked, Reading)
    assert picked.value == value


@pytest.mark.parametrize(
    "key", ["db.x", "db.hosts.2", "db.hosts.-1", "db.hosts.x", "db.hosts.²", "db.password.x", "x", "db."]
)
def test_a_dotted_key_that_leads_nowhere_is_absent(key: str) -> None:
    tree = Tree(TREE)
    assert key not in tree
    assert tree.get(key) is None
    assert isinstance(pick(Reading(tree, "sops a"), Reference("sops", ("a",), (key,))), Absent)
    with pytest.raises(KeyError):
        tree[key]


def test_the_keys_of_a_tree_are_those_of_the_file_and_its_repr_shows_no_value() -> None:
    tree = Tree(TREE)
    assert isinstance(tree, Mapping)
    assert list(tree) == list(TREE)
    assert repr(tree) == "<sops tree of 4 keys>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("NO", "NO"), ("n", "n"), ("true", True), ("FALSE", False), ("~", None),
        ("Null", None), ("12", 12), ("-12", -12), ("+12", 12), ("0", 0), ("010", 8), ("0o10", 8), ("0b11", 3),
        ("0XfF", 255), ("1__0", 10), ("08", 8), ("1:30", "1:30"), ("1.5", 1.5), (".5", 0.5), ("1.", 1), ("1e3", 1000),
        ("1e", "1e"), ("._5", "._5"), (".", "."), ("-", "-"), ("+", "+"), ("0x", "0x"), ("1e999", "1e999"),
        ("18446744073709551615", 18446744073709551615), ("99999999999999999999", 1e20), ("2001-01-01", "2001-01-01"),
        ("<<", "<<"), ("=", "="), (".INF", float("inf")),
        ("９", "９"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_what_go_makes_of_it(text: str, value: object) -> None:
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("absent", "names"), [(["pyrage"], "pyrage"), (["yaml"], "pyyaml"), (["pyrage", "yaml"], "pyrage and pyyaml")]
)
def test_without_its_packages_it_says_what_to_install(absent: list[str], names: str) -> None:
    script = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))
from wellkept import ConfigError, Secret, Settings, load
class Config(Settings):
    a: Secret[str]
try:
    load(Config, environ={{"BAL_CONFIG_VAR_A": "${{sops:a.yaml#b}}"}}, files=[])
except ConfigError as error:
    print([(one.message, one.hint) for one in error.problems])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = [(f"sops: needs the package {names}", "pip install 'wellkept[sops]'")]
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")


def test_nothing_of_it_is_loaded_by_a_load_that_has_no_use_for_it() -> None:
    script = """
import sys
from wellkept import Secret, Settings, load
class Config(Settings):
    a: Secret[str]
load(Config, environ={"BAL_CONFIG_VAR_A": "${env:B}", "B": "x"}, files=[])
print({"pyrage", "yaml", "cryptography", "wellkept.providers.sops"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")

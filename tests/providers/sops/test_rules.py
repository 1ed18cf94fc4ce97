"""Which values are encrypted, as a real sops decides it, and the expressions that choose them."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.sops.encrypting import Sops
from wellkept.providers.sops.regex import compile_regex

PLAIN = "# sops:enc\na: CANARY-a\nb:\n  c_x: CANARY-c\n  # sops:enc\n  d: [CANARY-d, 1]\ne_x: {f: CANARY-f, g: 0.5}\n"
HELD = {"a": "CANARY-a", "b": {"c_x": "CANARY-c", "d": ["CANARY-d", 1]}, "e_x": {"f": "CANARY-f", "g": 0.5}}


@pytest.mark.shows_canary  # some rules leave it in the clear
@pytest.mark.parametrize(
    "rule",
    [
        "unencrypted_suffix: _x",
        "encrypted_suffix: _x",
        "unencrypted_regex: ^[ad]$",
        "encrypted_regex: ^(a|d)$",
        "encrypted_regex: (?i)^E_.$",
        "encrypted_comment_regex: sops:enc",
        "unencrypted_comment_regex: sops:enc",
        "encrypted_suffix: _x\nmac_only_encrypted: true",
        "unencrypted_regex: _\nmac_only_encrypted: true",
    ],
)
def test_each_rule_chooses_as_sops_does(sops: Sops, rule: str) -> None:
    text = sops.encrypt("a.yaml", PLAIN, rule=rule).read_text()
    assert 0 < len(re.findall("type:(?:str|int|float)", text)) < 8
    assert sops.read("a.yaml") == HELD


@pytest.mark.parametrize("kind", ["encrypted", "unencrypted"])
def test_a_rule_on_comments_needs_the_mac_over_all_values(sops: Sops, kind: str) -> None:
    sops.encrypt("a.yaml", "# x\na: 1\n", rule=f"{kind}_comment_regex: x\nmac_only_encrypted: true")
    fact = f"a.yaml: has {kind}_comment_regex with mac_only_encrypted, which is not supported"
    assert sops.refusal("a.yaml").message == fact


def test_what_the_mac_leaves_out_may_be_changed_and_what_the_rule_covers_may_not(sops: Sops) -> None:
    path = sops.encrypt("a.yaml", "a: CANARY\nport_x: 1\n", rule="unencrypted_suffix: _x\nmac_only_encrypted: true")
    whole = path.read_text()
    path.write_text(
        whole.replace("port_x: 1", "port_x: 0o17\nhost_x: 2001-01-01\nsize_x: 1_000\nmask_x: 0x1F\nold_x: -010")
    )
    changed = {"port_x": 15, "host_x": "2001-01-01", "size_x": 1000, "mask_x": 31, "old_x": -8}
    assert sops.read("a.yaml") == {"a": "CANARY"} | changed
    path.write_text(whole.replace("port_x: 1", "port_x: 1\nb: added"))
    assert sops.refusal("a.yaml").message == "a.yaml: b is not encrypted, and the file's own rule says that it is"


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\.", "_", "^", "$", "(?:b)"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])).map(
            lambda two: f"({two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@given(expression=expressions, text=st.text("ab1._", max_size=6))
def test_an_expression_means_what_python_makes_of_it(expression: str, text: str) -> None:
    compiled = compile_regex(expression)
    assert compiled is not None
    assert compiled.is_in(text) is (re.search(expression.replace("$", r"\Z"), text) is not None)
    assert not compiled.is_exhausted


@pytest.mark.parametrize(
    "expression",
    [
        r"\bkey", r"\pL", r"\p{Greek}", "[[:alpha:]]", "(?m)^a", "a(?i)b", "(?P<x>a)", "(?=a)", "(a", "a)", "[a", "a**",
        "*a", "a{2,1}", "a{101}", "a{1234}", "a\\", r"\1", "[a&&b]", "[z-a]", "(?i)é",
        pytest.param("a" * 1001, id="long"),
        pytest.param("(" * 1000, id="deepest"), pytest.param("(" * 21 + "a" + ")" * 21, id="deep"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_and_not_misread(expression: str) -> None:
    assert compile_regex(expression) is None


@pytest.mark.parametrize("text", ["x", "a{", "a{,2}", "{1", "}", "é", r"\x5C", "[]]", r"[\]a-c]", "^$|."])
def test_what_is_odd_and_supported_is_read(text: str) -> None:
    compiled = compile_regex(text)
    assert compiled is not None
    assert compiled.is_in(text)


@pytest.mark.parametrize(
    "expression", ["(a*)*b", "(a|a)*b", "(((a?){99}){99}){99}b", "(((((){99}){99}){99}){99}){99}b"]
)
def test_no_expression_takes_longer_than_its_steps(expression: str) -> None:
    compiled = compile_regex(expression)
    assert compiled is not None
    started = time.process_time()
    assert not compiled.is_in("a" * 2000)
    assert time.process_time() - started < 30


def test_the_dot_is_a_line_end_where_it_is_said_so() -> None:
    plain, said = compile_regex("a.b"), compile_regex("(?s)a.b")
    assert plain is not None
    assert said is not None
    assert (plain.is_in("a\nb"), said.is_in("a\nb")) == (False, True)

"""Reading TOML: what loads, what is refused with which words, and that nothing of the text is shown."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frames import shown_by
from wellkept._toml.document import Document, TomlFault, parse, read
from wellkept.errors import Kind, WellkeptError

MIB = 1 << 20
SECRET = 'dbPassword = "CANARY-db-pw-7f3a"\n'


def fault_of(text: str | bytes) -> TomlFault:
    with pytest.raises(TomlFault) as caught:
        parse(text, "Config.toml")
    return caught.value


# What loads


def test_a_text_becomes_data_with_places() -> None:
    document = parse("port = 8080\n[db]\nhost = 'a'\n", "Config.toml")
    assert document.data == {"port": 8080, "db": {"host": "a"}}
    assert (document.name, document.path) == ("Config.toml", None)
    assert document.place(("db", "host")) == (3, 8)
    assert document.key_place(("db", "host")) == (3, 1)
    assert document.place(("db", "port")) is None


def test_a_file_becomes_a_document_that_knows_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Config.toml").write_text(SECRET, encoding="utf-8")
    document = read("Config.toml", "Config.toml")
    assert document.data == {"dbPassword": "CANARY-db-pw-7f3a"}
    assert document.path == str(tmp_path / "Config.toml")


def test_the_repr_of_a_document_shows_nothing_of_it() -> None:
    document = parse(SECRET, "Config.toml")
    assert repr(document) == "Document(name='Config.toml', path=None)"


def test_a_document_cannot_be_changed() -> None:
    document = parse(SECRET, "Config.toml")
    with pytest.raises(AttributeError):
        document.name = "other"  # type: ignore[misc]


def test_floats_are_exact() -> None:
    data = parse("a = 0.1\nb = 1e400\nc = 12345678901234567890.123456789\nd = inf", "x").data
    assert data["a"] == Decimal("0.1")
    assert data["b"] == Decimal("1e400")
    assert str(data["c"]) == "12345678901234567890.123456789"
    assert data["d"] == Decimal("Infinity")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbfa = 1\nb = 'x'\n", id="byte order mark"),
        pytest.param(b"a = 1\r\nb = 'x'\r\n", id="CRLF"),
        pytest.param(b"\xef\xbb\xbfa = 1\r\nb = 'x'", id="both"),
        pytest.param("\ufeffa = 1\r\nb = 'x'", id="text"),
    ],
)
def test_a_byte_order_mark_and_crlf_simply_load(raw: str | bytes) -> None:
    document = parse(raw, "x")
    assert document.data == {"a": 1, "b": "x"}
    assert (document.key_place(("a",)), document.place(("b",))) == ((1, 1), (2, 5))


def test_crlf_in_a_string_of_several_lines_is_one_newline() -> None:
    assert parse(b"a = '''\r\none\r\ntwo'''", "x").data == {"a": "one\ntwo"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a = '\\u0000'", id="backslashes that are no escape of NUL"),
        pytest.param(r'a = "\\u0000"', id="an escaped backslash before u0000"),
        pytest.param("# \\u0000", id="a comment"),
        pytest.param("a = " + "[" * 32 + "]" * 32, id="32 brackets"),
        pytest.param("a" + ".b" * 32 + " = 1", id="32 dots"),
        pytest.param("[a" + ".b" * 31 + "]\nc = 1", id="a header of 32 keys"),
        pytest.param("".join(f"k{n} = 1\n" for n in range(10_000)), id="10,000 keys"),
        pytest.param("a = [" + "1," * 20_000 + "]", id="20,000 items"),
        pytest.param("\n" * 50_000, id="50,000 lines"),
        pytest.param("a" * 256 + " = 1", id="a key of 256 characters"),
        pytest.param("a = " + "1" * 4300, id="4,300 digits"),
        pytest.param("a = '" + "1" * 5000 + "' # " + "1" * 5000, id="digits in quotes and in a comment"),
        pytest.param("a = '" + "[{.,=" * 20_000 + "'", id="marks in quotes"),
        pytest.param('a = """\n' + '"", [[[ # \\"""\n' * 50 + '"""', id="marks in long quotes"),
        pytest.param("a = '" + "x" * (MIB - 6) + "'", id="1 MiB"),
    ],
)
def test_what_is_at_its_limit_loads(text: str) -> None:
    assert isinstance(parse(text, "x"), Document)


# What is refused


@pytest.mark.parametrize(
    ("text", "fact", "place"),
    [
        ("port", "has a key without a value", (1, 5)),
        ("port =\n", "has a value that is not TOML", (1, 7)),
        ("port = CANARY", "has a value that is not TOML", (1, 8)),
        ("pw = O'CANARY'", "has a value that is not TOML", (1, 6)),
        ("= 1", "has a line that is neither a key with a value nor a [table]", (1, 1)),
        ("a. = 1", "has no key where one must stand", (1, 4)),
        ("a = 'CANARY' 'CANARY'", "has something behind a value", (1, 14)),
        ("[db\n", "has the name of a table that is not closed", (1, 4)),
        ("[[db]\n", "has the name of a table that is not closed", (1, 5)),
        ("a = ['CANARY' 'CANARY']", "has an array that is not closed", (1, 15)),
        ("a = ['CANARY'\n\n", "has an array that is not closed", (1, 14)),
        ("a = {b = 'CANARY'", "has an inline table that is not closed", (1, 18)),
        (r'a = "CANARY\q"', "has a backslash that begins no escape", (1, 12)),
        (r'a = "CANARY\u12"', "has an escape without its hex digits", (1, 12)),
        (r'a = "CANARY\ud800"', "has an escape that stands for no character", (1, 12)),
        ('\na = """\n\\n\\ CANARY', "has a backslash that begins no escape", (3, 3)),
        ('a = "CANARY\\', "has a backslash that begins no escape", (1, 12)),
        ("a = 2025-02-30", "has a date or time that does not exist", (1, 5)),
        ('\na = "CANARY\nb = 1', "has a string that is not closed", (2, 5)),
        ("a = 'CANARY\nb = 1", "has a string that is not closed", (1, 5)),
        ('a = 1\nb = """CANARY\n\n', "has a string that is not closed", (2, 5)),
        ("a = '1'\nb = '''CANARY\n\n", "has a string that is not closed", (2, 5)),
        ('a = "CANARY', "has a string that is not closed", (1, 5)),
        ("a = 1e99999", "has a number that is out of range", (1, 5)),
        ("a = [1.5,\n-1e-99999]", "has a number that is out of range", (2, 1)),
        ("a = 1e99999999999999999999", "has a number that is out of range", (1, 5)),
        ("a = 'CANARY\x01'", "has a control character", (1, 12)),
        ("# CANARY\x7f", "has a control character", (1, 9)),
        ("a = 'CANARY\0'", "has a NUL character", (1, 12)),
        (r'a = "CANARY\u0000"', "has a NUL character", (1, 5)),
        (r'a = "CANARY\\\U00000000"', "has a NUL character", (1, 5)),
        ("a = 1\rb = 2", "has a carriage return without a line feed", (1, 6)),
        ("a = 1\r\r\nb = 2", "has a carriage return without a line feed", (1, 6)),
        (b"a = 1\nb = '\xc3\xa9CANARY\xff'", "is not UTF-8 at byte 19", (2, 13)),
        (b"\xef\xbb\xbfa = '\xff'", "is not UTF-8 at byte 8", (1, 7)),
        ("a = '\udcff'", "is not UTF-8 at byte 5", (1, 6)),
        ("CANARY = 1".encode("utf-16"), "is UTF-16, not UTF-8", None),
        ("CANARY = 1".encode("utf-16-le"), "has a NUL character", (1, 2)),
        ("a" * 257 + " = 1", "has a key of more than 256 characters", (1, 1)),
        ("[db.'" + "a" * 257 + "']", "has a key of more than 256 characters", (1, 5)),
        ("a = " + "1" * 4301, "holds a number of more than 4,300 digits", (1, 5)),
        ("a = '1'\nb = [-0x" + "f" * 4301 + "]", "holds a number of more than 4,300 digits", (2, 7)),
        ("a = " + "[" * 33 + "]" * 33, "nests more than 32 levels deep", (1, 37)),
        ("a = " + "{b = " * 33, "nests more than 32 levels deep", (1, 165)),
        ("a" + ".b" * 33 + " = 1", "nests more than 32 levels deep", (1, 66)),
        ("[a" + ".b" * 33 + "]", "nests more than 32 levels deep", (1, 65)),
        ("a = " + "{b.c = " * 17 + "1" + "}" * 17, "nests more than 32 levels deep", (1, 117)),
        ("k = 1\n" * 10_001, "holds more than 10,000 keys", (10_001, 3)),
        ("[t]\n" * 20_001, "holds more than 20,000 brackets", (20_001, 1)),
        ("a = [" + "1," * 20_001 + "]", "holds more than 20,000 commas between items", (1, 40_007)),
        ("\n" * 50_001, "holds more than 50,000 lines", (50_001, 1)),
        ("a = '" + "x" * MIB + "'", "is larger than 1 MiB", None),
        ("a = '" + "é" * (MIB // 2) + "'", "is larger than 1 MiB", None),
        (bytes(MIB + 1), "is larger than 1 MiB", None),
    ],
)
def test_what_is_no_toml_is_refused_in_plain_words_with_its_place(
    text: str | bytes, fact: str, place: tuple[int, int] | None
) -> None:
    fault = fault_of(text)
    assert (fault.fact, fault.line, fault.column) == (fact, *(place or (None, None)))
    where = "" if place is None else f" (Config.toml:{place[0]}:{place[1]})"
    assert fault.message == f"Config.toml: {fact}{where}"
    assert fault.hint
    assert fault.kind is Kind.FILE
    assert isinstance(fault, WellkeptError)
    assert "CANARY" not in shown_by(fault)
    assert (fault.__cause__, fault.__context__) == (None, None)


def test_a_repeated_key_is_named_with_both_places() -> None:
    fault = fault_of(f"{SECRET}[db]\nhost = 'CANARY'\n\n[db.x]\n[db]\n")
    assert fault.message == "Config.toml: repeats db, which stands at Config.toml:2:2 already (Config.toml:6:2)"
    assert fault.hint == "keep one of the two"
    assert "CANARY" not in shown_by(fault)


def test_of_several_repeated_keys_the_first_is_named_and_the_others_are_counted() -> None:
    assert fault_of("a = 1\na = 2\na = 3").hint == "keep one of the two; 1 more key is repeated"
    assert fault_of("a = 1\nb = 2\na = 2\na = 3\nb = 4").hint == "keep one of the two; 2 more keys are repeated"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[[a.b]]\n[[a.b]]\nc = 1\nc = 2", "a.b[1].c"),
        ('"x\\ny" = 1\n"x\\ny" = 2', r"'x\ny'"),
        ("'\u202egnp' = 1\n'\u202egnp' = 2", r"'\u202egnp'"),
        (f"'{'a ' * 500}' = 1\n'{'a ' * 500}' = 2", f"'{'a ' * 127}a…"),
    ],
)
def test_the_name_of_a_repeated_key_is_safe_to_print(text: str, name: str) -> None:
    assert fault_of(text).fact.startswith(f"repeats {name}, which stands at ")


def make_nothing(_path: Path) -> None:
    pass


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_large(path: Path) -> None:
    path.write_bytes(SECRET.encode() * 40_000)


def make_broken(path: Path) -> None:
    path.write_text(f"{SECRET}port = CANARY", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "message", "kind"),
    [
        pytest.param(make_nothing, "does not exist", Kind.ABSENT, id="nothing"),
        pytest.param(Path.mkdir, "is a directory, not a file", Kind.FILE, id="directory"),
        pytest.param(make_fifo, "is a FIFO, not a file", Kind.FILE, id="fifo"),
        pytest.param(make_large, "is larger than 1 MiB", Kind.FILE, id="large"),
        pytest.param(make_broken, "has a value that is not TOML (Config.toml:2:8)", Kind.FILE, id="broken"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_under_its_own_name(
    tmp_path: Path, make: Callable[[Path], None], message: str, kind: Kind
) -> None:
    make(tmp_path / "Config.toml")
    with pytest.raises(TomlFault) as caught:
        read(tmp_path / "Config.toml", "Config.toml")
    assert caught.value.message == f"Config.toml: {message}"
    assert caught.value.kind is kind
    assert caught.value.hint
    assert "CANARY" not in shown_by(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


PIECES = [*"ab.= \n1[]{},\"'\\#-", '"""', "'''", "\\u12", "2025-99", "00:61:00", "1e999999", "\\ ", "\\uD800"]


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_every_text_is_a_document_or_a_fault_with_a_place_and_words_of_its_own(text: str) -> None:
    fault = None
    try:
        parse(text, "x")
    except TomlFault as caught:
        fault = caught
    assert fault is None or (fault.fact != "is not TOML" and fault.line is not None and "\n" not in fault.message)


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_all_bytes_are_a_document_or_a_fault(raw: bytes) -> None:
    answer: object
    try:
        answer = parse(raw, "x")
    except TomlFault as fault:
        answer = fault
    assert isinstance(answer, (Document, TomlFault))


# What bad input may cost

MEASURED = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from wellkept._toml.document import TomlFault, parse, read
parse("a = 1.5\\nb = [2020-01-01]\\n[c]\\n", "warm")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    read(sys.argv[1], "Config.toml")
    said = None
except TomlFault as fault:
    said = str(fault)
seconds = time.process_time() - start
kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([said, seconds, kib if sys.platform == "linux" else kib / 1024]))
"""


def numbered(statement: str, count: int) -> str:
    return "".join(statement.format(n=n) for n in range(count))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        pytest.param("a = " + "[" * 10_000 + "]" * 10_000, "nests more than 32", id="arrays 10,000 deep"),
        pytest.param("a = " + "{a = " * 10_000 + "1" + "}" * 10_000, "nests more than 32", id="inline 10,000 deep"),
        pytest.param("a" + ".b" * 10_000 + " = 1", "nests more than 32", id="dots 10,000 deep"),
        pytest.param("[a" + ".b" * 10_000 + "]", "nests more than 32", id="header 10,000 deep"),
        pytest.param("a = " + "[" * 1_000_000, "nests more than 32", id="a million brackets"),
        pytest.param(numbered("[t{n}]\n", 50_000), "more than 20,000 brackets", id="50,000 tables"),
        pytest.param("[[t]]\n" * 50_000, "more than 20,000 brackets", id="50,000 items of tables"),
        pytest.param("a = 1\n" * 100_000, "more than 10,000 keys", id="100,000 keys"),
        pytest.param("a = [" + "1," * 500_000 + "]", "more than 20,000 commas", id="500,000 items"),
        pytest.param("a = [" + "{}," * 300_000 + "]", "more than 10,000 inline", id="300,000 inline tables"),
        pytest.param("\n" * 1_000_000, "more than 50,000 lines", id="a million lines"),
        pytest.param("a = '" + "x" * 20_000_000 + "'", "larger than 1 MiB", id="20 MB"),
        pytest.param("a = " + "1" * 4301, "more than 4,300 digits", id="4301 digits"),
        pytest.param("a = " + "1" * 1_000_000, "more than 4,300 digits", id="a million digits"),
        pytest.param("a = 0x" + "f" * 1_000_000, "more than 4,300 digits", id="a million hex digits"),
        pytest.param("a = 1." + "1" * 1_000_000, "more than 4,300 digits", id="a million decimals"),
        pytest.param("a = 1e999999999", "out of range", id="a large exponent"),
        pytest.param("a = 1\n" * 9_999, "repeats a", id="a key repeated 10,000 times"),
        pytest.param('a = "' + "x" * 1_000_000, "string that is not closed", id="an open string"),
        pytest.param('a = """' + '\\"""a' * 200_000, "string that is not closed", id="an open long string"),
        pytest.param('a = "' + "\\" * 1_000_000, "string that is not closed", id="a million backslashes"),
        pytest.param("'''" * 340_000, "key without a value", id="a million quotes"),
        pytest.param(("a" * 4299 + " ") * 240, "key without a value", id="long words"),
        pytest.param("\r" * 1_000_000, "carriage return", id="a million lone CR"),
        pytest.param("k" * 1_000_000 + " = 1", "key of more than 256", id="a long key"),
        pytest.param("a = '''" + "\n" * 1_000_000 + "'''", None, id="a million lines in a string"),
        pytest.param('a = "' + "\\u0041" * 170_000 + '"', None, id="escapes"),
        pytest.param('a = "' + "😀" * 260_000 + '"', None, id="wide characters"),
        pytest.param(numbered("[t{n}.x]\n", 19_999), None, id="20,000 nested tables"),
        pytest.param(numbered("[t{n}" + ".x" * 31 + "]\n", 640), None, id="640 deep tables"),
        pytest.param(numbered("a{n}.b = 1\n", 9_999), None, id="10,000 dotted keys"),
        pytest.param(numbered("a{n}" + ".b" * 30 + " = 1\n", 660), None, id="660 deep keys"),
        pytest.param(numbered("[[a{n}.b]]\nx.y = 1\n", 4_999), None, id="5,000 items of tables"),
        pytest.param("a = {" + ",".join(f"k{n} = {{}}" for n in range(9_999)) + "}", None, id="a wide inline table"),
    ],
)
def test_bad_input_is_dealt_with_in_a_second_and_64_mebibytes(tmp_path: Path, text: str, fact: str | None) -> None:
    file = tmp_path / "Config.toml"
    file.write_text(f"#CANARY\n{text}", encoding="utf-8", newline="")
    command = [sys.executable, "-c", MEASURED, str(file)]
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, env=untraced, capture_output=True, text=True, check=True, timeout=50)
    said, seconds, kib = json.loads(done.stdout)
    assert (said is None) if fact is None else (fact in said)
    assert "CANARY" not in done.stdout
    assert seconds <= 1
    assert kib <= 64 * 1024

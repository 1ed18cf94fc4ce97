"""An edited text becomes the file again: what did not change keeps its line, what others changed stays theirs."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import pytest

from tests.secrets_files import IDENTITY
from wellkept._toml.document import TomlFault
from wellkept.crypto.change import with_header, with_secret, without_secret
from wellkept.crypto.edit import NOTE, Draft, Edited, as_shown, draft_of, is_untouched, with_all
from wellkept.crypto.header import new_header, parse_header, unlock, with_access
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.rekey import rekeyed
from wellkept.crypto.text import read_text
from wellkept.crypto.typed import read_edited
from wellkept.errors import Conflict

HEADER, KEY = new_header()
_MADE = with_access(HEADER, KEY, "ada@laptop", IDENTITY.recipient, None)
assert not isinstance(_MADE, Refusal)
HEADER = _MADE
HEADER_TEXT = with_header(read_text(""), HEADER.values()).rstrip() + "\n"


def word(key: str, value: object, *, seal: Opened | None = None) -> str:
    """A value as it stands in the file."""
    path = tuple(key.split("."))
    return f'"${{enc:1:{(seal or of("")).seal(path, value)}}}"'


def of(text: str) -> Opened:
    """A file of that text, opened."""
    return Opened("Secrets.toml", read_text(text), HEADER, KEY)


FILE = f"""\
# of the payments team

# dbPassword
dbPassword = {word("dbPassword", "CANARY-db")}   # since May

# port
port = {word("port", 5432)}

{HEADER_TEXT}
# the partner's
[partner]  # in prod
# partner.apiKey
apiKey = {word("partner.apiKey", "CANARY-api")}

# partner.hosts
hosts = {word("partner.hosts", ["a", "b"])}

"""
SHOWN = """\
# of the payments team

# dbPassword
dbPassword = "CANARY-db"   # since May

# port
port = 5432

# the partner's
[partner]  # in prod
# partner.apiKey
apiKey = "CANARY-api"

# partner.hosts
hosts = ["a", "b"]

"""


def edited(text: str, file: str = FILE) -> Edited:
    outcome = read_edited(draft_of(of(file)), text.encode())
    assert isinstance(outcome, Edited), outcome
    return outcome


def refused(text: str, file: str = FILE) -> TomlFault:
    outcome = read_edited(draft_of(of(file)), text.encode())
    assert isinstance(outcome, TomlFault)
    assert "CANARY" not in f"{outcome} {outcome!r}"
    return outcome


def written(text: str, file: str = FILE, now: str | None = None) -> str:
    outcome = edited(text, file).onto(draft_of(of(file if now is None else now)))
    assert isinstance(outcome, str), outcome
    return outcome


def values(text: str) -> Mapping[str, object]:
    opened = of(text)
    assert not opened.text.flaws
    return {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}


def new_lines(text: str, file: str = FILE) -> Sequence[str]:
    lines = difflib.ndiff(file.splitlines(), text.splitlines())
    return [line for line in lines if line.startswith(("-", "+"))]


# What is shown


def test_the_lines_are_shown_with_their_values_and_without_the_header() -> None:
    assert draft_of(of(FILE)).text == SHOWN
    assert as_shown(draft_of(of(FILE))).splitlines()[2:] == SHOWN.splitlines()


def test_no_value_stands_in_the_repr_of_a_draft_or_an_edited_text() -> None:
    assert "CANARY" not in repr(draft_of(of(FILE)))
    assert "CANARY" not in repr(edited(SHOWN))


def test_what_does_not_decrypt_is_shown_as_it_stands_and_stays() -> None:
    file = FILE + f"odd = {word('elsewhere', 'CANARY')}\n" + f"nul = {word('partner.nul', 'CANARY' + chr(0))}\n"
    draft = draft_of(of(file))
    assert [(name, refusal.fact) for name, refusal in draft.kept] == [
        ("partner.odd", "does not decrypt: it was changed, or moved here from another key or file"),
        ("partner.nul", "holds a NUL character, which TOML cannot show"),
    ]
    assert 'odd = "${enc:1:' in draft.text
    after = written(draft.text.replace("5432", "5433"), file)
    assert all(line in after.splitlines() for line in file.splitlines()[-2:])


# What is written


def test_an_unchanged_text_is_the_same_file_to_the_byte() -> None:
    done = edited(as_shown(draft_of(of(FILE))))
    assert not done.changes()
    assert not done.has_new_layout()
    assert done.onto(draft_of(of(FILE))) == FILE


def test_only_a_text_without_a_changed_byte_is_untouched() -> None:
    draft = draft_of(of(FILE))
    assert is_untouched(draft, as_shown(draft).encode())
    assert not is_untouched(draft, draft.text.encode())
    flawed = draft_of(of(FILE + 'plain = "CANARY"\n'))
    assert not is_untouched(flawed, as_shown(flawed).encode())  # there is something to encrypt


def test_one_changed_value_is_one_changed_line_with_its_comment() -> None:
    after = written(SHOWN.replace("CANARY-db", "CANARY-new"))
    old, new = new_lines(after)
    assert old.startswith("- dbPassword = ")
    assert new.startswith("+ dbPassword = ")
    assert new.endswith("   # since May")
    assert values(after) == {**values(FILE), "dbPassword": "CANARY-new"}
    assert edited(SHOWN.replace("CANARY-db", "CANARY-new")).changes().changed == ("dbPassword",)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ('"""\nCANARY\n  two"""', "CANARY\n  two"),
        ("'CANARY\\x'", "CANARY\\x"),
        ("[\n  1,\n  [true, 'CANARY'],\n]", [1, [True, "CANARY"]]),
        ('[{ a = 1, "b c" = "CANARY" }]', [{"a": 1, "b c": "CANARY"}]),
        ("1.50", Decimal("1.50")),
        ("2026-01-02", date(2026, 1, 2)),
        ("true", True),
        ("0x10", 16),
    ],
)
def test_a_new_value_of_any_type_becomes_one_line(typed: str, value: object) -> None:
    after = written(SHOWN + f"new={typed}\n")
    assert values(after)["partner.new"] == value
    assert type(values(after)["partner.new"]) is type(value)
    assert next(line for line in new_lines(after) if "enc:1:" in line).startswith("+ new=")


def test_another_type_of_the_same_text_is_another_value() -> None:
    assert edited(SHOWN.replace("5432", '"5432"')).changes().changed == ("port",)
    assert edited(SHOWN.replace("5432", "0x1538")).changes().changed == ()


def test_a_removed_line_removes_its_key() -> None:
    done = edited(SHOWN.replace("port = 5432\n", ""))
    assert done.changes().removed == ("port",)
    assert set(values(written(SHOWN.replace("port = 5432\n", "")))) == {"dbPassword", "partner.apiKey", "partner.hosts"}


def test_comments_order_and_spaces_are_kept_as_typed() -> None:
    typed = SHOWN.replace("# port\n", "# the port of it\n\n").replace("[partner]", "  [ partner ]")
    done = edited(typed.replace("hosts = [", "  hosts   =   ["))
    assert not done.changes()
    assert done.has_new_layout()
    after = done.onto(draft_of(of(FILE)))
    assert isinstance(after, str)
    assert "# the port of it\n\n" in after
    assert "  [ partner ]  # in prod\n" in after
    assert '  hosts   =   "${enc:1:' in after
    assert [line.split("enc:1:")[1][:60] for line in after.splitlines() if "enc:1:" in line] == [
        line.split("enc:1:")[1][:60] for line in FILE.splitlines() if "enc:1:" in line
    ]


def test_a_key_that_is_spelt_otherwise_or_moved_into_a_table_keeps_its_word() -> None:
    typed = SHOWN.replace("dbPassword =", "db_password =").replace("[partner]", "[Partner]")
    assert not edited(typed).changes()
    line = next(line for line in written(typed).splitlines() if line.startswith("db_password"))
    assert line.split(" = ")[1] == next(one for one in FILE.splitlines() if one.startswith("dbP")).split(" = ")[1]


def test_a_new_line_gets_the_lines_around_it_that_merges_need() -> None:
    after = written(SHOWN.replace("port = 5432\n", 'port = 5432\nuser = "CANARY"\n'))
    assert '\n\n# user\nuser = "${enc:1:' in after


def test_the_header_stays_where_it_was_and_takes_no_key_in() -> None:
    after = written(SHOWN.replace("port = 5432\n", 'port = 5432\nlast = "CANARY"\n'))
    assert HEADER_TEXT + "\n# the partner's\n[partner]" in after
    assert values(after)["last"] == "CANARY"
    without_table = SHOWN[: SHOWN.index("# the partner's")] + 'last = "CANARY"\n'
    after = written(without_table)
    assert after.endswith((HEADER_TEXT, HEADER_TEXT + "\n"))
    assert set(values(after)) == {"dbPassword", "port", "last"}


@pytest.mark.parametrize("place", ["first", "last", "alone", "apart"])
def test_the_header_may_stand_anywhere(place: str) -> None:
    root = f"# root\na = {word('a', 1)}\n\n"
    table = f"# table\n[t]\nb = {word('t.b', 2)}\n\n"
    first, rest = HEADER_TEXT.split("[wellkept.recipients]")
    rest = "[wellkept.recipients]" + rest
    file = {
        "first": f"# head\n\n{HEADER_TEXT}\n{table}",
        "last": f"{root}{table}{HEADER_TEXT}",
        "alone": HEADER_TEXT,
        "apart": f"{root}{first}\n{table}{rest}\n",
    }[place]
    draft = draft_of(of(file))
    assert "wellkept" not in draft.text
    assert edited(draft.text, file).onto(draft) == file
    typed = "new = 3\n" + draft.text + "\n[added]\nc = 4\n"
    after = values(written(typed, file))
    assert after == {**values(file), "new": 3, "added.c": 4}
    assert of(written(typed, file)).text.header_table() == of(file).text.header_table()


def test_a_value_that_stood_there_in_plain_is_encrypted() -> None:
    file = FILE + 'plain = "CANARY-plain"\n'
    after = written(draft_of(of(file)).text, file)
    assert values(after)["partner.plain"] == "CANARY-plain"
    assert "CANARY" not in after


def test_of_two_values_that_a_merge_left_one_is_kept_with_its_word() -> None:
    second = f"port = {word('port', 5433)}\n"
    file = FILE.replace("# port\n", "# port\n" + second)
    draft = draft_of(of(file))
    assert "port = 5433\nport = 5432\n" in draft.text
    fault = refused(draft.text, file)
    assert fault.fact == "repeats port, which stands at the edited text:7:1 already"
    done = edited(draft.text.replace("port = 5432\n", ""), file)
    assert done.changes().changed == ("port",)
    assert second in str(done.onto(draft))


# What is refused


@pytest.mark.parametrize(
    ("typed", "fact", "hint"),
    [
        ("x = {a = 'CANARY'}", "gives partner.x a table in braces", "write partner.x.a = … on a line of its own"),
        ("x = {}", "gives partner.x a table in braces", "write partner.x = … on a line of its own"),
        ("[[x]]\na = 1", "has an array of tables, which has no line of its own", "write x = [ … ] on one line"),
        ("x = [\n1, # CANARY\n2]", "has a comment inside the value of partner.x", "put it on a line above"),
        ('x = ""', "gives partner.x no value", "write one, or delete the line to remove the key"),
        (
            "x = '${enc:1:AAAA}'",
            "gives partner.x the ciphertext of another key",
            "type the value: a ciphertext fits its own key",
        ),
        (
            "api_key = 'CANARY'",
            "repeats partner.api_key, which is partner.apiKey in line 12 already",
            "keep one of the two",
        ),
        (
            "[Well_Kept]\na = 1",
            "has the key wellkept, which is the header of the file",
            "leave it out: the header stays",
        ),
        ('"" = 1', "has a key that is empty or cannot be printed", "name it with letters and digits"),
        ("CANARY", "has a key without a value", 'write key = "value"'),
    ],
)
def test_what_has_no_line_of_its_own_is_refused_with_the_fix(typed: str, fact: str, hint: str) -> None:
    fault = refused(SHOWN + typed + "\n")
    assert (fault.fact, fault.hint) == (fact, hint)
    assert fault.line == SHOWN.count("\n") + 1


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("# apiKey = 'CANARY-other'", "partner.apiKey"),
        ("#dbPassword='x'", "dbPassword"),
        ("# it was CANARY-db before", "dbPassword"),
        ("y = 'CANARY-y' # CANARY-y", "partner.y"),
        ('z = "CANARY\\n-z" # CANARY\\n-z', "partner.z"),
    ],
)
def test_a_comment_that_holds_a_value_is_refused(typed: str, key: str) -> None:
    fault = refused(SHOWN + typed + "\n")
    assert fault.fact == f"has a comment that holds a value of {key}"
    assert fault.hint == "delete it: comments are not encrypted, and are committed as they are"


def test_a_line_that_is_commented_out_is_refused_however_short_its_value_is() -> None:
    assert refused(SHOWN.replace("port = 5432", "# port = 5432")).fact == "has a comment that holds a value of port"


@pytest.mark.parametrize("typed", ["# about apiKey: see the wiki", "# hosts are a and b", "# other = 'x'", "# 5432"])
def test_a_comment_without_a_value_is_fine(typed: str) -> None:
    assert typed in written(SHOWN + typed + "\n")


def test_a_comment_that_stood_there_before_is_left_alone() -> None:
    file = FILE.replace("# port\n", "# port = 5432\n")
    text = draft_of(of(file)).text
    assert values(written(text.replace("CANARY-db", "CANARY-new"), file))["dbPassword"] == "CANARY-new"


def test_an_empty_text_is_refused_and_one_of_the_note_alone_removes_all() -> None:
    assert refused("\n \n").fact == "is empty"
    assert edited("\n".join(NOTE) + "\n").changes().removed == ("dbPassword", "port", "partner.apiKey", "partner.hosts")


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    outcome = read_edited(draft_of(of(FILE)), b"a = '\xff'")
    assert isinstance(outcome, TomlFault)
    assert outcome.fact == "is not UTF-8 at byte 5"


def test_the_line_ends_and_the_mark_of_another_system_are_read() -> None:
    assert not edited("\ufeff" + SHOWN.replace("\n", "\r\n")).changes()


# Many at once


def test_many_keys_at_once_stand_as_if_they_had_come_one_by_one() -> None:
    twice = FILE.replace("# port\n", f"# port\nport = {word('port', 1)}\n")
    gone = without_secret(read_text(twice), ("partner", "api_key"))
    words = {
        ("dbPassword",): "AAAA",
        ("b",): "BBBB",
        ("partner", "x"): "CCCC",
        ("a",): "DDDD",
        ("port",): "EEEE",
        ("partner", "apiKey"): "FFFF",
        ("partner", "deep", "y"): "GGGG",
        ("partner", "z"): "HHHH",
    }
    text = read_text(with_all(read_text(gone), words))
    assert not text.flaws
    held = {entry.path: entry.value for (entry,) in text.secrets.values()}
    assert {path: held[path] for path in words} == words
    one_by_one = read_text(gone)
    for path, value in words.items():
        one_by_one = read_text(with_secret(one_by_one, path, value))
    assert sorted(text.lines) == sorted(one_by_one.lines)
    assert [entry.table for (entry,) in text.secrets.values() if entry.path[0] == "partner"] == [("partner",)] * 5
    keys = [line for line in text.lines if line.startswith("# ")]
    assert keys.index("# a") == keys.index("# b") + 1


# What somebody else changed meanwhile


def with_value(file: str, key: str, value: object) -> str:
    path = tuple(key.split("."))
    return with_secret(read_text(file), path, of("").seal(path, value))


def test_the_values_of_others_stay_and_mine_come_to_them() -> None:
    theirs = with_value(with_value(FILE, "port", 6000), "theirs", "CANARY-theirs")
    typed = SHOWN.replace("CANARY-db", "CANARY-mine").replace('hosts = ["a", "b"]\n', "mine = 1\n")
    after = written(typed, now=theirs)
    assert values(after) == {
        "dbPassword": "CANARY-mine",
        "port": 6000,
        "theirs": "CANARY-theirs",
        "partner.apiKey": "CANARY-api",
        "partner.mine": 1,
    }


def test_a_key_that_both_changed_is_a_conflict_that_names_it() -> None:
    theirs = with_value(with_value(FILE, "port", 6000), "dbPassword", "CANARY-theirs")
    typed = SHOWN.replace("5432", "7000").replace("CANARY-db", "CANARY-mine")
    outcome = edited(typed).onto(draft_of(of(theirs)))
    assert isinstance(outcome, Conflict)
    assert outcome.message == "dbPassword, port: changed by somebody else meanwhile; nothing was written"
    assert outcome.hint == "look with wellkept get dbPassword --reveal, and edit it again"


@pytest.mark.parametrize(
    ("typed", "theirs", "is_conflict"),
    [
        (SHOWN.replace("port = 5432\n", ""), with_value(FILE, "port", 6000), True),
        (SHOWN.replace("5432", "6000"), without_secret(read_text(FILE), ("port",)), True),
        (SHOWN + "new = 1\n", with_value(FILE, "partner.new", 2), True),
        (SHOWN + "new = 1\n", with_value(FILE, "partner.new", 1), False),
        (SHOWN.replace("port = 5432\n", ""), without_secret(read_text(FILE), ("port",)), False),
        (SHOWN.replace("5432", "6000"), with_value(FILE, "port", 6000), False),
        (SHOWN + "new = 1\n", with_value(FILE, "partner.other", 2), False),
    ],
)
def test_two_who_want_the_same_have_no_conflict(typed: str, theirs: str, *, is_conflict: bool) -> None:
    outcome = edited(typed).onto(draft_of(of(theirs)))
    assert isinstance(outcome, Conflict) is is_conflict


def test_a_file_that_was_only_encrypted_again_takes_all_that_was_typed() -> None:
    renewed = rekeyed(of(FILE), [])
    assert isinstance(renewed, str)
    text = read_text(renewed)
    now = _opened_with_identity(renewed)
    done = edited(SHOWN.replace("CANARY-db", "CANARY-mine").replace("# port\n", "# the port\n"))
    after = done.onto(now)
    assert isinstance(after, str)
    assert "# the port\n" in after
    assert text.secrets[("partner", "apikey")][0].value in after
    assert _values_of(after, now.opened) == {**values(FILE), "dbPassword": "CANARY-mine"}


def _opened_with_identity(text: str) -> Draft:

    found = read_text(text)
    header = parse_header(found.header_table())
    assert not isinstance(header, Refusal)
    key = unlock(header, [IDENTITY])
    assert not isinstance(key, Refusal)
    return draft_of(Opened("Secrets.toml", found, header, key))


def _values_of(text: str, opened: Opened) -> Mapping[str, object]:
    now = Opened(opened.name, read_text(text), opened.header, opened.key)
    return {".".join(entry.path): now.value(entry) for (entry,) in now.text.secrets.values()}

"""`wellkept unset` and `wellkept list`."""

from tests.cli.shelf import CommandLine

KEY = "shelf:prod/db#password"


def test_one_key_is_removed_and_the_others_stay(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"user": "app", "password": "CANARY"})
    done = wellkept("unset", KEY)
    assert (done.out, done.err, done.code) == ("", f"unset {KEY}, now version 2\n", 0)
    assert wellkept.newest("prod/db") == {"user": "app"}


def test_a_whole_secret_needs_a_yes(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    done = wellkept("unset", "shelf:prod/db")
    assert done.err == (
        "error: shelf:prod/db: is a whole secret\nhint: say --yes to remove all of it, or name one #key\n"
    )
    assert done.code == 2
    assert wellkept("unset", "shelf:prod/db", "--yes").err == "unset shelf:prod/db\n"
    assert wellkept.newest("prod/db") is None


def test_removing_what_is_not_there_is_absent(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"user": "app"})
    assert wellkept("unset", KEY).err.startswith(f"error: {KEY}: no such key\n")
    assert wellkept("unset", KEY).code == 1
    assert wellkept("unset", "shelf:prod/none", "--yes").code == 1


def test_a_conflict_removes_nothing(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    done = wellkept("unset", KEY, "--if-version", "7")
    assert "run it again" in done.err
    assert done.code == 1
    assert wellkept.newest("prod/db") == {"password": "CANARY"}
    assert wellkept("unset", KEY, "--if-version", "1").code == 0


def test_denied_and_unreachable_have_their_codes(wellkept: CommandLine) -> None:
    for words in (["unset", "shelf:denied/db#x"], ["list", "shelf:denied/db"]):
        assert wellkept(*words).code == 77
        assert wellkept(*words, environ={"SHELF_IS_DOWN": "1"}).code == 69


def test_what_was_removed_is_one_json_document(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"user": "app", "password": "CANARY"})
    assert wellkept("unset", KEY, "--json").document == {"key": KEY, "version": "2"}
    assert wellkept("unset", "shelf:prod/db", "--yes", "--json").document == {"key": "shelf:prod/db", "version": None}


def test_names_below_a_path_are_listed_and_no_value(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    wellkept.put("prod/queue/eu", {"password": "CANARY"})
    wellkept.put("prod/queue/us", {"password": "CANARY"})
    wellkept.put("test/db", {"password": "CANARY"})
    assert wellkept("list", "shelf:prod").out == "db\nqueue/\n"
    assert wellkept("list", "shelf:prod/").out == "db\nqueue/\n"
    assert wellkept("list", "shelf:prod", "--json").document == {"key": "shelf:prod", "names": ["db", "queue/"]}
    assert wellkept("list", "shelf:none").code == 1


def test_a_key_has_nothing_below_it(wellkept: CommandLine) -> None:
    assert wellkept("list", KEY).err == (
        f"error: {KEY}: has nothing below it\nhint: leave out the # and what follows\n"
    )

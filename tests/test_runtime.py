"""load(), explain() and close(): the whole way, from what a person wrote to a typed value."""

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Ge

from wellkept import ConfigError, Secret, Settings, close, explain, load, setting
from wellkept.config.layers.read import inputs_of
from wellkept.errors import DeclarationError, Kind, Problem, SecretLeak, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.runtime import attempt_load
from wellkept.testing import MemorySource


class Login(Settings):
    username: str
    password: str


class Database(Settings):
    host: str = "localhost"
    port: int = 5432
    password: Secret[str]


class App(Settings):
    db: Database
    timeout: timedelta = timedelta(seconds=30)


class Vaulted(Settings):
    db_password: Secret[str]
    api_key: Secret[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "Config.toml") -> None:
    file = Path(name)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def problems(cls: type[Settings], environ: Mapping[str, str] | None = None, **more: object) -> Sequence[Problem]:
    with pytest.raises(ConfigError) as caught:
        load(cls, environ=environ or {}, redact=False, **more)  # type: ignore[arg-type]  # passed on as they come
    return caught.value.problems


# Layers


def test_nested_settings_merge_leaf_by_leaf() -> None:
    write('[db]\nhost = "file"\npassword = "CANARY-from-the-file"\n')
    config = load(App, environ={"BAL_CONFIG_VAR_DB__HOST": "env"}, arguments=["-Cdb.port=1"], redact=False)
    assert (config.db.host, config.db.port, config.db.password.reveal()) == ("env", 1, "CANARY-from-the-file")


def test_a_table_may_stand_as_a_literal_in_one_variable() -> None:
    environ = {"BAL_CONFIG_VAR_DB": '{"host": "json", "password": "CANARY-in-json"}'}
    assert load(App, environ=environ, redact=False).db.host == "json"
    environ = {"BAL_CONFIG_VAR_DB": '{host = "toml", password = "CANARY-in-toml"}'}
    assert load(App, environ=environ, redact=False).db.host == "toml"


def test_the_keys_of_a_dict_may_stand_in_variables_of_their_own() -> None:
    class Headers(Settings):
        headers: dict[str, str]

    environ = {"BAL_CONFIG_VAR_HEADERS__Accept": "text/plain", "BAL_CONFIG_VAR_HEADERS__X_Trace": "1"}
    assert load(Headers, environ=environ, redact=False).headers == {"Accept": "text/plain", "X_Trace": "1"}


def test_overrides_win_over_everything_and_are_never_read_for_references() -> None:
    config = load(
        App,
        environ={"BAL_CONFIG_VAR_DB__HOST": "env"},
        overrides={"db.host": "${file:absent}", "db": {"password": Secret("CANARY-override")}, "timeout": "5s"},
        redact=False,
    )
    assert config.db.host == "${file:absent}"
    assert config.db.password.reveal() == "CANARY-override"
    assert config.timeout == timedelta(seconds=5)


def test_an_override_of_a_type_that_toml_does_not_know_is_used_as_it_is() -> None:
    config = load(App, environ={}, overrides={"db.password": "CANARY-text", "timeout": timedelta(1)}, redact=False)
    assert config.timeout == timedelta(1)


def test_two_loads_side_by_side_leave_each_other_alone() -> None:
    class Payments(Settings, namespace="acme.payments"):
        limit: int

    class Root(Settings):
        port: int = 1

    write("port = 2\n[acme.payments]\nlimit = 3\n[wellkept.providers.eu]\naddress = 'x'\n")
    environ = {"BAL_CONFIG_VAR_ACME_PAYMENTS_LIMIT": "4"}
    arguments = ["-Cacme.payments.limit=5", "-Cport=6"]
    assert load(Root, environ=environ, arguments=arguments, redact=False).port == 6
    assert load(Payments, environ=environ, arguments=arguments, redact=False).limit == 4
    assert load(Payments, environ={}, redact=False).limit == 3


def test_a_namespace_judges_its_own_table() -> None:
    class Strict(Settings, namespace="acme.strict"):
        limit: int = 1

    write("[acme.strict]\nlimitt = 3\n[elsewhere]\nx = 1\n")
    found = problems(Strict)
    assert [(one.setting, one.hint) for one in found] == [("acme.strict.limitt", "did you mean limit?")]


def test_a_prefix_of_ones_own_replaces_ballerinas() -> None:
    class Prefixed(Settings, env_prefix="PAY_"):
        db_host: str = "none"

    assert load(Prefixed, environ={"PAY_DB_HOST": "a", "BAL_CONFIG_VAR_X": "b"}, redact=False).db_host == "a"
    assert [one.hint for one in problems(Prefixed, {"PAY_DB_HOTS": "a"})] == ["did you mean PAY_DB_HOST?"]


def test_one_key_in_both_implicit_files_is_an_error_with_both_places() -> None:
    write('[db]\npassword = "CANARY-one"\n')
    write('[db]\npassword = "CANARY-two"\n', "Secrets.toml")
    (found,) = problems(App)
    assert "Config.toml:2:12 and Secrets.toml:2:12" in found.message


def test_a_relative_path_starts_at_the_folder_of_the_file_that_names_it(tmp_path: Path) -> None:
    class Paths(Settings):
        ca: Path
        token: Secret[str]

    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "token.secret").write_text("CANARY-relative\n", encoding="utf-8")
    write('ca = "ca.pem"\ntoken = "${file:token.secret}"\n', "etc/app.toml")
    config = load(Paths, environ={}, files=["etc/app.toml"], redact=False)
    assert config.ca == folder / "ca.pem"
    assert config.token.reveal() == "CANARY-relative"


def test_what_run_filled_in_is_taken_as_final() -> None:
    environ = {"BAL_CONFIG_VAR_DB__PASSWORD": "${file:CANARY}", "WELLKEPT_RESOLVED": "A,BAL_CONFIG_VAR_DB__PASSWORD"}
    assert load(App, environ=environ, redact=False).db.password.reveal() == "${file:CANARY}"


# References


def test_references_are_fetched_once_a_path_and_only_where_they_win() -> None:
    memory = MemorySource({"prod/db": {"password": "CANARY-db-pw", "key": "CANARY-key"}, "other": "CANARY-shadow"})
    write('dbPassword = "${mem:other}"\napiKey = "${mem:prod/db?ttl=1h#key}"\n')
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:prod/db?ttl=1h#password}"}
    config = load(Vaulted, environ=environ, providers={"mem": memory}, redact=False)
    assert config.db_password.reveal() == "CANARY-db-pw"
    assert config.api_key.reveal() == "CANARY-key"
    assert memory.requests == ["prod/db"]
    assert str(config.db_password.origin) == "memory prod/db#password v1"
    assert config.db_password.version == "1"


def test_a_text_that_holds_a_secret_is_a_secret_and_its_pieces_are_joined() -> None:
    class Dsn(Settings):
        dsn: Secret[str]

    write('dsn = "postgresql://app:${mem:pw}@${env:HOST}/$${db}"\n')
    memory = MemorySource({"pw": "CANARY-pw"})
    config = load(Dsn, environ={"HOST": "db"}, providers={"mem": memory}, redact=False)
    assert config.dsn.reveal() == "postgresql://app:CANARY-pw@db/${db}"


def test_a_structure_comes_as_one_atomic_secret_and_masks_itself() -> None:
    class Atomic(Settings):
        login: Secret[Login]

    memory = MemorySource({"db": {"username": "app", "password": "CANARY-login-pw"}})
    config = load(Atomic, environ={"BAL_CONFIG_VAR_LOGIN": "${mem:db}"}, providers={"mem": memory}, redact=False)
    login = config.login.reveal()
    assert (login.username, login.password) == ("app", "CANARY-login-pw")
    assert "CANARY" not in repr(login)
    assert config.login.dsn("pg://{username}:{password}@db").reveal() == "pg://app:CANARY-login-pw@db"


def test_a_plain_setting_takes_no_secret_unless_the_writer_says_that_it_is_none() -> None:
    class Plain(Settings):
        host: str

    memory = MemorySource({"host": "CANARY-host"})
    write('host = "${mem:host}"\n')
    (found,) = problems(Plain, providers={"mem": memory})
    assert (found.message, found.place) == ("takes a reference to a secret, but is no Secret", "Config.toml:1:8")
    write('host = "${mem:host?plain=true}"\n')
    assert load(Plain, environ={}, providers={"mem": memory}, redact=False).host == "CANARY-host"


def test_absent_denied_and_unreachable_are_three_answers_with_three_exit_codes() -> None:
    memory = MemorySource({"denied": "x"})
    memory.deny("denied")
    codes = {}
    for path in ("absent", "denied", "gone"):
        if path == "gone":
            memory.disconnect()
        with pytest.raises(ConfigError) as caught:
            load(
                Vaulted,
                environ={
                    "BAL_CONFIG_VAR_DB_PASSWORD": f"${{mem:{path}}}",
                    "BAL_CONFIG_VAR_API_KEY": f"${{mem:{path}}}",
                },
                providers={"mem": memory},
                redact=False,
            )
        codes[path] = ({one.kind for one in caught.value.problems}, caught.value.exit_code)
    assert codes == {
        "absent": ({Kind.ABSENT}, 1),
        "denied": ({Kind.DENIED}, 77),
        "gone": ({Kind.UNREACHABLE}, 69),
    }


def test_several_kinds_of_problems_give_one() -> None:
    memory = MemorySource()
    memory.deny("a")
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a}"}
    with pytest.raises(ConfigError) as caught:
        load(Vaulted, environ=environ, providers={"mem": memory}, redact=False)
    assert caught.value.exit_code == 1


def test_only_an_optional_reference_lets_absent_fall_to_the_next_layer() -> None:
    memory = MemorySource({"second": "CANARY-second-layer"})
    write('dbPassword = "${mem:second}"\napiKey = "CANARY-key"\n')
    optional = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:first?optional=true}"}
    config = load(Vaulted, environ=optional, providers={"mem": memory}, redact=False)
    assert config.db_password.reveal() == "CANARY-second-layer"
    assert [line.verdict for line in explain(config)["db_password"].lines] == ["absent", "winner"]
    memory.deny("first")
    (found,) = problems(Vaulted, optional, providers={"mem": memory})
    assert found.kind is Kind.DENIED


def test_an_optional_reference_with_nothing_below_it_leaves_the_default() -> None:
    class Optional(Settings):
        token: Secret[str] | None = None

    write('token = "${mem:absent?optional=true}"\n')
    assert load(Optional, environ={}, providers={"mem": MemorySource()}, redact=False).token is None


def test_a_reference_in_code_counts_where_no_layer_speaks() -> None:
    class Coded(Settings):
        token: Secret[str] = setting(reference="mem:token?ttl=1h")

    memory = MemorySource({"token": "CANARY-token"})
    assert load(Coded, environ={}, providers={"mem": memory}, redact=False).token.reveal() == "CANARY-token"
    config = load(Coded, environ={"BAL_CONFIG_VAR_TOKEN": "CANARY-env"}, providers={"mem": memory}, redact=False)
    assert config.token.reveal() == "CANARY-env"
    assert memory.requests == ["token"]


def test_in_toml_every_opening_must_begin_a_reference_and_its_text_is_not_quoted() -> None:
    write('dbPassword = "CANARY${HOME}"\napiKey = "${vualt:CANARY}"\n')
    found = problems(Vaulted, providers={"vault": MemorySource()})
    assert [one.place for one in found] == ["Config.toml:1:14", "Config.toml:2:10"]
    assert all("$${" in one.hint for one in found)
    assert "did you mean vault:?" in found[1].hint
    assert "CANARY" not in str(found)


def test_in_the_environment_what_is_no_reference_is_text() -> None:
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "CANARY${HOME}${nope:x}", "BAL_CONFIG_VAR_API_KEY": "$${file:CANARY}"}
    config = load(Vaulted, environ=environ, redact=False)
    assert config.db_password.reveal() == "CANARY${HOME}${nope:x}"
    assert config.api_key.reveal() == "${file:CANARY}"


def test_what_a_source_holds_is_never_read_for_references() -> None:
    memory = MemorySource({"a": "${mem:b}", "b": "CANARY-b"})
    write('dbPassword = "${mem:a?ttl=1h}"\napiKey = "CANARY-key"\n')
    config = load(Vaulted, environ={}, providers={"mem": memory}, redact=False)
    assert config.db_password.reveal() == "${mem:b}"
    assert memory.requests == ["a"]


def test_an_option_that_a_scheme_does_not_have_is_an_error() -> None:
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a?cas=1}", "BAL_CONFIG_VAR_API_KEY": "CANARY-key"}
    (found,) = problems(Vaulted, environ, providers={"mem": MemorySource({"a": "CANARY"})})
    assert found.message == "mem:a: mem has no option cas"


def test_what_has_no_versions_refuses_to_be_pinned() -> None:
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${env:HOME?version=1}", "BAL_CONFIG_VAR_API_KEY": "${file:x?version=1}"}
    assert [one.message for one in problems(Vaulted, environ)] == [
        "env:HOME: env has no versions",
        "file:x: file has no versions",
    ]


def test_an_absent_key_names_the_nearest_one() -> None:
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a#pasword}", "BAL_CONFIG_VAR_API_KEY": "${mem:a#/x/y}"}
    memory = MemorySource({"a": '{"password": "CANARY-json-pw", "x": "CANARY-no-table"}'})
    found = problems(Vaulted, environ, providers={"mem": memory})
    assert [(one.message, one.kind) for one in found] == [
        ("mem:a#pasword: no such key", Kind.ABSENT),
        ("mem:a#/x/y: what is there has no keys", Kind.INVALID),
    ]
    assert found[0].hint == "did you mean password?"


def test_a_provider_that_fails_is_named_by_the_type_of_its_error_only() -> None:
    class Broken:
        def fetch(self, reference: Reference) -> Reading:
            raise RuntimeError(f"CANARY {reference}")

    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${bad:a}", "BAL_CONFIG_VAR_API_KEY": "${bad:b}"}
    found = problems(Vaulted, environ, providers={"bad": Broken()})
    assert {one.message for one in found} == {
        "bad:a: its provider failed with RuntimeError",
        "bad:b: its provider failed with RuntimeError",
    }


def test_many_paths_are_fetched_side_by_side() -> None:
    import threading  # noqa: PLC0415 only this test needs it

    class Slow:
        def __init__(self) -> None:
            self.barrier = threading.Barrier(16, timeout=50)

        def fetch(self, reference: Reference) -> Reading:
            self.barrier.wait()  # passes only when all sixteen are under way at once
            return Reading(f"CANARY-{reference}", "slow")

    class Many(Settings):
        values: list[Secret[str]]

    references = ", ".join(f'"${{slow:p{number}}}"' for number in range(16))
    write(f"values = [{references}]\n")
    config = load(Many, environ={}, providers={"slow": Slow()}, redact=False)
    assert [one.reveal() for one in config.values] == [f"CANARY-slow:p{number}" for number in range(16)]


def test_what_run_filled_in_is_final_in_tables_and_dicts_too() -> None:
    class Tables(Settings):
        headers: dict[str, str] = setting(default_factory=dict[str, str])
        db: Database

    environ = {
        "BAL_CONFIG_VAR_HEADERS__X": "${env:OTHER}",
        "BAL_CONFIG_VAR_DB": '{"host": "${env:OTHER}", "password": "CANARY-db"}',
        "OTHER": "read again",
        "WELLKEPT_RESOLVED": "BAL_CONFIG_VAR_HEADERS__X,BAL_CONFIG_VAR_DB",
    }
    config = load(Tables, environ=environ, redact=False)
    assert (config.headers["X"], config.db.host) == ("${env:OTHER}", "${env:OTHER}")


def test_a_namespace_that_looks_alike_hides_nothing_of_the_root() -> None:
    class Library(Settings, namespace="shop"):
        url: str = "none"

    class Root(Settings):
        shop_port: int = 1
        shop: Library

    write('[shop]\nurl = "from the file"\n')
    config = load(Root, environ={"BAL_CONFIG_VAR_SHOP_PORT": "99"}, redact=False)
    assert (config.shop_port, config.shop.url) == (99, "from the file")


@pytest.mark.parametrize("value", [{"password": "CANARY-map"}, None, True, b"\xffCANARY", ["CANARY"]])
def test_what_is_no_text_cannot_stand_in_a_text(value: object) -> None:
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "pg://u:${mem:a}@h", "BAL_CONFIG_VAR_API_KEY": "CANARY-key"}
    (found,) = problems(Vaulted, environ, providers={"mem": MemorySource({"a": value})})
    assert found.message == "mem:a: is no text to stand in a text"


def test_an_absent_optional_reference_hides_no_denied_one_beside_it() -> None:
    memory = MemorySource({"no": "x"})
    memory.deny("no")
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a?optional=true}${mem:no}", "BAL_CONFIG_VAR_API_KEY": "CANARY-key"}
    assert Kind.DENIED in {one.kind for one in problems(Vaulted, environ, providers={"mem": memory})}


def test_a_provider_that_ends_its_thread_or_fails_to_close_hangs_and_hides_nothing() -> None:
    class Exits:
        def fetch(self, reference: Reference) -> Reading:
            sys.exit(f"CANARY {reference}")

        def close(self) -> None:
            raise RuntimeError("CANARY of a close")

    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${bad:a}", "BAL_CONFIG_VAR_API_KEY": "${bad:b}"}
    found = problems(Vaulted, environ, providers={"bad": Exits()})
    assert {one.message for one in found} == {
        "bad:a: its provider failed with SystemExit",
        "bad:b: its provider failed with SystemExit",
    }


def test_a_bare_value_that_overrides_a_secret_becomes_one() -> None:
    class Bytes(Settings):
        token: Secret[bytes]

    config = load(Bytes, environ={}, overrides={"token": b"CANARY-bytes"}, redact=False)
    assert config.token.reveal() == b"CANARY-bytes"


def test_a_default_list_is_not_shared_by_two_loads() -> None:
    class Lists(Settings):
        tags: list[str] = []  # noqa: RUF012 a setting, not an attribute of the class

    load(Lists, environ={}, redact=False).tags.append("x")
    assert load(Lists, environ={}, redact=False).tags == []


def test_a_directory_named_like_a_file_is_a_clear_error() -> None:
    Path("Config.toml").mkdir()
    assert "is a directory, not a file" in {one.message for one in problems(App)}


def test_one_path_is_no_list_of_paths() -> None:
    with pytest.raises(UsageError, match="expected a list of paths"):
        load(App, environ={}, files="Config.toml", redact=False)


def test_a_report_comes_back_whole_from_another_process() -> None:
    import pickle  # noqa: PLC0415, TID251 that it survives is what is tested

    with pytest.raises(ConfigError) as caught:
        load(Vaulted, environ={}, redact=False)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 our own bytes
    assert str(again) == str(caught.value)


def test_ten_thousand_unknown_keys_are_reported_in_time() -> None:
    write("".join(f"{'k' * 60}{number:05d} = 1\n" for number in range(9_900)))
    start = time.process_time()
    assert len(problems(App)) > 9_900
    assert time.process_time() - start < 5  # a minute, when each was compared with every setting


# Errors


def test_one_report_holds_every_problem_in_the_order_of_the_declaration() -> None:
    class Three(Settings):
        first: Annotated[int, Ge(1)]
        second: bool
        third: Secret[str]

    write('second = "yes"\nfirst = 0\nthrid = "CANARY"\n')
    found = problems(Three)
    assert [(one.setting, one.kind) for one in found] == [
        ("first", Kind.INVALID),
        ("second", Kind.INVALID),
        ("third", Kind.MISSING),
        ("thrid", Kind.UNKNOWN),
    ]
    assert [one.place for one in found[:2]] == ["Config.toml:2:9", "Config.toml:1:10"]


def test_what_validate_yields_joins_the_report_without_a_secret_in_it() -> None:
    class Pool(Settings):
        low: int = 1
        high: int = 10
        token: Secret[str]

        def validate(self) -> Iterable[tuple[str, str]]:
            if self.low > self.high:
                yield "low", f"must not be above high ({self.token.reveal()})"

    write('low = 20\ntoken = "CANARY-in-a-rule"\n')
    (found,) = problems(Pool)
    assert (found.setting, found.place) == ("low", "Config.toml:1:7")
    assert "must not be above high" in found.message
    assert "CANARY" not in found.message


def test_a_validate_that_raises_is_named_by_the_type_of_its_error_only() -> None:
    class Raises(Settings):
        token: Secret[str]

        def validate(self) -> Iterable[tuple[str, str]]:
            raise ValueError(self.token.reveal())

    (found,) = problems(Raises, {"BAL_CONFIG_VAR_TOKEN": "CANARY-raised"})
    assert "ValueError" in found.message
    assert "CANARY" not in str(found)


def frames(error: BaseException) -> list[str]:
    """Everything that a traceback with locals shows of the library's own frames."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return [
        str(frame.locals) for frame in trace.stack if "wellkept" in frame.filename and "tests" not in frame.filename
    ]


def test_no_frame_context_or_attribute_of_the_error_holds_a_value() -> None:
    write('[db]\npassword = "CANARY-toml"\nport = "CANARY-port"\nhots = "CANARY-unknown"\n')
    with pytest.raises(ConfigError) as caught:
        load(
            App,
            environ={"BAL_CONFIG_VAR_TIMEOUT": "CANARY-env"},
            arguments=["-Cdb.host=CANARY-argument"],
            overrides={"nothing": "CANARY-override"},
            redact=False,
        )
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "CANARY" not in "".join([str(error), repr(error), str(vars(error)), *frames(error)])
    assert len(error.problems) == 4


BAD_FILES: dict[str, Callable[[], object]] = {
    "does not exist": lambda: None,
    "is a FIFO": lambda: os.mkfifo("Config.toml"),
    "circle of symbolic links": lambda: Path("Config.toml").symlink_to("Config.toml"),
    "NUL": lambda: write("port = 1\0"),
    "UTF-8": lambda: Path("Config.toml").write_bytes(b"port = '\xff'"),
    "larger than 1 MiB": lambda: write("#" * (1 << 20) + "\n"),
    "nests": lambda: write("a = " + "[" * 1000 + "]" * 1000),
    "is given again": lambda: write("port = 1\nport = 2\n"),
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_file_that_cannot_be_used_is_a_clear_problem(text: str) -> None:
    class Port(Settings):
        port: int = 1

    BAD_FILES[text]()
    (found,) = problems(Port, files=["Config.toml"])
    assert found.setting.endswith("Config.toml")
    assert found.hint


def test_a_byte_order_mark_and_windows_line_ends_simply_load() -> None:
    class Port(Settings):
        port: int = 1
        host: str = ""

    Path("Config.toml").write_bytes(b'\xef\xbb\xbfport = 2\r\nhost = "h"\r\n')
    config = load(Port, environ={}, redact=False)
    assert (config.port, config.host) == (2, "h")
    assert explain(config)["host"].place == "Config.toml:2:8"


def test_an_empty_secret_is_an_error() -> None:
    found = problems(Vaulted, {"BAL_CONFIG_VAR_DB_PASSWORD": "", "BAL_CONFIG_VAR_API_KEY": "CANARY-key"})
    assert [one.message for one in found] == ["expected a secret that is not empty"]


def test_an_empty_bal_config_data_is_an_error() -> None:
    found = problems(App, {"BAL_CONFIG_DATA": ""})
    assert ("BAL_CONFIG_DATA", "is empty") in [(one.setting, one.message) for one in found]


def test_a_type_that_cannot_be_converted_fails_at_the_declaration() -> None:
    class Odd(Settings):
        what: complex

    with pytest.raises(DeclarationError, match=r"Odd\.what"):
        load(Odd, environ={}, redact=False)


# What a load leaves


@dataclass(frozen=True)
class Peer:
    host: str
    port: int = 1


def test_dataclasses_come_whole_and_keyed_lists_must_differ() -> None:
    class Peers(Settings):
        peers: list[Peer] = setting(key="host")

    write('peers = [{host = "a"}, {host = "b", port = 2}]\n')
    assert load(Peers, environ={}, redact=False).peers == [Peer("a"), Peer("b", 2)]
    write('peers = [{host = "CANARY"}, {host = "CANARY"}]\n')
    (found,) = problems(Peers)
    assert "CANARY" not in str(found)


def test_explain_says_each_layers_word_and_needs_a_loaded_configuration() -> None:
    write("timeout = '5s'\n[db]\npassword = 'CANARY-explained'\n")
    config = load(App, environ={"BAL_CONFIG_VAR_TIMEOUT": "6s"}, redact=False)
    lines = str(explain(config)["timeout"]).splitlines()
    assert lines == [
        "timeout: timedelta",
        "  winner    env BAL_CONFIG_VAR_TIMEOUT: a value",
        "  shadowed  Config.toml:1:11: a value",
        "  shadowed  default",
    ]
    with pytest.raises(UsageError, match="was not made by load"):
        explain(Database(password=Secret("CANARY-by-hand")))


def test_a_problem_inside_a_value_belongs_to_its_setting() -> None:
    class Nested(Settings):
        login: Secret[Login]
        port: int = 1

    environ = {"BAL_CONFIG_VAR_LOGIN": '{"username": "CANARY-user"}', "BAL_CONFIG_VAR_PORT": "x"}
    assert [one.setting for one in problems(Nested, environ)] == ["login.password", "port"]
    attempt = attempt_load(Nested, inputs_of(environ, []), providers={}, redact=False)
    assert [one.setting for one in attempt.explanation()["login"].problems] == ["login.password"]


def test_closing_lets_go_of_sources_and_may_be_done_twice() -> None:
    class Closing(MemorySource):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    memory: Source = Closing({"a": "CANARY-close"})
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a}", "BAL_CONFIG_VAR_API_KEY": "${mem:a}"}
    config = load(Vaulted, environ=environ, providers={"mem": memory}, redact=False)
    close(config)
    close(config)
    assert getattr(memory, "closed", None) == 1
    assert config.db_password.reveal() == "CANARY-close"


def test_a_root_load_masks_and_closing_the_last_one_takes_it_off() -> None:
    before = (logging.Handler.format, sys.excepthook, sys.stderr)
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "CANARY-masked-in-log", "BAL_CONFIG_VAR_API_KEY": "CANARY-key-in-log"}
    first = load(Vaulted, environ=environ)
    second = load(Vaulted, environ=environ)
    record = logging.LogRecord("x", logging.INFO, "", 0, "login %s", ("CANARY-masked-in-log",), None)
    assert logging.Handler().format(record) == "login <secret db_password>"
    close(first)
    assert logging.Handler().format(record) == "login <secret db_password>"
    close(second)
    assert (logging.Handler.format, sys.excepthook, sys.stderr) == before


def test_neither_a_namespace_nor_redact_false_patches_anything() -> None:
    class Named(Settings, namespace="acme.named"):
        port: int = 1

    before = (logging.Handler.format, sys.excepthook, sys.stderr)
    load(Named, environ={})
    load(App, environ={}, overrides={"db.password": "CANARY-no-patch"}, redact=False)
    assert (logging.Handler.format, sys.excepthook, sys.stderr) == before


def test_a_load_that_fails_takes_its_masking_off_again() -> None:
    before = (logging.Handler.format, sys.excepthook, sys.stderr)
    with pytest.raises(ConfigError):
        load(Vaulted, environ={})
    assert (logging.Handler.format, sys.excepthook, sys.stderr) == before


def test_a_load_that_dies_of_something_else_takes_its_masking_off_too() -> None:
    class Dies(Settings):
        port: int = setting(default_factory=lambda: 1 // 0)

    before = (logging.Handler.format, sys.excepthook, sys.stderr)
    with pytest.raises(ZeroDivisionError):
        load(Dies, environ={})
    assert (logging.Handler.format, sys.excepthook, sys.stderr) == before


def test_the_secrets_of_a_list_are_refused_as_an_argument_too() -> None:
    class Keys(Settings):
        keys: list[Secret[str]]
        more: dict[str, Secret[str]]

    found = problems(Keys, arguments=['-Ckeys=["CANARY-in-a-list"]', "-Cmore={}"])
    assert [one.message[:11] for one in found] == ["is a secret", "is a secret"]


def test_each_answer_of_a_source_is_an_event_without_a_value() -> None:
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${mem:a}", "BAL_CONFIG_VAR_API_KEY": "CANARY-key"}
    load(Vaulted, environ=environ, providers={"mem": MemorySource({"a": "CANARY-event"})}, redact=False)
    stop()
    assert [(one.subject, one.detail) for one in events if one.topic is Topic.RESOLVED] == [
        ("db_password", "memory a v1")
    ]


def test_a_configuration_is_frozen_and_formats_no_secret() -> None:
    config = load(App, environ={}, overrides={"db.password": "CANARY-frozen"}, redact=False)
    with pytest.raises(AttributeError, match="settings do not change"):
        config.timeout = timedelta(1)  # type: ignore[misc]  # that is what is tested
    with pytest.raises(SecretLeak, match="is a secret, not text"):
        f"{config.db.password}"
    assert "CANARY" not in repr(config)

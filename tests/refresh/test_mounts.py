"""Mounted Secrets and files that change under a running process: the last value wins, and nothing is ever torn."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from tests.refresh.programs.run import Fact, Running, running
from tests.servers.kubelet import Mount
from tests.servers.process import wait_until
from wellkept import Secret, Settings, close, load, status
from wellkept.errors import Absent
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reference
from wellkept.providers.local.file import FileSource
from wellkept.refresh.status import SecretStatus
from wellkept.secret import State

pytestmark = pytest.mark.timeout(180)

TTL = "ttl=200ms"
PATIENCE_S = 30.0
GONE_S = 36.0  # what is gone is asked for again every 30 s ± 20 %
READS = 40_000
LEAST_SEEN = 5
TICK_S = 0.02  # before Linux 6.13 the times of files move on once in 1 to 10 ms

C = TypeVar("C", bound=Settings)


class Login(Settings):
    username: str
    password: str


class One(Settings):
    db_password: Secret[str]


class Two(Settings):
    db_password: Secret[str]
    api_key: Secret[str]


class Whole(Settings):
    login: Secret[Login]


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "mount")


@contextmanager
def live(cls: type[C], *, files: Sequence[Path] = (), **references: object) -> Generator[C]:
    """Settings that are followed, and closed at the end."""
    environ = {f"BAL_CONFIG_VAR_{name.upper()}": f"${{file:{path}?{TTL}}}" for name, path in references.items()}
    config = load(cls, files=list(files), environ=environ, redact=False)
    try:
        yield config
    finally:
        close(config)


@contextmanager
def heard() -> Generator[list[Event]]:
    """All events meanwhile."""
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    try:
        yield events
    finally:
        stop()


def holds(secret: Secret[str], value: str) -> Callable[[], bool]:
    return lambda: secret.reveal() == value


def wait_value(secret: Secret[str], value: str) -> None:
    wait_until(holds(secret, value), "the new value is there", timeout_s=PATIENCE_S)


def refresh_to(secret: Secret[str], value: str) -> None:
    """Ask until it is there: an answer that has just come is good enough for `refresh`."""
    wait_until(lambda: secret.refresh() and secret.reveal() == value, "it is asked for", timeout_s=PATIENCE_S)


def wait_state(secret: Secret[str] | Secret[Login], state: State) -> None:
    wait_until(lambda: secret.state is state, f"it is {state}", timeout_s=PATIENCE_S)


def standing(name: str) -> SecretStatus:
    return next(one for one in status().secrets if one.name == name)


def publish_login(mount: Mount, number: int) -> None:
    mount.publish(username=f"app-{number}", password=f"CANARY-{number}")


def number_of(login: Login) -> str:
    """The number of a pair, which both halves have."""
    first, second = login.username.removeprefix("app-"), login.password.removeprefix("CANARY-")
    assert first == second, "it is torn"
    return first


# Swaps


def test_swaps_in_a_row_that_are_slower_than_the_interval_are_each_seen_in_a_mounted_layer(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-0")
    with live(One, files=[mount.folder]) as config:
        for number in range(1, 5):
            mount.publish(dbPassword=f"CANARY-{number}")
            wait_value(config.db_password, f"CANARY-{number}")


def test_swaps_in_a_row_that_are_slower_than_the_interval_are_each_seen_in_a_key(mount: Mount) -> None:
    mount.publish(password="CANARY-0")
    with live(One, db_password=mount.folder / "password") as config:
        for number in range(1, 7):
            mount.publish(password=f"CANARY-{number}")
            wait_value(config.db_password, f"CANARY-{number}")


def test_swaps_in_a_row_that_are_slower_than_the_interval_are_each_seen_in_a_whole_mount(mount: Mount) -> None:
    publish_login(mount, 0)
    with live(Whole, login=mount.folder) as config:
        for number in range(1, 7):
            publish_login(mount, number)
            wanted = str(number)
            wait_until(lambda wanted=wanted: number_of(config.login.reveal()) == wanted, "it is seen")  # type: ignore[misc]  # bound now


@pytest.mark.parametrize("swaps", [3, 10, 200])
def test_of_swaps_that_are_faster_than_the_interval_the_last_one_wins(swaps: int, mount: Mount) -> None:
    mount.publish(password="CANARY-0", username="app-0")
    with live(One, db_password=mount.folder / "password") as one, live(Whole, login=mount.folder) as whole:
        for number in range(1, swaps + 1):
            publish_login(mount, number)
        wait_value(one.db_password, f"CANARY-{swaps}")
        wait_until(lambda: number_of(whole.login.reveal()) == str(swaps), "it is seen", timeout_s=PATIENCE_S)


def test_a_pair_from_a_whole_mount_is_never_torn(mount: Mount) -> None:
    publish_login(mount, 0)
    seen, last = set[str](), 0
    with live(Whole, login=mount.folder) as config:
        begun = time.monotonic()
        while time.monotonic() < begun + 4.0 or len(seen) <= LEAST_SEEN:  # until it really has followed meanwhile
            assert time.monotonic() < begun + PATIENCE_S, f"only {len(seen)} of {last} pairs are seen"
            last += 1
            publish_login(mount, last)
            seen.add(number_of(config.login.reveal()))
        wait_until(lambda: number_of(config.login.reveal()) == str(last), "it is seen", timeout_s=PATIENCE_S)


def test_two_settings_of_one_mount_come_to_a_new_version_one_after_the_other(mount: Mount) -> None:
    """Each is atomic by itself; who needs both at one moment declares one `Secret[Login]`."""
    mount.publish(dbPassword="CANARY-1", apiKey="CANARY-1")
    with live(Two, db_password=mount.folder / "dbPassword", api_key=mount.folder / "apiKey") as config:
        pairs: list[list[str]] = []

        def note(event: Event) -> None:
            if event.topic is Topic.CHANGED:
                pairs.append(sorted([config.db_password.reveal(), config.api_key.reveal()]))

        stop = BUS.subscribe(note)
        mount.publish(dbPassword="CANARY-2", apiKey="CANARY-2")
        wait_until(lambda: len(pairs) == 2, "both are there", timeout_s=PATIENCE_S)
        stop()
    assert pairs == [["CANARY-1", "CANARY-2"], ["CANARY-2", "CANARY-2"]]


def test_a_key_of_a_mount_is_never_absent_while_the_mount_is_swapped(mount: Mount) -> None:
    """For what is absent is not asked for again within half a minute."""
    publish_login(mount, 0)
    key = Reference("file", (*mount.folder.parts[1:], "password"), is_absolute=True)
    source, stop, absent = FileSource(), threading.Event(), 0

    def swap() -> None:
        while not stop.is_set():
            publish_login(mount, mount.versions)

    writer = threading.Thread(target=swap)
    writer.start()
    for _ in range(READS):
        absent += isinstance(source.fetch_many([key])[0], Absent)
    stop.set()
    writer.join()
    assert mount.versions > 100  # it really was swapped under the reader
    assert absent == 0


# What goes away, and comes back


def test_a_key_that_vanishes_is_gone_and_served_on_and_comes_back_by_itself(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-1", other="x")
    with live(One, db_password=mount.folder / "dbPassword") as config, heard() as events:
        mount.publish(other="x")
        wait_state(config.db_password, State.GONE)
        assert config.db_password.reveal() == "CANARY-1"
        assert standing("db_password").failure == "absent"
        mount.publish(dbPassword="CANARY-2", other="x")
        wait_until(holds(config.db_password, "CANARY-2"), "it is back", timeout_s=GONE_S + PATIENCE_S)
        assert config.db_password.state is State.FRESH
        wait_until(lambda: any(event.topic is Topic.RECOVERED for event in events), "it is told")
    assert [event.topic for event in events if event.topic in {Topic.GONE, Topic.CHANGED, Topic.RECOVERED}] == [
        Topic.GONE,
        Topic.CHANGED,
        Topic.RECOVERED,
    ]


def test_a_key_that_vanishes_from_a_mounted_layer_is_gone_and_served_on(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-1", apiKey="CANARY-key")
    with live(Two, files=[mount.folder]) as config:
        mount.publish(apiKey="CANARY-key-2")
        wait_state(config.db_password, State.GONE)
        wait_value(config.api_key, "CANARY-key-2")
        assert config.db_password.reveal() == "CANARY-1"
        mount.publish(dbPassword="CANARY-2", apiKey="CANARY-key-2")
        refresh_to(config.db_password, "CANARY-2")
        assert config.db_password.state is State.FRESH


def test_a_key_of_a_mount_that_is_unmounted_is_served_on_and_comes_back(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-1")
    with live(One, db_password=mount.folder / "dbPassword") as config:
        mount.unmount()
        wait_state(config.db_password, State.GONE)
        assert not config.db_password.refresh()
        assert config.db_password.reveal() == "CANARY-1"
        mount.publish(dbPassword="CANARY-2")
        refresh_to(config.db_password, "CANARY-2")


def test_a_whole_mount_that_is_unmounted_is_served_on_and_comes_back(mount: Mount) -> None:
    """An empty directory is an answer, with no use: the last good pair stays, and each look looks for another."""
    publish_login(mount, 1)
    with live(Whole, login=mount.folder) as config, heard() as events:
        mount.unmount()
        wait_state(config.login, State.STALE)
        assert number_of(config.login.reveal()) == "1"
        publish_login(mount, 2)
        wait_until(lambda: number_of(config.login.reveal()) == "2", "it is back", timeout_s=PATIENCE_S)
        wait_state(config.login, State.FRESH)
    assert [event.topic for event in events].count(Topic.STALE) == 1


def test_a_whole_mount_whose_folder_is_gone_is_gone_and_another_in_its_place_is_read(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "mount")
    publish_login(mount, 1)
    with live(Whole, login=mount.folder) as config:
        mount.folder.rename(tmp_path / "mount-old")
        wait_state(config.login, State.GONE)
        assert number_of(config.login.reveal()) == "1"
        publish_login(Mount(tmp_path / "mount"), 2)
        wait_until(lambda: config.login.refresh() and number_of(config.login.reveal()) == "2", "it is asked for")


def test_a_pair_without_one_half_is_not_taken(mount: Mount) -> None:
    publish_login(mount, 1)
    with live(Whole, login=mount.folder) as config:
        mount.publish(username="app-2")
        wait_state(config.login, State.STALE)
        assert number_of(config.login.reveal()) == "1"
        publish_login(mount, 3)
        wait_until(lambda: number_of(config.login.reveal()) == "3", "it is back", timeout_s=PATIENCE_S)


# Files that are no mounts


def by_rename(file: Path, value: str) -> None:
    beside = file.with_name("beside.secret")
    beside.write_text(value, encoding="utf-8")
    beside.rename(file)


def in_place(file: Path, value: str) -> None:
    with file.open("r+", encoding="utf-8") as opened:
        opened.write(value)
        opened.truncate()


def by_link(file: Path, value: str) -> None:
    other = file.with_name(f"{value[-1]}.secret")
    other.write_text(value, encoding="utf-8")
    link = file.with_name("link.secret")
    link.symlink_to(other)
    link.rename(file)


def by_removal(file: Path, value: str) -> None:
    """As some editors do; where it is caught in between, the value is gone for a while, and served on."""
    file.unlink()
    file.write_text(value, encoding="utf-8")


@pytest.mark.parametrize("write", [by_rename, in_place, by_link])
def test_a_file_is_followed_however_it_is_written(write: Callable[[Path, str], None], tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    with live(One, db_password=file) as config:
        for number in range(2, 7):
            time.sleep(TICK_S)  # what is written twice within one tick has one and the same time
            write(file, f"CANARY-{number}")
            wait_value(config.db_password, f"CANARY-{number}")


def test_a_file_that_is_removed_and_written_is_followed_after_a_while(tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    with live(One, db_password=file) as config:
        by_removal(file, "CANARY-2")
        wait_until(holds(config.db_password, "CANARY-2"), "it is seen", timeout_s=GONE_S + PATIENCE_S)


def test_a_file_whose_size_and_time_are_the_same_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    before = file.stat()
    with live(One, db_password=file) as config:
        in_place(file, "CANARY-2")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        wait_value(config.db_password, "CANARY-2")


def test_a_file_that_is_emptied_before_it_is_written_never_makes_an_empty_secret(tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    with live(One, db_password=file) as config, heard() as events, file.open("w", encoding="utf-8") as opened:
        wait_state(config.db_password, State.STALE)
        assert config.db_password.reveal() == "CANARY-1"
        opened.write("CANARY-2")
        opened.flush()
        wait_value(config.db_password, "CANARY-2")
        wait_state(config.db_password, State.FRESH)
    assert "db_password" in {event.subject for event in events if event.topic is Topic.STALE}


def test_a_file_that_is_written_in_two_parts_is_seen_in_two_parts(tmp_path: Path) -> None:
    """Nothing says that more will come: whoever writes a file writes another beside it and renames that."""
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    with live(One, db_password=file) as config, file.open("w", encoding="utf-8") as opened:
        for part, seen in (("CANARY-", "CANARY-"), ("2", "CANARY-2")):
            opened.write(part)
            opened.flush()
            wait_value(config.db_password, seen)


# What this user may not do


def without_power(missing: Callable[[str], NoReturn]) -> Sequence[str]:
    """What runs a program as somebody to whom modes of files apply."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        missing("setpriv: root reads every file")
    return (setpriv, "--bounding-set", "-dac_override,-dac_read_search")


def wait_gone(program: Running) -> Fact:
    """What it says of the secret when that is gone."""
    wait_until(
        lambda: any(fact["state"] == "gone" for fact in program.told("state")), "it is gone", timeout_s=PATIENCE_S
    )
    return next(fact for fact in program.told("state") if fact["state"] == "gone")


def test_a_file_that_may_not_be_read_any_more_is_denied_and_served_on(
    tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    file = tmp_path / "db.secret"
    file.write_text("CANARY-1", encoding="utf-8")
    with running("standing", file, errors=tmp_path / "errors", by=without_power(missing)) as program:
        program.wait_told("state")
        file.chmod(0)
        fact = wait_gone(program)
        assert (fact["number"], fact["state"], fact["failure"]) == (1, "gone", "denied")
        file.chmod(0o600)
        file.write_text("CANARY-2", encoding="utf-8")
        program.end_stdin()
        assert program.wait() == 0
        assert program.told("at_the_end")[0]["at_the_end"] == 2
        assert program.errors == ""


def test_a_folder_that_may_not_be_searched_any_more_is_denied_too(
    tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "db").write_text("CANARY-1", encoding="utf-8")
    with running("standing", folder / "db", errors=tmp_path / "errors", by=without_power(missing)) as program:
        program.wait_told("state")
        folder.chmod(0)
        try:
            fact = wait_gone(program)
        finally:
            folder.chmod(0o700)
        assert (fact["number"], fact["state"], fact["failure"]) == (1, "gone", "denied")


# subPath


def test_a_file_that_is_mounted_by_itself_stays_what_it_is_and_explain_says_so(
    tmp_path: Path, mount: Mount, missing: Callable[[str], NoReturn]
) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing("root and unshare, to mount a file by itself")
    mount.publish(dbPassword="CANARY-1")
    target = tmp_path / "db.secret"
    target.touch(mode=0o600)
    script = f'mount --bind "{mount.folder}/dbPassword" "{target}" && exec "$0" "$@"'
    by = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
    with running("standing", target, errors=tmp_path / "errors", by=by) as program:
        wait_until(
            lambda: bool(program.told("state")) or program.process.poll() is not None, "it is mounted", timeout_s=60
        )
        if program.process.poll() is not None:
            missing("a machine that allows a mount of its own")
        assert program.told("never_updated")[0]["never_updated"]
        mount.publish(dbPassword="CANARY-2")
        mount.publish(dbPassword="CANARY-3")
        program.end_stdin()  # it asks once more
        assert program.wait() == 0
        assert program.told("at_the_end")[0]["at_the_end"] == 1

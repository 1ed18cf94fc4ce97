"""watch(): new settings when a layer changes, word of secrets that changed, the last good when it cannot be."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.process import wait_until
from wellkept import ConfigError, Secret, Settings, status, watch
from wellkept.events import BUS, Event, Topic
from wellkept.runtime.watching import Watch

pytestmark = pytest.mark.timeout(180)

LONG_S = 30.0


class Config(Settings):
    api_key: Secret[str]
    port: int = 80


def write(path: Path, text: str) -> None:
    """Replace a file at once, as an editor does."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)


def config_text(port: object) -> str:
    return f'apiKey = "${{file:key.secret?ttl=200ms}}"\nport = {port}\n'


@contextmanager
def watched(folder: Path) -> Iterator[Watch[Config]]:
    write(folder / "key.secret", "CANARY-one")
    write(folder / "Config.toml", config_text(1))
    with watch(Config, files=[folder / "Config.toml"], environ={}, redact=False) as live:
        yield live


@pytest.fixture
def events() -> Iterator[list[Event]]:
    told: list[Event] = []
    stop = BUS.subscribe(told.append)
    yield told
    stop()


@contextmanager
def once(topic: Topic, do: Callable[[], None]) -> Iterator[None]:
    """Do something in the midst of the first event of a topic."""
    told: list[Event] = []

    def hear(event: Event) -> None:
        if event.topic is topic and not told:
            told.append(event)
            do()

    stop = BUS.subscribe(hear)
    try:
        yield
    finally:
        stop()
    assert told, f"{topic} is not told of"


def test_it_begins_with_what_load_gives(tmp_path: Path) -> None:
    with watched(tmp_path) as live:
        assert (live.config.port, live.config.api_key.reveal()) == (1, "CANARY-one")
        assert live.next(timeout=0) is None


def test_it_raises_what_load_raises(tmp_path: Path) -> None:
    write(tmp_path / "Config.toml", 'port = "none"\n')
    with pytest.raises(ConfigError, match="2 problems"):
        watch(Config, files=[tmp_path / "Config.toml"], environ={}, redact=False)


def test_a_secret_that_changed_is_a_change_of_the_same_settings(tmp_path: Path) -> None:
    with watched(tmp_path) as live:
        first = live.config
        write(tmp_path / "key.secret", "CANARY-two")
        change = live.next(LONG_S)
        assert change is not None
        assert (change.config, change.settings) == (first, ("api_key",))
        assert change.config is first
        assert first.api_key.reveal() == "CANARY-two"


def test_a_layer_that_changed_is_whole_new_settings(tmp_path: Path) -> None:
    with watched(tmp_path) as live:
        first = live.config
        write(tmp_path / "Config.toml", config_text(2))
        change = live.next(LONG_S)
        assert change is not None
        assert change.settings == ("port",)
        assert (change.config.port, first.port) == (2, 1)
        assert change.config is live.config
        write(tmp_path / "key.secret", "CANARY-three")  # the new settings are alive, too
        change = live.next(LONG_S)
        assert change is not None
        assert change.config.api_key.reveal() == "CANARY-three"


def test_what_cannot_be_loaded_leaves_the_settings_of_before_in_force(tmp_path: Path, events: list[Event]) -> None:
    file = tmp_path / "Config.toml"
    with watched(tmp_path) as live, once(Topic.RELOAD_FAILED, lambda: write(file, config_text(3))):
        write(file, config_text('"none"'))
        change = live.next(LONG_S)
        assert change is not None
        assert change.config.port == 3
    failed = [one for one in events if one.topic is Topic.RELOAD_FAILED]
    assert [one.subject for one in failed] == ["Config"]
    assert "port: expected a whole number" in failed[0].detail
    assert "the settings of before stay" in failed[0].detail


def test_a_file_that_says_the_same_in_other_words_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    # What it has loaded, and has no need of, is closed.
    with watched(tmp_path) as live, once(Topic.CLOSED, lambda: write(file, config_text(4))):
        first = live.config
        write(file, "# a comment\n" + config_text(1))
        change = live.next(LONG_S)
        assert change is not None
        assert (change.settings, change.config.port, first.port) == (("port",), 4, 1)


def test_a_secret_that_changes_while_the_settings_of_before_are_closed_is_told(tmp_path: Path) -> None:
    file, key = tmp_path / "Config.toml", tmp_path / "key.secret"

    def rotate() -> None:
        write(key, "CANARY-two")
        wait_until(lambda: any(one.version == "2" for one in status().secrets), "it is seen", timeout_s=LONG_S)

    with watched(tmp_path) as live, once(Topic.CLOSED, rotate):
        write(file, config_text(2))
        told: set[str] = set()
        while told != {"port", "api_key"}:
            change = live.next(LONG_S)
            assert change is not None, told
            told.update(change.settings)
        assert live.config.api_key.reveal() == "CANARY-two"


def test_an_event_loop_that_is_closed_while_somebody_waits_in_it_hurts_nobody(tmp_path: Path) -> None:
    told: list[Event] = []
    stop = BUS.subscribe(told.append)
    with watched(tmp_path) as live:
        loop = asyncio.new_event_loop()
        waiting = loop.create_task(live.__anext__())
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
        write(tmp_path / "key.secret", "CANARY-two")
        change = live.next(LONG_S)
        assert change is not None
        assert change.settings == ("api_key",)
        setattr(waiting, "_log_destroy_pending", False)  # noqa: B010 its loop is gone, and asyncio says so in a log
    stop()
    assert [one for one in told if one.topic is Topic.WARNING] == []


def test_a_mount_that_is_swapped_is_a_change_of_plain_settings(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    for number in (1, 2):
        version = mount / f"..{number}"
        version.mkdir(parents=True)
        for name, text in {"apiKey": f"CANARY-{number}", "port": str(number)}.items():
            (version / name).write_text(text, encoding="utf-8")
            (version / name).chmod(0o600)
    for name in ("apiKey", "port"):
        (mount / name).symlink_to(f"..data/{name}")
    (mount / "..data").symlink_to("..1")
    with watch(Config, files=[mount], environ={}, redact=False) as live:
        assert live.config.port == 1
        (mount / "..data_tmp").symlink_to("..2")
        (mount / "..data_tmp").replace(mount / "..data")
        seen: set[str] = set()
        while "port" not in seen:  # the handle may follow before everything is loaded anew
            change = live.next(LONG_S)
            assert change is not None
            seen.update(change.settings)
        assert (live.config.port, live.config.api_key.reveal()) == (2, "CANARY-2")


def test_iterating_ends_when_it_is_closed(tmp_path: Path) -> None:
    with watched(tmp_path) as live:
        seen: list[tuple[str, ...]] = []
        reader = threading.Thread(target=lambda: seen.extend(change.settings for change in live))
        reader.start()
        write(tmp_path / "key.secret", "CANARY-two")
        assert live.config.api_key.wait_newer(None, LONG_S)
    reader.join(LONG_S)
    assert not reader.is_alive()
    assert seen in ([("api_key",)], [])  # it may be closed before the word has got through


def test_an_event_loop_goes_on_while_it_waits(tmp_path: Path) -> None:
    async def main() -> tuple[int, tuple[str, ...]]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                if ticks == 3:  # not before: it waits for something that has not happened yet
                    write(tmp_path / "key.secret", "CANARY-two")
                await asyncio.sleep(0.01)

        with watched(tmp_path) as live:
            ticking = asyncio.create_task(tick())
            async for change in live:
                ticking.cancel()
                return ticks, change.settings
        raise AssertionError

    ticks, settings = asyncio.run(asyncio.wait_for(main(), LONG_S))
    assert settings == ("api_key",)
    assert ticks >= 3


def test_an_async_reader_can_be_cancelled_and_another_one_goes_on(tmp_path: Path) -> None:
    async def main() -> tuple[str, ...]:
        with watched(tmp_path) as live:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(live)), 0.05)
            write(tmp_path / "key.secret", "CANARY-two")
            return (await anext(aiter(live))).settings

    assert asyncio.run(asyncio.wait_for(main(), LONG_S)) == ("api_key",)


def test_async_iterating_ends_when_it_is_closed(tmp_path: Path) -> None:
    async def main() -> list[object]:
        with watched(tmp_path) as live:
            asyncio.get_running_loop().call_later(0.1, live.close)
            return [change async for change in live]

    assert asyncio.run(asyncio.wait_for(main(), LONG_S)) == []


def test_what_it_has_replaced_is_not_kept(tmp_path: Path) -> None:
    with watched(tmp_path) as live:
        alive = {id(live.config)}
        for port in (2, 3):
            write(tmp_path / "Config.toml", config_text(port))
            change = live.next(LONG_S)
            assert change is not None
            del change
        gc.collect()
        settings = [one for one in gc.get_objects() if type(one) is Config]
        assert [one.port for one in settings] == [3]
        assert alive


class Optional(Settings):
    host: str


def test_a_target_that_need_not_be_there_wins_when_it_appears_and_lets_go_when_it_vanishes(tmp_path: Path) -> None:
    for name, text in {
        "One.toml": 'host = "${file:host.txt?optional=true&ttl=200ms}"\n',
        "Two.toml": 'host = "usual"\n',
    }.items():
        write(tmp_path / name, text)
    with watch(Optional, files=[tmp_path / "One.toml", tmp_path / "Two.toml"], environ={}, redact=False) as live:
        assert live.config.host == "usual"
        write(tmp_path / "host.txt", "special")
        change = live.next(2 * LONG_S)  # what is not there is asked for every 30 s
        assert change is not None
        assert change.config.host == "special"
        (tmp_path / "host.txt").unlink()
        change = live.next(LONG_S)
        assert change is not None
        assert change.config.host == "usual"

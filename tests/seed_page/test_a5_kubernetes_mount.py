"""Config.toml and a directory, mounted from a Secret: kubelet's swap, and the subPath trap."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from wellkept import ConfigError, Secret, Settings, close, explain, load
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading, Reference
from wellkept.providers.local.file import FileSource

READS = 100_000


class App(Settings):
    """The page's two configurables."""

    db_password: Secret[str]
    api_key: Secret[str]


class Mount:
    """A Secret volume, swapped as kubelet's AtomicWriter swaps it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = 0
        folder.mkdir()

    def publish(self, **values: str) -> None:
        """Write a new version, then let `..data` point to it in one rename."""
        self.generation += 1
        version = self.folder / f"..{self.generation:09d}"
        version.mkdir()
        for name, value in values.items():
            (version / name).write_text(value, encoding="utf-8")
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        current = self.folder / "..data"
        old = current.resolve() if current.is_symlink() else None
        (self.folder / "..data_tmp").symlink_to(version.name)
        (self.folder / "..data_tmp").rename(current)
        if old is not None:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()


@contextmanager
def swapping(mount: Mount, *names: str) -> Generator[None]:
    """Publish version after version under the reader; all files of one hold the same number."""
    mount.publish(**dict.fromkeys(names, "0"))
    stop = threading.Event()

    def swap() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            mount.publish(**dict.fromkeys(names, str(number)))

    writer = threading.Thread(target=swap)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "mount")


def test_a_mounted_config_toml_is_read(mount: Mount) -> None:
    mount.publish(**{"Config.toml": 'dbPassword = "CANARY-mounted-pw"\napiKey = "CANARY-key"\n'})
    (mount.folder / "Config.toml").resolve().chmod(0o600)
    config = load(App, environ={}, files=[mount.folder / "Config.toml"], redact=False)
    assert config.db_password.reveal() == "CANARY-mounted-pw"


def test_a_mounted_directory_gives_one_setting_a_file_and_loses_one_final_newline(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-first\n\n", apiKey="CANARY-key")
    for file in mount.folder.glob("..0*/*"):
        file.chmod(0o600)
    config = load(App, environ={"BAL_CONFIG_FILES": str(mount.folder)}, redact=False)
    assert config.db_password.reveal() == "CANARY-first\n"
    assert "one final newline stripped" in str(explain(config)["db_password"])


def test_a_swap_of_the_mount_gives_the_new_values(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-first", apiKey="CANARY-key-1")
    environ = {"BAL_CONFIG_FILES": str(mount.folder)}
    with pytest.warns(UserWarning, match="can be read by other users"):
        first = load(App, environ=environ, redact=False)
    for generation in ("second", "third", "fourth"):
        mount.publish(dbPassword=f"CANARY-{generation}", apiKey=f"CANARY-key-{generation}")
        with pytest.warns(UserWarning, match="can be read by other users"):
            latest = load(App, environ=environ, redact=False)
        assert latest.db_password.reveal() == f"CANARY-{generation}"
        close(latest)
    deadline = time.monotonic() + 30
    while first.db_password.reveal() != "CANARY-fourth" and time.monotonic() < deadline:  # the first one follows
        first.db_password.wait_newer(first.db_password.version, 0.5)
    assert first.db_password.reveal() == "CANARY-fourth"
    close(first)


@pytest.mark.timeout(240)
def test_two_keys_of_one_mount_are_never_torn(mount: Mount) -> None:
    source, torn, versions = FileSource(), 0, set[object]()
    path = tuple(mount.folder.parts[1:])
    both = [Reference("file", (*path, name), is_absolute=True) for name in ("cert", "key")]
    with swapping(mount, "cert", "key"):
        for _ in range(READS):
            cert, key = source.fetch_many(both)
            assert isinstance(cert, Reading)
            assert isinstance(key, Reading)
            torn += cert.value != key.value
            versions.add(cert.value)
    assert torn == 0
    assert len(versions) > 100  # the mount really was swapped under the reader


def test_a_key_of_a_mount_and_a_file_of_it_come_from_one_version(mount: Mount) -> None:
    path = tuple(mount.folder.parts[1:])
    whole = Reference("file", path, is_absolute=True)
    one = Reference("file", (*path, "cert"), is_absolute=True)
    torn = 0
    with swapping(mount, "cert", "key"):
        for _ in range(3_000):
            answer, cert = FileSource().fetch_many([whole, one])
            assert isinstance(answer, Reading)
            assert isinstance(cert, Reading)
            assert isinstance(answer.value, dict)
            torn += answer.value["key"] != cert.value
    assert torn == 0


def test_an_unknown_file_in_a_mount_is_an_event(mount: Mount) -> None:
    mount.publish(dbPassword="CANARY-pw-1234", apiKey="CANARY-key", unrelated="x")
    for file in mount.folder.glob("..0*/*"):
        file.chmod(0o600)
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    load(App, environ={}, files=[mount.folder], redact=False)
    stop()
    assert [(event.topic, event.subject.endswith("unrelated")) for event in events if event.topic is Topic.UNKNOWN_FILE]


def test_a_misspelt_file_in_a_mount_is_an_error(mount: Mount) -> None:
    mount.publish(dbPasword="CANARY-pw-1234", apiKey="CANARY-key")
    with pytest.raises(ConfigError, match=r"did you mean dbPassword\?"):
        load(App, environ={}, files=[mount.folder], redact=False)


def test_a_subpath_mount_is_said_to_be_never_updated(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing("root and unshare, to mount a file by itself")
    source, target = tmp_path / "secrets-volume", tmp_path / "app"
    source.mkdir()
    target.mkdir()
    for folder in (source, target):
        (folder / "Config.toml").touch(mode=0o600)
    (source / "Config.toml").write_text('dbPassword = "CANARY-sub-pw"\napiKey = "CANARY-key"\n', encoding="utf-8")
    script = (
        "import sys, wellkept\n"
        "class App(wellkept.Settings):\n"
        "    db_password: wellkept.Secret[str]\n"
        "    api_key: wellkept.Secret[str]\n"
        "print(wellkept.explain(wellkept.load(App, environ={}, files=[sys.argv[1]])))\n"
    )
    file = target / "Config.toml"
    command = f'mount --bind "{source}/Config.toml" "{file}" && exec "{sys.executable}" -c "$0" "{file}"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command, script], capture_output=True, text=True, check=False, timeout=30
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        missing("a machine that allows a mount of its own")
    assert "never updated" in done.stdout

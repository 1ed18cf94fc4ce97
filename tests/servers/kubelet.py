"""A mounted Secret volume, changed as kubelet's AtomicWriter changes it: all keys of a version at once."""

import os
from pathlib import Path
from typing import Final

_CURRENT: Final = "..data"
_NEXT: Final = "..data_tmp"


class Mount:
    """A Secret volume.

    The steps and their order are those of `AtomicWriter.Write` in kubelet (pkg/volume/util/atomic_writer.go): a new
    directory with all keys, one rename of `..data` that leads to it, then links for new keys, then away with the
    links of keys that are gone, and at last with the old directory.

    Attributes:
        folder: where it is mounted.
        versions: how many were published.
    """

    def __init__(self, folder: Path, *, mode: int = 0o600) -> None:
        """Mount it, empty.

        Args:
            folder: where; it is made.
            mode: of the files: kubelet's own default is 0644, which is a warning for secrets outside of a tmpfs.
        """
        self.folder: Path = folder
        self.versions: int = 0
        self._mode = mode
        folder.mkdir()

    def publish(self, **values: str) -> None:
        """Let these be the keys of the mount, all others are gone."""
        self.versions += 1
        version, current = self.folder / f"..2026_{self.versions:09d}", self.folder / _CURRENT
        old = current.resolve() if current.is_symlink() else None
        version.mkdir()
        for name, value in values.items():
            (version / name).touch(mode=self._mode)
            (version / name).write_text(value, encoding="utf-8")
        (self.folder / _NEXT).symlink_to(version.name)
        (self.folder / _NEXT).rename(current)
        shown = {name for name in os.listdir(self.folder) if not name.startswith("..")}  # noqa: PTH208 names, not paths
        for name in values.keys() - shown:
            (self.folder / name).symlink_to(f"{_CURRENT}/{name}")
        for name in shown - values.keys():
            (self.folder / name).unlink()
        _remove(old)

    def unmount(self) -> None:
        """Leave an empty directory where it was."""
        current = self.folder / _CURRENT
        old = current.resolve()
        for name in os.listdir(self.folder):  # noqa: PTH208 names, not paths
            if (self.folder / name).is_symlink():
                (self.folder / name).unlink()
        _remove(old)


def _remove(version: Path | None) -> None:
    if version is not None:
        for file in version.iterdir():
            file.unlink()
        version.rmdir()

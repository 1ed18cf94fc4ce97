"""What Linux says about its mounts; a system without `/proc/self/mountinfo` has nothing to say."""

import os
from collections.abc import Iterator

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern

MOUNT_TABLE = "/proc/self/mountinfo"

# proc(5): 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
_LINE = pattern(r"\S+ \S+ (\d+):(\d+) \S+ (\S+) .*?- (\S+) ")
_OCTAL = pattern(r"\\([0-7]{3})")  # proc(5): a space in a path is \040


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system.

    Attributes:
        device: what `st_dev` is for its files.
        point: the absolute path where it is mounted.
        filesystem: its type (`tmpfs`).
    """

    device: int
    point: str
    filesystem: str


def parse_mounts(text: str) -> Iterator[Mount]:
    """Read the text of a mount table; a line of another form is left out."""
    for found in map(_LINE.match, text.splitlines()):
        if found is not None:
            point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), found[3])
            yield Mount(os.makedev(int(found[1]), int(found[2])), point, found[4])


def read_mounts(table: str = MOUNT_TABLE) -> list[Mount]:
    """Read the mounts that this process sees; none where there is no such table."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 pathlib would only wrap it
            return list(parse_mounts(file.read()))
    except OSError:
        return []

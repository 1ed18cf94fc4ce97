"""`${file:…}`, asked by itself; the swaps of a mount are in tests/seed_page."""

from pathlib import Path

import pytest

from wellkept.errors import Absent
from wellkept.model import Reference
from wellkept.registry import open_source


def test_a_file_is_fetched_alone_with_each_of_the_answers(tmp_path: Path) -> None:
    source = open_source("file", {})
    (tmp_path / "pw.secret").write_bytes(b"CANARY-alone\r\n")
    base = str(tmp_path)
    reading = source.fetch(Reference("file", ("pw.secret",), base=base))
    assert (reading.value, reading.note) == (b"CANARY-alone", "one final newline stripped")
    with pytest.raises(Absent):
        source.fetch(Reference("file", ("absent",), base=base))
    (tmp_path / "mount").mkdir()
    (tmp_path / "mount" / "a").write_bytes(b"CANARY-a\n")
    assert source.fetch(Reference("file", ("mount",), base=base)).value == {"a": b"CANARY-a"}

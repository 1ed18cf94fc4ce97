"""However a text is edited, the file has exactly the values that were typed, and keeps the words of the others."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from tests.secrets_files import IDENTITY
from wellkept.crypto.change import with_header, with_secret
from wellkept.crypto.edit import Edited, draft_of
from wellkept.crypto.header import new_header, with_access
from wellkept.crypto.opened import Opened
from wellkept.crypto.plaintext import to_literal
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.text import read_text
from wellkept.crypto.typed import read_edited

_BARE, KEY = new_header()
_MADE = with_access(_BARE, KEY, "ada@laptop", IDENTITY.recipient, None)
assert not isinstance(_MADE, Refusal)
HEADER = _MADE

STEPS = st.sampled_from(["a", "bC", "d_e", "f g", "ü"])
PATHS = st.lists(STEPS, min_size=1, max_size=2).map(tuple)
SCALARS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.dates(),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
KEPT = st.dictionaries(PATHS, VALUES, max_size=5).map(
    lambda kept: {
        path: value for path, value in kept.items() if not any(path[:1] == one for one in kept if one != path)
    }
)


def opened(kept: Mapping[tuple[str, ...], object]) -> Opened:
    text = read_text(with_header(read_text("# head\n"), HEADER.values()))
    for path, value in kept.items():
        text = read_text(with_secret(text, path, Opened("Secrets.toml", text, HEADER, KEY).seal(path, value)))
    return Opened("Secrets.toml", text, HEADER, KEY)


def words(text: str) -> Mapping[tuple[str, ...], str]:
    found = read_text(text)
    assert not found.flaws
    return {form: entries[0].value for form, entries in found.secrets.items() if len(entries) == 1}


@given(KEPT)
def test_what_is_shown_is_read_back_as_the_same_file(kept: Mapping[tuple[str, ...], object]) -> None:
    file = opened(kept)
    draft = draft_of(file)
    done = read_edited(draft, draft.text.encode())
    assert isinstance(done, Edited)
    assert not done.changes()
    assert done.onto(draft) == str(file.text)


@given(kept=KEPT, typed=KEPT, is_shared=st.booleans())
def test_what_is_typed_is_what_the_file_holds(
    kept: Mapping[tuple[str, ...], object], typed: Mapping[tuple[str, ...], object], *, is_shared: bool
) -> None:
    file = opened(kept)
    wished = {**typed, **(kept if is_shared else {})}
    wished = {
        path: value for path, value in wished.items() if not any(path[:1] == one for one in wished if one != path)
    }
    lines = [".".join(to_literal(step) for step in path) + f" = {to_literal(value)}" for path, value in wished.items()]
    done = read_edited(draft_of(file), "\n".join(["# typed", *lines]).encode())
    assert isinstance(done, Edited), done
    after = done.onto(draft_of(file))
    assert isinstance(after, str)
    now = Opened("Secrets.toml", read_text(after), HEADER, KEY)
    assert now.text.header_table() == file.text.header_table()
    assert {entry.path: now.value(entry) for (entry,) in now.text.secrets.values()} == wished
    before, later = words(str(file.text)), words(after)
    for form, entries in now.text.secrets.items():
        if form in before and file.value(file.text.secrets[form][0]) == now.value(entries[0]):
            assert type(now.value(entries[0])) is not str or later[form] == before[form]

"""No file makes the source fail in another way than its own three answers."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.providers.sops.encrypting import make_identity
from wellkept.errors import SourceError
from wellkept.model import Reference
from wellkept.providers.sops.formats import PARSERS
from wellkept.providers.sops.source import open_source

pieces = st.sampled_from(
    [
        *"\n\n\n  \t:-[]{}#&*!|>'\"%@`,?=;\\\x00\x85\ufeff\u2028é🎉",
        "sops",
        "sops_",
        "age",
        "mac",
        "ENC[AES256_GCM,data:QQ==,iv:",
        "- ",
        ": ",
    ]
)
soup = st.lists(pieces, max_size=40).map("".join).map(str.encode) | st.binary(max_size=60)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "true", "a", "^a", "age1x", "ENC[x]", "\ud800"])
)
things = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "age", "enc", "recipient"]), inner, max_size=3)
    ),
)
names = st.sampled_from(
    [
        "age",
        "kms",
        "key_groups",
        "shamir_threshold",
        "mac",
        "lastmodified",
        "mac_only_encrypted",
        "encrypted_regex",
        "unencrypted_suffix",
        "encrypted_comment_regex",
    ]
)


def ask(folder: Path, form: str, data: bytes) -> None:
    (folder / "file").write_bytes(data)
    reference = Reference("sops", ("file",), (), (("format", form),), base=str(folder))
    with pytest.raises(SourceError):
        open_source({"SOPS_AGE_KEY": make_identity()[0]}).fetch(reference)


@pytest.mark.parametrize("form", PARSERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=soup)
@example(data=b"%YAML 9.9\n---\na: 1\n")
@example(data=b"\xff\xfea\x00")
@example(data=b"? a\n")
@example(data=b"key = value \\")
@example(data=b'a = """')
@example(data=b"[]\n[DEFAULT]\n")
def test_any_bytes_are_refused(tmp_path: Path, form: str, data: bytes) -> None:
    ask(tmp_path, form, data)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=st.dictionaries(names, things, max_size=6))
@example(metadata={"age": [{"recipient": "ssh-\ud800\n", "enc": "\ud800"}], "mac": "", "lastmodified": ""})
def test_any_metadata_is_refused(tmp_path: Path, metadata: dict[str, object]) -> None:
    ask(tmp_path, "json", json.dumps({"a": "ENC[x]", "sops": metadata}).encode())

"""Keys: made once, readable by their owner only, and a missing one says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.errors import IntegrityError
from kubepipe.records import validate
from kubepipe.sealing import (
    create_keys,
    load_mapping_key,
    load_pseudonym_key,
    load_public_key,
    load_signing_key,
    load_wrapping_key,
    new_data_key,
    unwrap,
    wrap,
)

NAMES = ["mapping.key", "permit-public.pem", "permit-signing.pem", "pseudonym.key", "wrapping.key"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with keys."""
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_all_keys_are_made_for_their_owner_only(keys: Path) -> None:
    """Four files, none readable by anybody else, and nothing else is left behind."""
    assert sorted(file.name for file in keys.iterdir()) == NAMES
    assert all((keys / name).stat().st_mode & 0o077 == 0 for name in NAMES)


def test_making_keys_again_changes_none(keys: Path) -> None:
    """What is there stays; a missing one is added."""
    before = {name: (keys / name).read_bytes() for name in NAMES}
    (keys / "pseudonym.key").unlink()
    create_keys(keys)
    after = {name: (keys / name).read_bytes() for name in NAMES}
    assert {name for name in NAMES if before[name] != after[name]} == {"pseudonym.key"}


def test_two_folders_have_different_keys(keys: Path, tmp_path: Path) -> None:
    """Keys are random."""
    create_keys(tmp_path / "others")
    assert load_wrapping_key(keys) != load_wrapping_key(tmp_path / "others")
    assert load_wrapping_key(keys) != load_pseudonym_key(keys)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_a_missing_or_broken_key_is_named(keys: Path, name: str, content: bytes | None) -> None:
    """The error names the file and what to do."""
    (keys / name).unlink()
    if content is not None:
        (keys / name).write_bytes(content)
    load = {
        "mapping.key": lambda: load_mapping_key(keys / name),
        "permit-public.pem": lambda: load_public_key(keys / name),
        "permit-signing.pem": lambda: load_signing_key(keys),
        "pseudonym.key": lambda: load_pseudonym_key(keys),
        "wrapping.key": lambda: load_wrapping_key(keys),
    }[name]
    with pytest.raises(IntegrityError, match=name) as caught:
        load()
    assert caught.value.remedy


def test_a_public_key_of_somebody_else_is_noticed(keys: Path, tmp_path: Path) -> None:
    """A pair that does not belong together is refused before it signs anything."""
    create_keys(tmp_path / "others")
    (keys / "permit-public.pem").write_bytes((tmp_path / "others" / "permit-public.pem").read_bytes())
    with pytest.raises(IntegrityError, match="does not belong"):
        create_keys(keys)


def test_a_wrapped_data_key_comes_back(keys: Path) -> None:
    """And its document fits its schema and does not show the key."""
    key, wrapping = new_data_key(), load_wrapping_key(keys)
    document = wrap(key, wrapping)
    validate(document, "wrapped-key", place="the document")
    assert unwrap(document, wrapping) == key
    assert key.hex() not in str(document)


def test_a_data_key_is_not_unwrapped_by_another_key(keys: Path) -> None:
    """The error says so."""
    with pytest.raises(IntegrityError, match="another wrapping key"):
        unwrap(wrap(new_data_key(), new_data_key()), load_wrapping_key(keys))


@pytest.mark.parametrize("wrapped", ["", "AAAA", "?", "A" * 56])
def test_a_changed_wrapped_key_is_noticed(keys: Path, wrapped: str) -> None:
    """Cut, emptied or replaced."""
    wrapping = load_wrapping_key(keys)
    with pytest.raises(IntegrityError, match="was changed"):
        unwrap({**wrap(new_data_key(), wrapping), "wrapped": wrapped}, wrapping)

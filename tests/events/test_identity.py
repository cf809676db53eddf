from __future__ import annotations

import pytest

from kubepipe_events.identity import Source


@pytest.mark.parametrize(
    ("key", "version", "etag", "size", "digits"),
    [
        ("a b/ü+%25 ✓.jsonl", "v1", "abc", 12, "a82b936a8ee5676e00ea9f433e52b011f50859c1"),
        ("plain.jsonl", None, '"abc"', 12, "ce3d2f6f7cd11efac12a5b17840aae40b5e5a9b0"),
        ("plain.jsonl", "null", "abc", 12, "ce3d2f6f7cd11efac12a5b17840aae40b5e5a9b0"),
        ("x" * 1024, "v1", "abc", 12, "e09056a0406f5dc824715dad867c783bb9546a59"),
    ],
)
def test_the_name_is_a_digest_of_the_version(key: str, version: str | None, etag: str, size: int, digits: str) -> None:
    """sha256 of bucket/key#version, or of bucket/key#etag-size without versions: as `sha256sum` and the sensor say."""
    assert Source.make("incoming", key, version, etag, size).name == f"ds-{digits}"


def test_names_differ_where_versions_do() -> None:
    """Key, bucket, version, and without versions entity tag and size each make another name."""
    sources = [
        Source("incoming", "a", "v1"),
        Source("incoming", "a", "v2"),
        Source("incoming", "b", "v1"),
        Source("outgoing", "a", "v1"),
        Source("incoming", "a", "", "e", 1),
        Source("incoming", "a", "", "e", 2),
        Source("incoming", "a", "", "f", 1),
        Source("incoming", "a%20b", "v1"),
        Source("incoming", "a b", "v1"),
        Source("incoming", "a+b", "v1"),
        Source("incoming", "Ä", "v1"),
        Source("incoming", "A\u0308", "v1"),
    ]
    assert len({source.name for source in sources}) == len(sources)


def test_every_maker_writes_the_same_spec() -> None:
    """A source goes through a DatasetRun unchanged, and none of its fields is ever left out."""
    source = Source.make("incoming", "a ü.jsonl", None, '"abc"', None)
    assert source.spec() == {"bucket": "incoming", "key": "a ü.jsonl", "versionId": "", "etag": "abc", "size": 0}
    assert Source.from_spec({"source": source.spec()}) == source


def test_content_is_what_the_same_key_holds() -> None:
    """Two versions of a key with the same bytes have the same content; another key's is another."""
    first = Source("incoming", "a", "v1", "e", 1)
    assert first.content == Source("incoming", "a", "v2", "e", 1).content
    assert first.content != Source("incoming", "b", "v1", "e", 1).content
    assert first.content != Source("incoming", "a", "v2", "e", 2).content

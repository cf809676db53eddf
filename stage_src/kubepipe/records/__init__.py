"""What each step writes about itself: JSON documents with a schema, digests, records of steps and runs."""

from kubepipe.records.digest import digest_bytes, digest_file, digest_json, digest_tree
from kubepipe.records.documents import load_schema, read_document, validate, write_document, write_text

__all__ = [
    "digest_bytes",
    "digest_file",
    "digest_json",
    "digest_tree",
    "load_schema",
    "read_document",
    "validate",
    "write_document",
    "write_text",
]

"""The encrypted mapping from surrogates to originals, for re-identification by an authorised person.

It exists only where the policy asks for it. Each surrogate's originals are encrypted by themselves (AES-256-GCM) and
filed under a keyed hash of the surrogate, so that a look at one opens nothing else, and without the key the file tells
no more than how many surrogates there are. Its key, `mapping.key`, is no other key's.

    mappings/<run>.json                       schema mapping
    reidentifications/<run>/<time>-<n>.json   schema reidentification: who looked, when, why; never at what value
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kubepipe.errors import IntegrityError
from kubepipe.sealing.envelope import key_id

ALGORITHM: Final = "AES-256-GCM"
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_BLOCK: Final = 64
"""Entries are filled up to a multiple of so many bytes: their length tells less of a name."""
_REMEDY: Final = "The mapping was changed or cut; restore it from a copy"


class Link(NamedTuple):
    """A surrogate and what it stands for."""

    type: str
    surrogate: str
    original: str


def mapping_name(run: str) -> str:
    """Key of a run's mapping in its store."""
    return f"mappings/{run}.json"


def seal_mapping(run: str, links: Mapping[Link, int], key: bytes) -> dict[str, Any]:
    """Encrypt a mapping (schema `mapping`).

    Args:
        run: Run that made the surrogates; bound to each entry.
        links: How often each surrogate was put in the place of each original.
        key: 32 bytes, used for mappings alone.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher, index_key = _keys(key, salt)
    grouped: dict[str, list[tuple[str, str, str, int]]] = {}
    for link, count in sorted(links.items()):
        grouped.setdefault(_index(index_key, link.surrogate), []).append((*link, count))
    entries = {}
    for index, rows in sorted(grouped.items()):
        plain = json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")
        plain += b" " * (-len(plain) % _BLOCK)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        entries[index] = base64.b64encode(nonce + cipher.encrypt(nonce, plain, _bound(run, index))).decode("ascii")
    return {
        "schema_version": 1,
        "algorithm": ALGORITHM,
        "run": run,
        "key_id": key_id(key),
        "salt": base64.b64encode(salt).decode("ascii"),
        "entries": entries,
    }


def look_up(document: Mapping[str, Any], surrogate: str, key: bytes) -> list[tuple[Link, int]]:
    """What one surrogate stands for in a run, most frequent first; empty when the run never gave it.

    Raises:
        IntegrityError: Another key made the mapping, or it was changed.
    """
    if document["key_id"] != key_id(key):
        raise IntegrityError(
            "another key made the mapping", place="mapping", remedy="Use the mapping.key of the run's privacy keys"
        )
    cipher, index_key = _keys(key, base64.b64decode(document["salt"]))
    index = _index(index_key, surrogate)
    sealed = document["entries"].get(index)
    if sealed is None:
        return []
    try:
        data = base64.b64decode(sealed, validate=True)
        plain = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound(document["run"], index))
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise IntegrityError("the entry does not hold", place="mapping", remedy=_REMEDY) from error
    rows = json.loads(plain.decode("utf-8", "surrogatepass"))
    return sorted(((Link(*row[:3]), int(row[3])) for row in rows), key=lambda found: (-found[1], found[0]))


def question_digest(document: Mapping[str, Any], surrogate: str, key: bytes) -> str:
    """A keyed hash of the surrogate that was looked up: the log says what was asked to the holder of the key only."""
    _, index_key = _keys(key, base64.b64decode(document["salt"]))
    return _index(index_key, surrogate)


def _keys(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    def derived(purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"kubepipe mapping 1\0" + purpose).derive(key)

    return AESGCM(derived(b"entries")), derived(b"index")


def _index(key: bytes, surrogate: str) -> str:
    words = " ".join(unicodedata.normalize("NFKC", surrogate).casefold().split())
    return hmac.new(key, words.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _bound(run: str, index: str) -> bytes:
    return f"{run}\0{index}".encode()

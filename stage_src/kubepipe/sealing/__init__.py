"""Data keys, encryption of folders, permit signatures."""

from kubepipe.sealing.folders import open_folder, opened, seal_folder
from kubepipe.sealing.keys import (
    create_keys,
    load_pseudonym_key,
    load_public_key,
    load_signing_key,
    load_wrapping_key,
)
from kubepipe.sealing.permits import sign_permit, verify_permit
from kubepipe.sealing.wrapping import new_data_key, unwrap, wrap

__all__ = [
    "create_keys",
    "load_pseudonym_key",
    "load_public_key",
    "load_signing_key",
    "load_wrapping_key",
    "new_data_key",
    "open_folder",
    "opened",
    "seal_folder",
    "sign_permit",
    "unwrap",
    "verify_permit",
    "wrap",
]

"""Sealing: data keys, encryption of folders, and signatures of permits."""

from kubepipe.sealing.envelope import new_data_key, unwrap, wrap
from kubepipe.sealing.folder import is_sealed, open_folder, opened, seal_folder
from kubepipe.sealing.keys import (
    create_keys,
    load_pseudonym_key,
    load_public_key,
    load_signing_key,
    load_wrapping_key,
)
from kubepipe.sealing.permit import sign_permit, verify_permit
from kubepipe.sealing.shred import Shredded, data_key_name, shred

__all__ = [
    "Shredded",
    "create_keys",
    "data_key_name",
    "is_sealed",
    "load_pseudonym_key",
    "load_public_key",
    "load_signing_key",
    "load_wrapping_key",
    "new_data_key",
    "open_folder",
    "opened",
    "seal_folder",
    "shred",
    "sign_permit",
    "unwrap",
    "verify_permit",
    "wrap",
]

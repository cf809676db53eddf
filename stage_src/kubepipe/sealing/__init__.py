"""Sealing: data keys, encryption of folders, and signatures of permits."""

from kubepipe.sealing.envelope import new_data_key, unwrap, wrap
from kubepipe.sealing.folder import is_sealed, open_folder, opened, seal_folder
from kubepipe.sealing.keys import (
    create_keys,
    load_mapping_key,
    load_pseudonym_key,
    load_public_key,
    load_signing_key,
    load_wrapping_key,
)
from kubepipe.sealing.mapping import Link, look_up, mapping_name, question_digest, seal_mapping
from kubepipe.sealing.permit import sign_permit, verify_permit
from kubepipe.sealing.shred import Shredded, data_key_name, shred

__all__ = [
    "Link",
    "Shredded",
    "create_keys",
    "data_key_name",
    "is_sealed",
    "load_mapping_key",
    "load_pseudonym_key",
    "load_public_key",
    "load_signing_key",
    "load_wrapping_key",
    "look_up",
    "mapping_name",
    "new_data_key",
    "open_folder",
    "opened",
    "question_digest",
    "seal_folder",
    "seal_mapping",
    "shred",
    "sign_permit",
    "unwrap",
    "verify_permit",
    "wrap",
]

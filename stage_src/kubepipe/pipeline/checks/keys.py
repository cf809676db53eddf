"""The privacy keys, and the public half that training checks permits with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release
from kubepipe.sealing.keys import MAPPING

_RANDOM: Final = ("wrapping.key", "pseudonym.key")
_SIGNING: Final = "permit-signing.pem"
_BYTES: Final = 32


def keys(release: Release) -> Iterator[Check]:
    """The files of the secret, each of its kind, and the public key that belongs to them.

    The key of mappings must be there where the release keeps mappings.
    """
    told = release.setup.get("privacy")
    if told is None:
        return
    name = f"privacy keys in secret {told['secret']}"
    try:
        found = release.secret_files(told["secret"])
    except KubePipeError as error:
        yield Check(name, False, error.message, error.remedy or "")
        return
    keeps_mapping = release.default_settings().get("privacy", {}).get("mapping") == "sealed"
    problems = _problems(found, (*_RANDOM, MAPPING) if keeps_mapping else _RANDOM)
    if problems:
        remedy = "Put the right files back; new ones cannot open what the old ones sealed"
        yield Check(name, False, "; ".join(problems), remedy)
        return
    without = "" if MAPPING in found else f"; {MAPPING} is not there, so privacy.mapping=sealed would be refused"
    yield Check(name, True, f"all files{without}")
    yield _public(found[_SIGNING], release.config_map(told["publicKeyConfigMap"]).get(told["publicKeyName"]))


def _problems(found: Mapping[str, bytes], random: Sequence[str]) -> list[str]:
    problems = [f"{name} is missing" for name in (*random, _SIGNING) if name not in found]
    given = [name for name in (*_RANDOM, MAPPING) if name in found]
    problems += [f"{name} is no {_BYTES} bytes" for name in given if len(found[name]) != _BYTES]
    if _SIGNING in found and _pem_of(found[_SIGNING]) is None:
        problems.append(f"{_SIGNING} is no Ed25519 key")
    return problems


def _public(signing: bytes, public: str | None) -> Check:
    remedy = "helm upgrade runs the setup hook, which derives it; or set keys.publicKey"
    if not public:
        return Check("public key of permits", False, "is missing, so training refuses every permit", remedy)
    if public.split() != (_pem_of(signing) or "").split():
        return Check("public key of permits", False, "does not belong to the signing key", remedy)
    return Check("public key of permits", True, "belongs to the signing key")


def _pem_of(signing: bytes) -> str | None:
    """The public half in PEM, or None when it is no Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from kubepipe.sealing.keys import public_pem

    try:
        key = load_pem_private_key(signing, password=None)
    except (ValueError, TypeError):
        return None
    return public_pem(key.public_key()).decode() if isinstance(key, Ed25519PrivateKey) else None

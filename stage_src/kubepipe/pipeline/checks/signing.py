"""The key that signs models, and the public keys that they are checked with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Final

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release
from kubepipe.releases.keys import SIGNING, TRUSTED

_CURVE: Final = "secp256r1"


def signing(release: Release) -> Iterator[Check]:
    """The private key in its secret, the public one that belongs to it, and those from before a rotation."""
    told = release.setup.get("models")
    if told is None:
        return
    name = f"key of models in secret {told['secret']}"
    published = release.config_map(told["publicKeyConfigMap"])
    try:
        found = release.secret_files(told["secret"])
    except KubePipeError as error:
        yield Check(name, False, error.message, error.remedy or "")
    else:
        public = _public_of(found.get(SIGNING))
        if public is None:
            what = "is no elliptic curve key on P-256" if SIGNING in found else "is missing"
            remedy = "Put the right file back, or rotate: a new key, and the old public one in signing.trustedKeys"
            yield Check(name, False, f"{SIGNING} {what}, so no model is published", remedy)
        else:
            yield Check(name, True, f"{SIGNING} is on P-256")
            yield _belongs(public, published.get(told["publicKeyName"]))
    yield from _trusted(published)


def _belongs(wanted: str, public: str | None) -> Check:
    name = "public key of models"
    remedy = "helm upgrade runs the setup hook, which derives it; or set signing.publicKey"
    if not public:
        return Check(name, False, "is missing, so no model is served", remedy)
    if public.split() != wanted.split():
        return Check(name, False, "does not belong to the signing key, so new models are refused", remedy)
    return Check(name, True, "belongs to the signing key")


def _trusted(published: Mapping[str, str]) -> Iterator[Check]:
    for name in sorted(each for each in published if fnmatch(each, TRUSTED)):
        good = _is_public(published[name])
        found = "models of this key hold, too" if good else "is no public key on an elliptic curve, so all are refused"
        yield Check(f"public key {name}", good, found, "" if good else "Mend signing.trustedKeys")


def _public_of(private: bytes | None) -> str | None:
    """The public half in PEM, or None when it is no key on P-256."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from kubepipe.releases.keys import public_pem

    try:
        key = load_pem_private_key(private or b"", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != _CURVE:
        return None
    return public_pem(key.public_key()).decode()


def _is_public(text: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return isinstance(load_pem_public_key(text.encode()), EllipticCurvePublicKey)
    except (ValueError, UnsupportedAlgorithm):
        return False

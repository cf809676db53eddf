"""In-toto statements (v1) with SLSA provenance (v1) as predicate, each signed in a DSSE envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import IntegrityError
from kubepipe.records import digest_bytes
from kubepipe.records.digest import canonical_json
from kubepipe.records.step import StepRecord
from kubepipe.releases.chain import Link
from kubepipe.releases.keys import load_private, load_public

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:kubepipe:step:1"


def statement_of(record: StepRecord) -> dict[str, Any]:
    """The statement about what a step did, from its record. It holds digests and measures, no value of the data.

    Times stay out: a run that is resumed makes the same statements, and so the same release.
    """
    link = Link.of(record)
    read = [_resource(name, pair) for name, pair in sorted(link.inputs.items())]
    if link.source is not None:
        read.insert(0, _source(link.source, record))
    return statement(
        [_resource(name, pair) for name, pair in sorted(link.outputs.items())],
        step=record.step,
        run=record.run,
        read=read,
        details={
            "settings_digest": record.settings_digest,
            "versions": dict(record.versions),
            "reused_from": record.reused_from if record.reused_from != record.run else None,
            "energy_kwh": float(record.energy.get("energy_kwh", 0.0)),
        },
    )


def statement(
    subject: list[dict[str, Any]],
    *,
    step: str,
    run: str,
    read: list[dict[str, Any]],
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """A statement about one step."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"step": step},
                "internalParameters": dict(details),
                "resolvedDependencies": read,
            },
            "runDetails": {
                "builder": {"id": f"urn:kubepipe:{details['versions']['kubepipe']}"},
                "metadata": {"invocationId": run},
            },
        },
    }


def link_of(document: Mapping[str, Any]) -> Link:
    """What a statement says that its step read and wrote.

    Raises:
        KeyError, TypeError: It is no statement of ours.
    """
    build, run = document["predicate"]["buildDefinition"], document["predicate"]["runDetails"]
    read = {each["name"]: _digests(each) for each in build["resolvedDependencies"]}
    source = read.pop("source", None)
    return Link(
        build["externalParameters"]["step"],
        run["metadata"]["invocationId"],
        build["internalParameters"]["settings_digest"],
        source[0] if source else None,
        read,
        {each["name"]: _digests(each) for each in document["subject"]},
    )


def payload_of(document: Mapping[str, Any]) -> bytes:
    """The bytes of a statement that are signed."""
    return canonical_json(document).encode("utf-8")


def payload_digest(document: Mapping[str, Any]) -> str:
    """Digest of the signed bytes; it names the statement in the release's record."""
    return digest_bytes(payload_of(document))


def seal(document: Mapping[str, Any], private_key: Path) -> bytes:
    """The statement in a signed envelope, as JSON."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    envelope = Envelope(payload_of(document), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(load_private(private_key)))
    return json.dumps(envelope.to_dict(), indent=1, sort_keys=True).encode("utf-8")


def unseal(data: bytes, public_key: Path) -> dict[str, Any]:
    """The statement of an envelope, if the key signed it.

    Raises:
        IntegrityError: The envelope is broken, or another key signed it.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(load_public(public_key))
    try:
        envelope = Envelope.from_dict(json.loads(data))
        envelope.verify([key], 1)
        document: dict[str, Any] = json.loads(envelope.payload)
    except (Error, ValueError, KeyError, TypeError) as error:
        raise IntegrityError("its signature does not hold") from error
    if envelope.payload_type != PAYLOAD_TYPE or document.get("_type") != STATEMENT_TYPE:
        raise IntegrityError("it is no in-toto statement")
    return document


def resource(name: str, digest: str) -> dict[str, Any]:
    """A descriptor of something that has one digest."""
    return _resource(name, (digest, digest))


def _resource(name: str, pair: tuple[str, str]) -> dict[str, Any]:
    digest, bytes_digest = pair
    return {
        "name": name,
        "digest": {"sha256": digest.removeprefix("sha256:")},
        "annotations": {"bytes_digest": bytes_digest},
    }


def _source(digest: str, record: StepRecord) -> dict[str, Any]:
    """The source by content and version; its key can name a person and stays out."""
    annotations = {"bytes_digest": digest}
    read = record.results.get("source_version") or {}
    version = read.get("version_id") or read.get("etag")
    if version:
        annotations["version"] = str(version)
    return {"name": "source", "digest": {"sha256": digest.removeprefix("sha256:")}, "annotations": annotations}


def _digests(each: Mapping[str, Any]) -> tuple[str, str]:
    return f"sha256:{each['digest']['sha256']}", str(each["annotations"]["bytes_digest"])

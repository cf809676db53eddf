"""Checking a release from the source to the weights; the first hop that does not hold is named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubepipe.errors import IntegrityError
from kubepipe.records import digest_file, digest_tree, read_document
from kubepipe.releases.build import PUBLISH
from kubepipe.releases.chain import CHAIN, Link, breaks
from kubepipe.releases.keys import fingerprint, key_files
from kubepipe.releases.layout import MODEL, PERMIT, PERMIT_KEY, RECORD, statement_name
from kubepipe.releases.signature import signer_hint, verify_folder
from kubepipe.releases.statements import link_of, payload_digest, unseal
from kubepipe.sealing import load_public_key, verify_permit


class BrokenHopError(IntegrityError):
    """A release does not hold.

    Args:
        hop: The first place between source and weights that does not: release, signing-key, the name of a step,
            privacy-permit, weights, or files for what lies beside them.
        message: Why.
        place: The release.
    """

    def __init__(self, hop: str, message: str, *, place: str) -> None:
        self.hop = hop
        super().__init__(f"broken at {hop}: {message}", place=place, remedy="Do not use this model")


@dataclass(frozen=True, slots=True)
class Verified:
    """A release that holds.

    Attributes:
        digest: Of the release.
        record: Of the release (schema release).
        statements: All statements, in order.
        folder: Where it lies.
        signer: SHA-256 of the public key that its signature was checked with.
    """

    digest: str
    record: Mapping[str, Any]
    statements: tuple[Mapping[str, Any], ...]
    folder: Path
    signer: str

    @property
    def model(self) -> Path:
        """What a predictor loads."""
        return self.folder / MODEL


def verify_release(
    folder: Path, trusted: Sequence[Path], *, digest: str | None = None, permit_key: Path | None = None
) -> Verified:
    """Check signature, chain, permit and weights of a release's folder.

    Args:
        folder: The release.
        trusted: Public keys of model signatures, or folders with them (`key_files`); the trust root. The one that the
            signature names must be among them, and everything must be signed by that one.
        digest: What the release is called, where it has a name; the folder's own name where that is a digest.
        permit_key: Key of the permits; the one in the release, which the signature covers, when left out.

    Raises:
        BrokenHopError: Something does not hold; its `hop` names the first thing.
        IntegrityError: A public key itself is missing or broken.
    """
    place = f"release {(digest or folder.name).removeprefix('sha256:')[:12]}"
    keys = {fingerprint(path): path for path in key_files(trusted)}
    with _hop("release", place):
        record = read_document(folder / RECORD, "release")
        found = digest_file(folder / RECORD)
    named = digest or (f"sha256:{folder.name}" if len(folder.name) == hashlib.sha256().digest_size * 2 else None)
    if named is not None and named != found:
        raise BrokenHopError("release", "its record is that of another release", place=place)
    signer = _signer(folder, tuple(keys), place)
    public_key = keys[signer]
    statements = _statements(folder, record, public_key, place)
    _check_permit(folder, record, statements, permit_key, place)
    statements[PUBLISH] = _publication(folder, record, found, public_key, place)
    _check_files(folder, record, public_key, place)
    return Verified(found, record, tuple(statements.values()), folder, signer)


def _signer(folder: Path, trusted: Sequence[str], place: str) -> str:
    """The trusted key that the signature names; the first one where it names none, so that a later hop tells why."""
    hint = signer_hint(folder)
    if hint is None:
        return trusted[0]
    if hint not in trusted:
        known = ", ".join(each[:12] for each in trusted)
        raise BrokenHopError("signing-key", f"key {hint[:12]} signed it, trusted is {known}", place=place)
    return hint


def _statements(folder: Path, record: Mapping[str, Any], public_key: Path, place: str) -> dict[str, dict[str, Any]]:
    """The statements by step, each signed, named in the record, and linked to those before it."""
    statements: dict[str, dict[str, Any]] = {}
    links: dict[str, Link] = {}
    for number, step in enumerate(CHAIN, start=1):
        with _hop(step, place):
            statements[step] = _unsealed(folder / statement_name(number, step), public_key)
            links[step] = link_of(statements[step])
        if payload_digest(statements[step]) != record["statements"].get(step) or links[step].step != step:
            raise BrokenHopError(step, "its statement belongs to another release", place=place)
    for step, reason in breaks(links, record["run"]):
        raise BrokenHopError(step, reason, place=place)
    if links["prepare-data"].source != record["source_digest"]:
        raise BrokenHopError("prepare-data", "the record names another source", place=place)
    if links["fine-tune-model"].outputs["output_model"][0] != record["model_digest"]:
        raise BrokenHopError("fine-tune-model", "the record names another model", place=place)
    return statements


def _check_permit(
    folder: Path, record: Mapping[str, Any], statements: Mapping[str, Any], permit_key: Path | None, place: str
) -> None:
    hop, gate = "privacy-permit", link_of(statements["verify-privacy"])
    with _hop(hop, place):
        permit = read_document(folder / PERMIT, "privacy-permit")
        verify_permit(
            permit,
            load_public_key(permit_key or folder / PERMIT_KEY),
            output_digest=gate.outputs["protected_dataset"][0],
            policy_digest=gate.settings_digest,
        )
        same = digest_file(folder / PERMIT) == record["permit_digest"] == gate.outputs["privacy_permit"][0]
    if not same or permit["output_digest"] != record["dataset_digest"]:
        raise BrokenHopError(hop, "it is not the permit that the gate wrote for this data set", place=place)


def _publication(folder: Path, record: Mapping[str, Any], digest: str, public_key: Path, place: str) -> dict[str, Any]:
    """The statement about publishing, which binds the record and the weights."""
    with _hop(PUBLISH, place):
        statement = _unsealed(folder / statement_name(len(CHAIN) + 1, PUBLISH), public_key)
        published = link_of(statement)
        same = published.outputs["release"][0] == digest and published.outputs["model"][0] == record["model_digest"]
    if not same or published.run != record["run"]:
        raise BrokenHopError(PUBLISH, "its statement belongs to another release", place=place)
    return statement


def _check_files(folder: Path, record: Mapping[str, Any], public_key: Path, place: str) -> None:
    """The signature covers every file; where it does not hold, say whether it is the weights."""
    try:
        verify_folder(folder, public_key)
    except IntegrityError as error:
        with _hop("weights", place):
            whole = digest_tree(folder / MODEL) == record["model_digest"]
        raise BrokenHopError("files" if whole else "weights", error.message, place=place) from error
    if digest_tree(folder / MODEL) != record["model_digest"]:
        raise BrokenHopError("weights", "they are not those that were trained", place=place)


def _unsealed(path: Path, public_key: Path) -> dict[str, Any]:
    if not path.is_file():
        raise IntegrityError("its statement is missing")
    return unseal(path.read_bytes(), public_key)


@contextmanager
def _hop(hop: str, place: str) -> Iterator[None]:
    """Whatever does not hold in here is told as this hop."""
    try:
        yield
    except BrokenHopError:
        raise
    except IntegrityError as error:
        raise BrokenHopError(hop, error.message, place=place) from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BrokenHopError(hop, f"it is broken or missing ({type(error).__name__})", place=place) from error

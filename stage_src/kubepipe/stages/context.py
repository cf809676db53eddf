"""What a stage is given: settings, keys, the store, and its inputs, outputs and parameters."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubepipe.errors import IntegrityError, SettingsError
from kubepipe.records.step import REQUESTED_BYTES, REQUESTED_CORES, read_record, write_record
from kubepipe.sealing import data_key_name, load_pseudonym_key, load_wrapping_key, new_data_key, unwrap, wrap
from kubepipe.settings import Settings
from kubepipe.storage import Store, open_store

Progress = Callable[[float, str], None]
"""Called with the done share (0 to 1) and a short text without any value of the data."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """Everything around a stage's work.

    Attributes:
        run: Id of the run.
        step: Name of the step.
        settings: All settings of the run.
        store: Where records, wrapped keys and releases lie.
        keys: Folder with the private keys; only privacy steps have one.
        permit_key: File with the public key that permits are checked with.
        signing_key: File with the private key that releases are signed with; only publish-model has one.
        inputs: Local paths of the inputs, by name.
        outputs: Local paths to write the outputs to, by name.
        parameters: Plain parameters of the step.
        progress: Tells how far the step is.
        scratch: Folder of the step that outlives a stop: checkpoints lie here. None where nothing outlives it.
        approvals: Where people's decisions on data and mappings lie; no step behind the gate can reach it. None where
            there is no such place, and in steps that have no business there.
    """

    run: str
    step: str
    settings: Settings
    store: Store
    keys: Path | None
    permit_key: Path | None
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    parameters: Mapping[str, str]
    progress: Progress
    scratch: Path | None = None
    signing_key: Path | None = None
    approvals: Store | None = None

    def pseudonym_key(self) -> bytes:
        """The key that surrogates are drawn with.

        Raises:
            IntegrityError: No key is mounted.
        """
        return load_pseudonym_key(self.key_folder())

    def data_key(self, *, create: bool = False) -> bytes:
        """The key that seals this run's data until the permit.

        Args:
            create: Make one if the run has none yet; only the first step does.

        Raises:
            IntegrityError: No wrapping key is mounted, or the run's data key was destroyed.
        """
        wrapping = load_wrapping_key(self.key_folder())
        document = read_record(self.store, data_key_name(self.run), "wrapped-key")
        if document is not None:
            return unwrap(document, wrapping)
        if not create:
            raise IntegrityError(
                "the data key is gone, so the sealed data cannot be opened",
                place=f"run {self.run}",
                remedy="Start a new run",
            )
        key = new_data_key()
        write_record(self.store, data_key_name(self.run), wrap(key, wrapping), "wrapped-key")
        return key

    def public_key_file(self) -> Path:
        """File of the public key that permits are checked with.

        Raises:
            SettingsError: None is mounted.
        """
        if self.permit_key is None or not self.permit_key.is_file():
            raise SettingsError(
                "the public key of the privacy permits is missing",
                place="KUBEPIPE_PERMIT_KEY",
                remedy="Mount it and set the variable to its path",
            )
        return self.permit_key

    def signing_key_file(self) -> Path:
        """File of the private key that releases are signed with.

        Raises:
            SettingsError: None is mounted.
        """
        if self.signing_key is None or not self.signing_key.is_file():
            raise SettingsError(
                "the private key of the model signature is missing",
                place="KUBEPIPE_SIGNING_KEY",
                remedy="Mount it and set the variable to its path",
            )
        return self.signing_key

    def key_folder(self) -> Path:
        """Folder of the private keys; only privacy steps have one.

        Raises:
            IntegrityError: None is mounted.
        """
        if self.keys is None:
            raise IntegrityError(
                "the privacy keys are missing",
                place="KUBEPIPE_KEYS",
                remedy="Mount them and set the variable to their folder",
            )
        return self.keys


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage came to.

    Attributes:
        results: Counts and measures for the step's record; never a value of the data.
    """

    results: Mapping[str, Any]


def environment_path(name: str) -> Path | None:
    """Path in an environment variable, or None when it is not set."""
    value = os.environ.get(name)
    return Path(value) if value else None


def requested_cores() -> float | None:
    """Cores that the pod requests; None where nothing tells them, as on a laptop."""
    value = os.environ.get(REQUESTED_CORES)
    return float(value) if value else None


def requested_bytes() -> int | None:
    """Memory that the pod requests; None where nothing tells it, as on a laptop."""
    value = os.environ.get(REQUESTED_BYTES)
    return int(float(value)) or None if value else None


def environment_store() -> Store:
    """The store that KUBEPIPE_STORE names.

    Raises:
        SettingsError: The variable is not set.
    """
    url = os.environ.get("KUBEPIPE_STORE")
    if not url:
        raise SettingsError(
            "the environment lacks KUBEPIPE_STORE", remedy="Set it to a folder or to s3://bucket/prefix"
        )
    return open_store(url)


def environment_approvals(store: Store) -> Store | None:
    """Where people's decisions on data lie: the store that KUBEPIPE_QUARANTINE names, on a laptop the run's own.

    A bucket that all steps may write is no such place: without the variable a run in a cluster knows no approvals.
    """
    url = os.environ.get("KUBEPIPE_QUARANTINE")
    if url:
        return open_store(url)
    return None if store.url.startswith("s3://") else store

"""Where releases lie: in a run's folder, in a store, or in an installed release of the chart."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kubepipe.errors import InputError, IntegrityError, SettingsError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records import digest_tree
from kubepipe.releases import BrokenHopError, Verified, current, find, local_copy, verify_release
from kubepipe.releases.layout import RECORD, ROOT
from kubepipe.releases.store import records
from kubepipe.storage import FolderStore, Store, open_store

KEY_VARIABLE: Final = "KUBEPIPE_MODEL_KEY"
PERMIT_KEY_VARIABLE: Final = "KUBEPIPE_PERMIT_KEY"
_PERMIT_PUBLIC: Final = "permit-public.pem"


@dataclass(frozen=True, slots=True)
class Place:
    """Releases and the keys that they are checked with.

    Attributes:
        store: Where they lie.
        keys: Public keys of model signatures, or folders with them; empty where none is known.
        permit_key: Public key of the permits, where it is known.
        model: A model folder that must be that of a release, where one was named.
        release: Digest of the release that was named.
        folder: A release's folder that lies in no store.
    """

    store: Store
    keys: tuple[Path, ...] = ()
    permit_key: Path | None = None
    model: Path | None = None
    release: str | None = None
    folder: Path | None = None

    def trusted(self) -> tuple[Path, ...]:
        """The keys of model signatures.

        Raises:
            SettingsError: None is known.
        """
        if not self.keys:
            raise SettingsError(
                "no public key to check the model with",
                place=self.store.url,
                remedy=f"Give the model-public.pem of the installation that published it by --key or {KEY_VARIABLE}",
            )
        return self.keys


@contextmanager
def opened(where: str | None, *, keys: Sequence[Path] = (), namespace: str | None = None) -> Iterator[Place]:
    """The place that a text names.

    Args:
        where: A run's folder, its model folder, a release's folder, a store (folder or s3:// URL), or the first letters
            of a release's digest in the installed release; None for the latter's store.
        keys: Public keys or folders with them, instead of the place's own.
        namespace: Of the installed release.

    Raises:
        InputError: The text names nothing of the kind.
    """
    given = tuple(keys) or _environment_paths(KEY_VARIABLE)
    if where is not None and (where.startswith("s3://") or Path(where).expanduser().exists()):
        place = _store(where) if where.startswith("s3://") else _local(Path(where).expanduser())
        yield replace(place, keys=given or place.keys, permit_key=place.permit_key or _environment(PERMIT_KEY_VARIABLE))
        return
    if where is not None and not set(where.removeprefix("sha256:")) <= set("0123456789abcdef"):
        raise InputError(
            "is no folder, no store and no digest", place=where, remedy="Give a run's folder or a release's digest"
        )
    with _cluster(namespace) as place:
        found = find(place.store, where) if where is not None else None
        yield replace(place, release=found, keys=given or place.keys)


def chosen(place: Place) -> str:
    """Digest of the release that is meant: the one named, that of the model folder, or the current one.

    Raises:
        IntegrityError: There is none.
    """
    if place.release is not None:
        return place.release
    if place.model is not None:
        wanted = digest_tree(place.model)
        held = current(place.store)
        found = [digest for digest, record in records(place.store) if record and record["model_digest"] == wanted]
        if not found:
            raise BrokenHopError("release", "no release holds this model", place=str(place.model))
        return held.release if held and held.release in found else found[-1]
    entry = current(place.store)
    if entry is None:
        raise IntegrityError("nothing is published", place=place.store.url, remedy="Run until a model is published")
    return entry.release


def verified(place: Place, cache: Path) -> Verified:
    """The chosen release, brought to this machine and checked.

    Raises:
        BrokenHopError: It does not hold.
    """
    if place.folder is not None:
        return verify_release(place.folder, place.trusted(), permit_key=place.permit_key)
    digest = chosen(place)
    return verify_release(
        local_copy(place.store, digest, cache), place.trusted(), digest=digest, permit_key=place.permit_key
    )


def _environment(name: str) -> Path | None:
    return Path(os.environ[name]) if os.environ.get(name) else None


def _environment_paths(name: str) -> tuple[Path, ...]:
    return tuple(Path(each) for each in os.environ.get(name, "").split(os.pathsep) if each)


def _store(url: str) -> Place:
    return Place(open_store(url))


def _local(path: Path) -> Place:
    run = next((RunFolder(each) for each in (path, path.parent) if RunFolder(each).store.is_dir()), None)
    if run is not None and path in {run.root, run.model}:
        place = Place(FolderStore(run.store), (run.signing,), run.keys / _PERMIT_PUBLIC)
        return place if path == run.root else replace(place, model=path)
    if (path / RECORD).is_file():
        return Place(FolderStore(path.parent), folder=path)
    if (path / ROOT).is_dir():
        return Place(FolderStore(path.absolute()))
    raise InputError(
        "holds no release", place=str(path), remedy="Give a run's folder, a release's folder, or a store with releases"
    )


@contextmanager
def _cluster(namespace: str | None) -> Iterator[Place]:
    from kubepipe.pipeline.remote import find_release

    release = find_release(namespace)
    with release.store() as store, tempfile.TemporaryDirectory() as scratch:
        keys = Path(scratch)
        for name, text in release.public_keys().items():
            (keys / name).write_text(text, encoding="utf-8")
        permit_key = keys / _PERMIT_PUBLIC
        yield Place(store, (keys,), permit_key if permit_key.exists() else None)

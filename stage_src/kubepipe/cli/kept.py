"""Where a run that a command names lies: in a folder of this machine, or in an installed release."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.storage import FolderStore, Store

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Site:
    """Records, and people's decisions beside them.

    Attributes:
        store: Records and wrapped keys.
        approvals: Decisions and mappings.
        folder: The run's folder, for a local run.
        release: The installed release, for one in a cluster.
        dataset_runs: DatasetRuns by the id of their run.
    """

    store: Store
    approvals: Store
    folder: RunFolder | None = None
    release: Any = None
    dataset_runs: dict[str, Any] | None = None

    def who(self, given: str | None) -> str:
        """Who acts: the Kubernetes identity in a cluster, the given name or the login on this machine.

        Raises:
            InputError: A name is given for a release, which knows its callers itself.
        """
        if self.release is None:
            return given or getpass.getuser()
        if given:
            raise InputError("is for local runs", place="--by", remedy="A release records your Kubernetes identity")
        from kubepipe.pipeline.remote.identity import who_am_i

        return who_am_i()

    def run_named(self, text: str) -> str:
        """Id of a run by the first letters of it or of its DatasetRun; the text itself where no DatasetRun fits.

        Raises:
            InputError: Several DatasetRuns fit.
        """
        named = [run for run, each in (self.dataset_runs or {}).items() if each.name.startswith(text)]
        if len(named) > 1:
            raise InputError(f"{len(named)} DatasetRuns begin with it", place=text, remedy="Give more letters")
        return named[0] if named else text


def local_site(folder: RunFolder) -> Site:
    """A run's folder."""
    store = FolderStore(folder.store)
    return Site(store, store, folder)


@contextmanager
def cluster_site(namespace: str | None, account: str | None = None) -> Iterator[Site]:
    """The installed release, by a forwarded port where its store lies in the cluster."""
    from kubepipe.pipeline.remote import find_release

    release = find_release(namespace)
    with release.store(account) as store:
        yield Site(store, release.quarantine(), release=release, dataset_runs=_dataset_runs(release.namespace))


@contextmanager
def site_of(where: str, namespace: str | None, account: str | None = None) -> Iterator[Site]:
    """A run's folder when the text is a path, else the installed release."""
    path = Path(where).expanduser()
    if namespace is None and (path.exists() or "/" in where):
        folder = RunFolder(path)
        identity = folder.read_identity()
        if identity is None:
            raise InputError("is no folder of a run", place=where, remedy="Name the folder given to --out")
        if identity["inputs"] == "cluster":
            raise InputError("is the copy of a run in a cluster", place=where, remedy=f"Name it by {identity['run']}")
        yield local_site(folder)
        return
    with cluster_site(namespace, account) as site:
        yield site


def _dataset_runs(namespace: str) -> dict[str, Any]:
    """DatasetRuns by run; none where the release has no events."""
    from kubernetes import client

    from kubepipe_events.resources import DatasetRuns

    try:
        found = list(DatasetRuns(namespace, client.ApiClient()).list())
    except KubePipeError as error:
        if getattr(error, "status", None) == _NOT_FOUND:
            return {}
        raise
    return {each.status["runId"]: each for each in found if each.status.get("runId")}

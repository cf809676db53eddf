"""All checks of an installed release, in the order in which one depends on another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.checks import access, definitions, keys, pipelines, signing, stores, volumes, workloads
from kubepipe.pipeline.checks.model import Check, guarded
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.pipeline.remote import find_release


def check_cluster(namespace: str | None) -> Iterator[Check]:
    """Look at everything that a release needs, by KUBECONFIG.

    Args:
        namespace: Namespace of the release; that of the current context when None.

    Raises:
        SettingsError: No cluster is configured.
    """
    active = connect()
    namespace = namespace or active
    reached = access.reachable()
    yield reached
    if not reached.good:
        return
    yield from guarded("rights", partial(access.rights, namespace))
    try:
        release = find_release(namespace)
    except KubePipeError as error:
        yield Check(
            "release", False, f"{error.place}: {error.message}", "helm install kubepipe, or name its --namespace"
        )
        return
    yield Check("release", True, f"{release.name} in namespace {namespace}")
    yield from guarded("definitions", partial(definitions.definitions, release))
    yield from guarded("volumes", partial(volumes.volumes, release))
    yield from guarded("workloads", partial(workloads.workloads, release))
    yield from guarded("pipelines API", partial(pipelines.pipelines, release))
    yield from guarded("object store", partial(stores.stores, release))
    yield from guarded("privacy keys", partial(keys.keys, release))
    yield from guarded("model keys", partial(signing.signing, release))

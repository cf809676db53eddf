"""Custom resource definitions: shared by all releases of a cluster, so another installation may have brought them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release

_PART_OF: Final = "app.kubernetes.io/part-of"
_VERSION: Final = "app.kubernetes.io/version"
_NOT_FOUND: Final = 404


def definitions(release: Release) -> Iterator[Check]:
    """Each definition that the release's engines need: there, and in a version that they speak."""
    from kubernetes import client

    api = client.ApiextensionsV1Api()
    for name, wanted in release.setup.get("definitions", {}).items():
        try:
            found = api.read_custom_resource_definition(name)
        except client.ApiException as error:
            if error.status != _NOT_FOUND:
                raise
            remedy = "Helm installs it with the release; else kubectl apply --server-side the chart's crds folders"
            yield Check(f"definition {name}", False, "is missing", remedy)
            continue
        yield _compare(name, found, wanted)


def _compare(name: str, found: Any, wanted: Mapping[str, str]) -> Check:
    labels = found.metadata.labels or {}
    served = [each.name for each in found.spec.versions if each.served]
    is_ours, have, want = labels.get(_PART_OF) == "kubepipe", labels.get(_VERSION, "unknown"), wanted["release"]
    if wanted["version"] not in served:
        found_text = f"serves {', '.join(served) or 'nothing'}, but {wanted['version']} is needed"
        return Check(f"definition {name}", False, found_text, "Another installation owns it: bring that one up to date")
    if not is_ours:
        version = f" ({have})" if _VERSION in labels else ""
        text = f"came with another installation{version}; the chart's is of {want}"
        return Check(f"definition {name}", None, text, "It is left alone; runs show whether it fits")
    if want and have != want:
        return Check(f"definition {name}", False, f"is of {have}, the chart's of {want}", "helm upgrade renews it")
    return Check(f"definition {name}", True, f"{wanted['version']}{f' of {want}' if want else ''}")

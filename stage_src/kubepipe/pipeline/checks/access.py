"""Whether the Kubernetes API answers, and what the caller may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubepipe.pipeline.checks.model import Check

_OLDEST_MINOR: Final = 28
"""The chart's kubeVersion."""
_RIGHTS: Final = (
    ("list", "", "configmaps", "", "finding the release"),
    ("get", "", "secrets", "", "reading the records of runs"),
    ("get", "", "services", "", "reaching the store"),
    ("get", "", "endpoints", "", "reaching the store"),
    ("get", "", "pods", "portforward", "reaching the store"),
    ("get", "", "services", "proxy", "runs, fetch"),
    ("create", "", "services", "proxy", "submit"),
    ("list", "", "pods", "", "logs"),
    ("get", "", "pods", "log", "logs"),
    ("list", "argoproj.io", "workflows", "", "telling why a run failed"),
)


def reachable() -> Check:
    """The API server's version, or why it does not tell."""
    from kubernetes import client
    from urllib3.exceptions import HTTPError

    host = client.ApiClient().configuration.host
    remedy = "Check KUBECONFIG, and that the cluster is up"
    try:
        version = client.VersionApi().get_code()
    except client.ApiException as error:
        return Check("Kubernetes API", False, f"{host} answers {error.status} {error.reason}", remedy)
    except HTTPError:
        return Check("Kubernetes API", False, f"{host} does not answer", remedy)
    minor = int("".join(filter(str.isdigit, version.minor)) or 0)
    if minor < _OLDEST_MINOR:
        wanted = f"The chart needs 1.{_OLDEST_MINOR} or newer"
        return Check("Kubernetes API", False, f"{version.git_version} at {host}", wanted)
    return Check("Kubernetes API", True, f"{version.git_version} at {host}")


def rights(namespace: str) -> Iterator[Check]:
    """What the caller may not do of all that `submit`, `runs`, `logs` and `fetch` need."""
    from kubernetes import client

    api = client.AuthorizationV1Api()
    missing = False
    for verb, group, resource, part, purpose in _RIGHTS:
        attributes = client.V1ResourceAttributes(
            namespace=namespace, verb=verb, group=group, resource=resource, subresource=part or None
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        if not api.create_self_subject_access_review(review).status.allowed:
            missing = True
            what = f"{verb} {resource}{f'/{part}' if part else ''}{f'.{group}' if group else ''}"
            yield Check("rights", False, f"you may not {what}, needed for {purpose}", f"Ask for it in {namespace}")
    if not missing:
        yield Check("rights", True, f"all {len(_RIGHTS)} that submit, runs, logs and fetch need")

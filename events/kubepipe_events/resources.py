"""DatasetRuns in the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kubepipe.errors import KubePipeError
from kubepipe_events.identity import Source

GROUP: Final = "kubepipe.io"
VERSION: Final = "v1alpha1"
PLURAL: Final = "datasetruns"
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500
# Rights and credentials are the same for all requests, and come back; the rest of 4xx is about the one that was sent.
_GENERAL: Final = frozenset({401, 403, 408, 429})
_PAGE: Final = 500


class KubernetesError(KubePipeError):
    """The Kubernetes API did not do what was asked.

    Args:
        message: As for every error.
        place: As for every error.
        remedy: As for every error.
        status: HTTP status; None when there was no answer.
    """

    def __init__(
        self, message: str, *, place: str | None = None, remedy: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.status = status

    @property
    def is_outage(self) -> bool:
        """Whether no request goes through now, and the same one can go through later."""
        return self.status is None or self.status >= _SERVER_ERROR or self.status in _GENERAL


@dataclass(frozen=True, slots=True)
class Resource:
    """A DatasetRun as the API has it.

    Attributes:
        name: Its name.
        uid: Its identity.
        created: Creation time, ISO 8601.
        generation: Generation of its spec.
        labels: Its labels.
        spec: What is asked.
        status: What was written last.
    """

    name: str
    uid: str
    created: str
    generation: int
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Resource:
        """From the API's document."""
        about = body["metadata"]
        return cls(
            name=about["name"],
            uid=about.get("uid", ""),
            created=about.get("creationTimestamp", ""),
            generation=about.get("generation", 0),
            labels=about.get("labels") or {},
            spec=body.get("spec") or {},
            status=body.get("status") or {},
        )

    @property
    def source(self) -> Source:
        """The version of the object that it is about."""
        return Source.from_spec(self.spec)


class DatasetRuns:
    """DatasetRuns of a namespace.

    Args:
        namespace: The namespace.
        api: A `kubernetes.client.ApiClient`.
    """

    def __init__(self, namespace: str, api: Any) -> None:
        self.namespace = namespace
        self._api = api

    def list(self, selector: str = "") -> Iterator[Resource]:
        """All of them, page by page."""
        query = [("limit", _PAGE)] + ([("labelSelector", selector)] if selector else [])
        following = ""
        while True:
            page = self._call("GET", query=[*query, ("continue", following)] if following else query)
            yield from (Resource.of(item) for item in page["items"])
            following = page["metadata"].get("continue", "")
            if not following:
                return

    def get(self, name: str) -> Resource | None:
        """One of them, or None."""
        found = self._call("GET", name, missing=True)
        return Resource.of(found) if found else None

    def create(self, name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> bool:
        """Make one; False when it is there already."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "DatasetRun",
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": dict(spec),
        }
        return self._call("POST", body=body, conflict=True) is not None

    def patch_spec(self, name: str, spec: Mapping[str, Any]) -> bool:
        """Change fields of the spec; False when there is none of this name."""
        return self._call("PATCH", name, body={"spec": dict(spec)}, missing=True) is not None

    def write_status(self, name: str, status: Mapping[str, Any]) -> bool:
        """Replace the given fields of the status (null removes one); False when there is none of this name."""
        return self._call("PATCH", f"{name}/status", body={"status": dict(status)}, missing=True) is not None

    def delete(self, name: str) -> None:
        """Remove one; none there is no error."""
        self._call("DELETE", name, missing=True)

    def tell(self, resource: Resource, kind: str, reason: str, message: str) -> None:
        """Put a Kubernetes Event on a DatasetRun; kind is Normal or Warning."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{resource.name[:40]}-", "namespace": self.namespace},
            "eventTime": now.replace("+00:00", "Z"),
            "reportingController": "kubepipe.io/events",
            "reportingInstance": "events",
            "action": "Reconcile",
            "type": kind,
            "reason": reason,
            "note": message[:1000],
            "regarding": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": "DatasetRun",
                "name": resource.name,
                "namespace": self.namespace,
                "uid": resource.uid,
            },
        }
        self._request("POST", f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events", body=body)

    def _call(self, method: str, path: str = "", **options: Any) -> Any:
        base = f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{PLURAL}"
        return self._request(method, f"{base}/{path}".rstrip("/"), **options)

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Any = (),
        missing: bool = False,
        conflict: bool = False,
    ) -> Any:
        import urllib3
        from kubernetes.client import ApiException

        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            return self._api.call_api(
                path,
                method,
                query_params=list(query),
                header_params={"Accept": "application/json", "Content-Type": kind},
                body=body,
                response_type="object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=(5, 60),
            )
        except ApiException as error:
            if (missing and error.status == _NOT_FOUND) or (conflict and error.status == _CONFLICT):
                return None
            raise KubernetesError(
                f"{method} answers {error.status} {error.reason}",
                place=path,
                remedy="Check the rights of the controller",
                status=error.status,
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError("the Kubernetes API cannot be reached", place=path) from error

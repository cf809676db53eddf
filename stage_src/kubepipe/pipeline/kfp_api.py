"""The part of the KFP 2.17 REST API that is used here.

Source: backend/api/v2beta1 of kubeflow/pipelines 2.17.0. The SDK's client is not used, for it pins an older Kubernetes
client and is not in the step images.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import urllib3

from kubepipe.errors import KubePipeError

_API: Final = "/apis/v2beta1"
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_OK: Final = range(200, 300)
_AWAY: Final = frozenset({502, 503, 504})
"""What a proxy in between answers when nobody is behind it."""
TERMINAL: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})


class KfpError(KubePipeError):
    """The KFP API did not do what was asked.

    Attributes:
        status: HTTP status of its answer; None when it could not be reached.
    """

    def __init__(
        self, message: str, *, place: str | None = None, remedy: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.status = status

    @property
    def is_outage(self) -> bool:
        """Whether the same request can go through later."""
        return self.status is None or self.status >= _SERVER_ERROR or self.status == _TOO_MANY


class KfpApi:
    """A KFP API server.

    Args:
        endpoint: Base URL, for example http://ml-pipeline:8888.
        pool: HTTP pool to use, for example one that carries credentials.
        patient: Try again by itself; off for callers that come back anyway.
    """

    def __init__(self, endpoint: str, pool: Any | None = None, *, patient: bool = True) -> None:
        self.endpoint = endpoint.rstrip("/")
        retries = 2 if patient else False
        self._pool = pool or urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=60), retries=retries)

    def wait(self, seconds: float) -> None:
        """Wait until the server answers.

        Raises:
            KfpError: It does not within the given seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._call("GET", "/healthz")
            except KfpError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def pipeline_id(self, name: str) -> str | None:
        """Id of the pipeline of this name, or None."""
        answer = self._call("GET", f"/pipelines/names/{quote(name)}", missing=True)
        return str(answer["pipeline_id"]) if answer else None

    def upload(self, name: str, version: str, compiled: str) -> tuple[str, bool]:
        """Register a version of a pipeline; the same version twice is no error.

        Returns:
            Id of the pipeline, and whether the version is new.
        """
        file = {"uploadfile": (f"{name}.yaml", compiled.encode(), "application/yaml")}
        pipeline = self.pipeline_id(name)
        if pipeline is None:
            answer = self._call("POST", f"/pipelines/upload?name={quote(name)}", fields=file, conflict=True)
            pipeline = str(answer["pipeline_id"]) if answer else self.pipeline_id(name)
        if pipeline is None:
            raise KfpError(f"pipeline {name} could not be registered", place=self.endpoint)
        path = f"/pipelines/upload_version?name={quote(version)}&pipelineid={pipeline}"
        return pipeline, self._call("POST", path, fields=file, conflict=True) is not None

    def version_id(self, pipeline: str, name: str) -> str | None:
        """Id of a version by its name, or None."""
        predicate = {"predicates": [{"operation": "EQUALS", "key": "name", "string_value": name}]}
        path = f"/pipelines/{pipeline}/versions?page_size=200&filter={quote(json.dumps(predicate))}"
        versions = self._call("GET", path).get("pipeline_versions", [])
        return next((str(each["pipeline_version_id"]) for each in versions if each["display_name"] == name), None)

    def versions(self, pipeline: str) -> list[dict[str, Any]]:
        """Versions of a pipeline, newest first."""
        path = f"/pipelines/{pipeline}/versions?page_size=200&sort_by={quote('created_at desc')}"
        found: list[dict[str, Any]] = self._call("GET", path).get("pipeline_versions", [])
        return found

    def newest_versions(self, pipeline: str) -> list[str]:
        """Names of the versions of the newest second: KFP makes one by itself when a pipeline is uploaded first."""
        versions = self.versions(pipeline)
        newest = versions[0].get("created_at") if versions else None
        return [str(each["display_name"]) for each in versions if each.get("created_at") == newest]

    def delete_version(self, pipeline: str, version: str) -> None:
        """Delete a version of a pipeline by its id; runs that were started with it keep their own copy."""
        self._call("DELETE", f"/pipelines/{quote(pipeline)}/versions/{quote(version)}", missing=True)

    def recurring_runs(self) -> list[dict[str, Any]]:
        """All schedules."""
        found, token = [], ""
        while True:
            answer = self._call("GET", f"/recurringruns?page_size=200&page_token={quote(token)}")
            found += answer.get("recurringRuns", [])
            token = answer.get("next_page_token", "")
            if not token:
                return found

    def create_run(self, name: str, pipeline: str, parameters: Mapping[str, Any], *, version: str | None = None) -> str:
        """Start a run of a registered pipeline, of its latest version unless one is named; its id."""
        reference = {"pipeline_id": pipeline} | ({"pipeline_version_id": version} if version else {})
        body = {
            "display_name": name,
            "pipeline_version_reference": reference,
            "runtime_config": {"parameters": dict(parameters)},
        }
        return str(self._call("POST", "/runs", body=body)["run_id"])

    def run(self, run: str) -> dict[str, Any]:
        """A run with its state and tasks.

        Raises:
            KfpError: There is none of this id.
        """
        found: dict[str, Any] = self._call("GET", f"/runs/{quote(run)}")
        return found

    def runs(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        answer = self._call("GET", f"/runs?page_size={limit}&sort_by={quote('created_at desc')}")
        found: list[dict[str, Any]] = answer.get("runs", [])
        return found

    def runs_named(self, name: str) -> list[dict[str, Any]]:
        """The runs of exactly this name, oldest first; names are not unique in KFP."""
        predicate = {"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]}
        path = f"/runs?page_size=100&sort_by={quote('created_at asc')}&filter={quote(json.dumps(predicate))}"
        found: list[dict[str, Any]] = self._call("GET", path).get("runs", [])
        return found

    def terminate(self, run: str) -> None:
        """Stop a run."""
        self._call("POST", f"/runs/{quote(run)}:terminate")

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        fields: Any = None,
        conflict: bool = False,
        missing: bool = False,
    ) -> Any:
        options: dict[str, Any] = {"fields": fields} if fields else {}
        if body is not None:
            options = {"body": json.dumps(body), "headers": {"Content-Type": "application/json"}}
        try:
            answer = self._pool.request(method, f"{self.endpoint}{_API}{path}", **options)
        except urllib3.exceptions.HTTPError as error:
            raise KfpError(
                "the KFP API cannot be reached", place=self.endpoint, remedy="Check the address and that it runs"
            ) from error
        if (conflict and answer.status == _CONFLICT) or (missing and answer.status == _NOT_FOUND):
            return None
        if answer.status in _AWAY:
            raise KfpError(
                f"the KFP API is not there ({answer.status})",
                place=self.endpoint,
                remedy="`kubepipe doctor --cluster` tells why",
            )
        if answer.status not in _OK:
            what = path.split("?", maxsplit=1)[0]
            raise KfpError(f"{method} {what} answers {answer.status}", place=self.endpoint, status=answer.status)
        return json.loads(answer.data or b"{}")

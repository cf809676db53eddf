"""The HTTP interface."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

import kubepipe
from kubepipe.serving import answers
from kubepipe.serving.engine import Engine
from kubepipe.serving.guard import Guard
from kubepipe.serving.loaded import Loaded
from kubepipe.serving.metrics import CONTENT_TYPE, Metrics
from kubepipe.serving.page import content_security_policy, page
from kubepipe.serving.schema import Answers, Ask, Problem, Provenance
from kubepipe.serving.watch import Watcher
from kubepipe.settings import ServingSettings

_LOG = structlog.get_logger(__name__)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the interface stands on."""

    engine: Engine
    watcher: Watcher
    metrics: Metrics
    limits: ServingSettings
    token: str | None


def make_app(parts: Parts) -> Guard:
    """The ASGI application."""
    # The documentation pages of FastAPI load scripts from elsewhere; the schema itself is at /openapi.json.
    app = FastAPI(title="KubePipe", version=kubepipe.__version__, docs_url=None, redoc_url=None)
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem} for status in (400, 401, 408, 413, 422, 429, 500, 503, 504)
    }
    _add_errors(app, parts)
    _add_probes(app, parts)

    @app.post("/v1/answers", responses=problems, summary="Answer questions on a context")
    async def answer(ask: Ask, request: Request, response: Response) -> Answers:
        started = time.monotonic()
        found = await answers.answer(ask, request, parts.engine, parts.limits)
        seconds = time.monotonic() - started
        parts.metrics.requests.labels("200").inc()
        parts.metrics.no_answers.inc(sum(each.no_answer for each in found.answers))
        parts.metrics.seconds.observe(seconds)
        response.headers.update({**_HEADERS, "KubePipe-Release": found.release})
        _LOG.info("answered", questions=len(found.answers), windows=found.windows, seconds=round(seconds, 3))
        return found

    @app.get("/v1/provenance", responses={503: {"model": Problem}}, summary="Where the release comes from")
    def provenance() -> Provenance:
        verified = _loaded(parts).verified
        return Provenance(
            release=verified.digest,
            record=dict(verified.record),
            statements=[dict(each) for each in verified.statements],
        )

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def index() -> HTMLResponse:
        return HTMLResponse(page(), headers={**_HEADERS, "Content-Security-Policy": content_security_policy()})

    def refused(status: int) -> None:
        parts.metrics.requests.labels(str(status)).inc()

    return Guard(cast("Any", app), parts.token, parts.limits.max_body_bytes, parts.limits.request_seconds, refused)


def _add_probes(app: FastAPI, parts: Parts) -> None:
    @app.get("/healthz", summary="Whether the process lives")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether a verified release is loaded, and if not, why")
    def readyz() -> JSONResponse:
        loaded, refusal = parts.engine.loaded, parts.watcher.refusal
        body: dict[str, Any] = {"ready": loaded is not None, "release": loaded.digest if loaded else None}
        if refusal is not None:
            body["refused"] = {"release": refusal.release, "reason": refusal.reason, "hop": refusal.hop}
        return JSONResponse(body, status_code=200 if loaded else 503, headers=_HEADERS)

    @app.get("/metrics", summary="Metrics for Prometheus")
    def metrics() -> Response:
        loaded = parts.engine.loaded
        held = loaded.context_bytes if isinstance(loaded, Loaded) else 0
        digest = loaded.digest if loaded else None
        text = parts.metrics.text(release=digest, waiting=parts.engine.waiting, context_bytes=held)
        return Response(text, media_type=CONTENT_TYPE)


def _add_errors(app: FastAPI, parts: Parts) -> None:
    def problem(status: int, code: str, message: str, retry_after: int | None = None) -> JSONResponse:
        parts.metrics.requests.labels(str(status)).inc()
        _LOG.info("refused", status=status, code=code)
        headers = {**_HEADERS, **({"Retry-After": str(retry_after)} if retry_after else {})}
        return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)

    @app.exception_handler(answers.RefusedError)
    async def refused(_: Request, error: answers.RefusedError) -> JSONResponse:
        return problem(error.status, error.code, error.message, error.retry_after)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "failed", "the request could not be answered")

    @app.exception_handler(HTTPException)
    async def foreign(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST:
            return problem(400, "invalid-json", "the body is no JSON")
        status = HTTPStatus(error.status_code)
        body = {"code": status.phrase.lower().replace(" ", "-"), "message": f"{request.method} is not answered here"}
        return JSONResponse(body, status_code=status, headers={**_HEADERS, **(error.headers or {})})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return problem(400, "invalid-json", "the body is no JSON")
        where = ".".join(
            str(part) for part in first["loc"][1:3] if part in {"context", "questions"} or isinstance(part, int)
        )
        # The library's own report repeats the request.
        return problem(422, "invalid-request", f"{where or 'the body'}: {_RULES.get(first['type'], first['type'])}")


_RULES = {
    "missing": "is missing",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is empty",
    "too_short": "is empty",
    "string_type": "is no text",
    "string_unicode": "holds half of a surrogate pair, which is no text",
    "list_type": "is no list",
    "model_attributes_type": "is no JSON object sent as application/json",
    "extra_forbidden": "holds a field that is not known",
}


def _loaded(parts: Parts) -> Loaded:
    loaded = parts.engine.loaded
    if not isinstance(loaded, Loaded):
        raise answers.RefusedError(503, "not-ready", "no release is loaded; /readyz says why", 5)
    return loaded

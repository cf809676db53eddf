"""What is refused before a body is parsed: a wrong token, and a body that is too large, too slow, or one too many."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

_LOG = structlog.get_logger(__name__)
# Largest bodies that are held at the same time; small ones count by their bytes.
_BODIES = 32

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware: tokens and bodies of everything under /v1, and errors of everything.

    The words of an error may quote the request, so one that nothing else handles ends here; only its kind is logged.

    Args:
        app: What it stands before.
        token: The bearer token; None lets everybody in.
        max_body_bytes: Largest body.
        seconds: Time that a body may take to come.
        refused: Told the status of each refusal.
    """

    def __init__(
        self, app: App, token: str | None, max_body_bytes: int, seconds: float, refused: Callable[[int], None]
    ) -> None:
        self._app, self._token, self._limit, self._seconds, self._refused = app, token, max_body_bytes, seconds, refused
        self._held = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith("/v1/"):
            await self._checked(scope, receive, send)
        else:
            await self._contained(scope, receive, send)

    async def _checked(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if not self._is_known(headers.get(b"authorization", b"")):
            await self._refuse(send, 401, "wrong-token", "the bearer token is missing or wrong", realm=True)
            return
        held: list[bytes] = []
        try:
            refusal = await self._read(held, headers.get(b"content-length", b""), receive)
            if refusal is not None:
                await self._refuse(send, *refusal)
                return
            held[:] = [b"".join(held)]
            await self._contained(scope, _replay(held[0], receive), send)
        finally:
            self._held -= sum(map(len, held))

    async def _contained(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the application has answered, and its words may quote the request
            _LOG.error("request failed", error=type(error).__name__)

    def _is_known(self, given: bytes) -> bool:
        if self._token is None:
            return True
        return hmac.compare_digest(given, b"Bearer " + self._token.encode("utf-8"))

    async def _read(self, held: list[bytes], length: bytes, receive: Receive) -> tuple[int, str, str] | None:
        """Read the body into `held`; why it is refused, or None. No more than the limits is ever kept."""
        too_large = 413, "body-too-large", f"the body is larger than {self._limit} bytes"
        if length.isdigit() and int(length) > self._limit:
            return too_large
        try:
            async with asyncio.timeout(self._seconds):
                size = 0
                while (message := await receive())["type"] != "http.disconnect":
                    held.append(message.get("body", b""))
                    size += len(held[-1])
                    self._held += len(held[-1])
                    if size > self._limit:
                        return too_large
                    if self._held > _BODIES * self._limit:
                        return 429, "busy", "too many large requests are under way; try again"
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            return 408, "too-slow", f"the body did not come within {self._seconds:g} s"
        return None

    async def _refuse(self, send: Send, status: int, code: str, text: str, *, realm: bool = False) -> None:
        self._refused(status)
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        headers += [(b"www-authenticate", b'Bearer realm="kubepipe"')] if realm else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"code": code, "message": text}).encode()})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand out the body once, then whatever comes: the client's hanging up."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again

"""What is refused before a body is parsed: a wrong token, and a body that is too large or too slow."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware for everything under /v1.

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

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        if not self._is_known(headers.get(b"authorization", b"")):
            await self._refuse(send, 401, "wrong-token", "the bearer token is missing or wrong", realm=True)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._body(headers.get(b"content-length", b""), receive)
        except TimeoutError:
            await self._refuse(send, 408, "too-slow", f"the body did not come within {self._seconds:g} s")
            return
        if body is None:
            await self._refuse(send, 413, "body-too-large", f"the body is larger than {self._limit} bytes")
            return
        await self._app(scope, _replay(body, receive), send)

    def _is_known(self, given: bytes) -> bool:
        if self._token is None:
            return True
        return hmac.compare_digest(given, b"Bearer " + self._token.encode("utf-8"))

    async def _body(self, length: bytes, receive: Receive) -> bytes | None:
        """The whole body, or None when it is too large; no more than the limit is ever kept."""
        if length.isdigit() and int(length) > self._limit:
            return None
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limit:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)

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

"""Per-request middleware: request id, log line, body size limit, security headers."""

import asyncio
import logging
import re
import secrets
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import problem
from app.logs import request_id, route_of
from app.settings import Settings

logger = logging.getLogger("app.request")

_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_PORT = re.compile(r":\d*\Z")
_TOO_LARGE = "The body is larger than this server accepts."


class RequestMiddleware:
    """Pure ASGI: Starlette's BaseHTTPMiddleware would slow down every request."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap an application."""
        self.app = app
        self.max_body_size = settings.max_body_size
        self.allowed_hosts = settings.allowed_hosts
        self.headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", b"frame-ancestors 'none'"),
        ]
        if settings.hsts_seconds:
            value = f"max-age={settings.hsts_seconds}; includeSubDomains"
            self.headers.append((b"strict-transport-security", value.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        started = perf_counter()
        given = dict(scope["headers"])
        identifier = given.get(b"x-request-id", b"")
        if not _ID.fullmatch(identifier):
            identifier = secrets.token_hex(16).encode()
        request_id.set(identifier.decode())
        headers = [(b"x-request-id", identifier), *self.headers]
        # A HEAD is a GET whose body is not sent.
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope
        status, size = 0, 0

        async def wrapped(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            elif head:
                message["body"] = b""
            else:
                size += len(message.get("body", b""))
            await send(message)

        app, receive = self._checked(scope, given, receive)
        try:
            await app(inner, receive, wrapped)
        except asyncio.CancelledError:
            # At shutdown, uvicorn cuts off requests that outlast its timeout.
            if status:
                raise
            detail = "The request was cut off; try again later."
            respond = problem("unavailable", detail, headers={"Retry-After": "1"})
            await respond(inner, receive, wrapped)
        except Exception:
            # Respond here, so that outer middleware such as CORSMiddleware adds its headers.
            if not status:
                await problem("internal-error", "Internal server error.")(inner, receive, wrapped)
            raise
        finally:
            route, seconds = route_of(inner), perf_counter() - started
            status = status or 500
            fields = {
                "method": scope["method"],
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 3),
                "bytes": size,
            }
            text = "%s %s %s in %.1f ms"
            logger.info(
                text, scope["method"], route, status, seconds * 1000, extra={"fields": fields}
            )

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the lifespan, and WebSockets to allowed hosts."""
        if scope["type"] == "websocket" and not self._is_allowed(scope):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    def _checked(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[ASGIApp, Receive]:
        """Return the ASGI app for a request, which may be an error response, and its `receive`."""
        length = headers.get(b"content-length")
        if not self._is_allowed(scope):
            return problem("invalid-host", "The Host header is not allowed."), receive
        if length is None:
            return self.app, self._limited(receive)
        if int(length) > self.max_body_size:
            return problem("body-too-large", _TOO_LARGE), receive
        return self.app, receive

    def _is_allowed(self, scope: Scope) -> bool:
        # Probes address a container by its IP.
        if not self.allowed_hosts or scope["path"].startswith("/health/"):
            return True
        given = [value for name, value in scope["headers"] if name == b"host"]
        host = _PORT.sub("", given[0].decode("latin-1")).lower() if given else ""
        return len(given) == 1 and any(
            host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:]))
            for allowed in self.allowed_hosts
        )

    def _limited(self, receive: Receive) -> Receive:
        """Limit the size of a body whose length is not declared."""
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_body_size:
                raise HTTPException(413, _TOO_LARGE)
            return message

        return limited

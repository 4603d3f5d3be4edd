"""`Gate`: who comes in, with how much, and how often. It stands before all handlers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.reviewer.server.errors import BUSY, Refused, response
from hunkwise.reviewer.server.guard.life import LIFE
from hunkwise.reviewer.server.guard.origins import host_is_ours, is_loopback, origin_is_allowed
from hunkwise.reviewer.server.guard.rates import Rates
from hunkwise.reviewer.server.guard.tokens import Token, Tokens

if TYPE_CHECKING:
    from hunkwise.reviewer.server.state import Server

_OPEN = ("/", "/page.css", "/page.js", "/ask.js", "/diff.js", "/healthz", "/readyz", "/openapi.json")
_LISTS = ("/api/tags", "/api/ps", "/api/version", "/v1/models", "/metrics")
_ADMIN = ("/api/pull", "/api/push", "/api/create", "/api/blobs", "/api/copy", "/api/delete")
_SIGNED = "/hooks/"  # each request is signed by a forge, and checked by who reads it
_BYTES_A_TOKEN = 4  # of a body, for bounding the queue
_RETRY = 2.0  # seconds
_HEADERS = frozenset(
    {"authorization", "content-type", "accept", "idempotency-key", "prefer", "user-agent", "x-requested-with"}
)


def scope_of(path: str) -> str:
    """Name what a token must be allowed for a path; "" where any token will do."""
    if path.startswith(_ADMIN):
        return "admin"
    if path.startswith(("/api/review", "/api/ask")):
        return "review"
    return "" if path.startswith(_LISTS) else "infer"


@dataclass(eq=False)
class Gate:
    """Middleware. Each refusal is counted by its reason."""

    app: ASGIApp
    server: Server
    waiting: int = 0  # requests that are inside
    waiting_bytes: int = 0  # of their bodies
    tokens: Tokens = field(init=False)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        settings = self.server.settings
        self.tokens = Tokens(settings.tokens)
        self.rates = Rates(settings.rate, settings.address_rate, settings.redis_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, settings = Headers(scope=scope), self.server.settings
        origin, host = headers.get("origin", ""), headers.get("host", "")
        allowed = bool(origin) and origin_is_allowed(origin, host, settings.origins)
        speak = _with_cors(send, origin) if allowed else send
        try:
            if not scope["path"].startswith(_SIGNED) and not host_is_ours(
                host, settings.host, settings.hosts
            ):
                raise Refused(403, f"the host {host!r:.100} is not this server's", code="host")
            if origin and not allowed and scope["method"] not in ("GET", "HEAD"):
                raise Refused(403, f"pages of {origin!r:.100} may not call this server", code="origin")
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _preflight(scope, receive, speak)
                return
            await self._enter(scope, headers, receive, speak)
        except Refused as refused:
            self.server.refused(refused.failure.code)
            await response(refused.failure, scope["path"])(scope, receive, speak)

    async def _enter(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Check token, rate, size and room. Raises Refused."""
        path, settings = scope["path"], self.server.settings
        if path in _OPEN and scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        token = self._token(path, headers)
        life = LIFE.get(None)
        if life is not None and token is not None:
            life.caller = token.name
        address = (scope.get("client") or ("", 0))[0]
        wait = await self.rates.wait(token.name if token else "", address)
        if wait is not None:
            raise Refused(429, "too many requests; wait a little", code="rate", retry_after=wait)
        # deliveries have limits of their own, take no room of those who ask the model, and come in to the end
        if scope["method"] in ("GET", "HEAD", "DELETE") or path.startswith(_SIGNED):
            await self.app(scope, receive, send)
            return
        if self.server.draining:
            raise Refused(503, "the server is about to end", code="draining", retry_after=_RETRY)
        most = settings.max_body
        length = headers.get("content-length", "")
        size = int(length) if length.isdecimal() else 0  # what comes in chunks is counted as it comes
        if size > most and not path.startswith("/api/blobs"):
            raise Refused(413, f"the body has more than {most:,} bytes", code="body")
        full = self.waiting >= settings.max_queue
        tokens = (self.waiting_bytes + size) // _BYTES_A_TOKEN
        if full or (self.waiting and tokens > settings.max_queue_tokens):  # one alone may be as large as any
            raise Refused(503, BUSY, code="queue_full", retry_after=_RETRY)
        self.waiting += 1
        self.waiting_bytes += size
        self.server.full = self.waiting >= settings.max_queue
        got = 0

        async def counted() -> Message:
            """Count what comes: a body in chunks says no length beforehand."""
            nonlocal got
            message = await receive()
            piece = len(message.get("body", b""))
            got += piece
            if not length:
                self.waiting_bytes += piece
            if got > most:
                raise Refused(413, f"the body has more than {most:,} bytes", code="body")
            return message

        try:
            await self.app(scope, receive if path.startswith("/api/blobs") else counted, send)
        finally:
            self.waiting -= 1
            self.waiting_bytes -= size if length else got
            self.server.full = False

    def _token(self, path: str, headers: Headers) -> Token | None:
        """Find whose token it is; None where the server has none. Raises Refused."""
        if path.startswith(_SIGNED) or (not self.tokens.any and is_loopback(self.server.settings.host)):
            return None
        kind, _, text = headers.get("authorization", "").partition(" ")
        token = self.tokens.find(text.strip()) if kind.lower() == "bearer" else None
        if token is None:
            asks = {"www-authenticate": 'Bearer realm="hunkwise"'}
            raise Refused(
                401, "this server wants a token: Authorization: Bearer …", code="token", headers=asks
            )
        scope = scope_of(path)
        if scope and scope not in token.scopes:
            raise Refused(403, f"this token is not for that; it needs the scope {scope}", code="scope")
        return token


def check_start(host: str, tokens: Tokens) -> str:
    """Say why the server must not start like that; "" if it may. Raises ConfigError."""
    if is_loopback(host) or tokens.any:
        return ""
    return (
        f"on {host} everybody who reaches this machine could use the models and read the code that is reviewed; "
        "make a token first (hunkwise token add NAME), or listen on 127.0.0.1"
    )


def _with_cors(send: Send, origin: str) -> Send:
    async def speak(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = (
                "location, retry-after, x-hunkwise-ignored, x-request-id"
            )
            headers.append("vary", "origin")
            message = {**message, "headers": headers.raw}
        await send(message)

    return speak


async def _preflight(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what a page of an allowed origin may send; OpenAI's client has headers of its own."""
    asked = Headers(scope=scope).get("access-control-request-headers", "").lower()
    names = [name.strip() for name in asked.split(",")]
    allowed = [name for name in names if name in _HEADERS or name.startswith("x-stainless-")]
    headers = {
        "access-control-allow-methods": "GET, HEAD, POST, DELETE",
        "access-control-allow-headers": ", ".join(allowed),
        "access-control-max-age": "600",
    }
    await Response(status_code=204, headers=headers)(scope, receive, send)

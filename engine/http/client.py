"""`Client`: JSON over HTTP to one server, bounded in every direction; the one file that faces httpx."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hunkwise.engine.errors import (
    AccessDenied,
    InvalidQuestion,
    MissingExtra,
    ModelNotFound,
    NativeFailure,
    QueueFull,
    Unreachable,
)
from hunkwise.engine.retry import retry_after

if TYPE_CHECKING:
    import httpx

MOST = 64 << 20  # bytes of one answer
CONNECT = 5.0  # seconds
SILENCE = 600.0  # seconds without a byte while a server computes
RETRY_AFTER = 1.0  # seconds, where a full server does not say
LONGEST = 600.0  # seconds that are waited for one
_TOKEN = re.compile(r"[!-~]*")
_EXCERPT = 300  # characters of a server's own words in an error


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached: a bearer token, a file of certificates to believe, seconds without a byte."""

    token: str = field(default="", repr=False)
    certificates: str = ""
    silence: float = SILENCE


OPEN = Access()


def is_here(url: str) -> bool:
    """Tell whether the address of a server is this machine's own, whatever is before `://`."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Client:
    """Speaks to one server. Thread-safe."""

    def __init__(self, url: str, access: Access = OPEN, transport: httpx.BaseTransport | None = None) -> None:
        """Take the server's address, without a path of an API. Raises InvalidQuestion if it is none."""
        httpx = _httpx()
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise InvalidQuestion(f"{url!r} is no address of a server: {error}") from None
        if not _TOKEN.fullmatch(access.token):  # the error of who sends it would quote it
            raise InvalidQuestion("HUNKWISE_ENGINE_TOKEN has a blank or another sign that no token has")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidQuestion(f"{url!r} is no address of a server; give http://HOST:PORT or https://HOST")
        if parts.username or parts.password:
            raise InvalidQuestion("an engine's address can't hold a password; set HUNKWISE_ENGINE_TOKEN")
        self.url = url.rstrip("/")
        self.host = parts.netloc
        self._client = httpx.Client(
            base_url=self.url,
            headers={"Accept-Encoding": "identity"}  # what is small on the wire is small here
            | ({"Authorization": f"Bearer {access.token}"} if access.token else {}),
            verify=_certificates(access.certificates),
            timeout=httpx.Timeout(access.silence, connect=CONNECT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            follow_redirects=False,  # a token goes where the user said, and nowhere else
            transport=transport,
            # no proxy is asked for what is on this machine
            mounts={f"all://{parts.netloc}": None} if is_here(url) else None,
        )

    def get(self, path: str) -> Any:
        """Fetch JSON. Raises EngineError."""
        return self._whole("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON and read the JSON that comes back. Raises EngineError."""
        return self._whole("POST", path, body)

    def offers(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Give the JSON object at a path, or None if the server has no such path. Raises Unreachable."""
        try:
            found = self.get(path) if body is None else self.post(path, body)
        except Unreachable:
            raise
        except (AccessDenied, ModelNotFound, NativeFailure, InvalidQuestion, QueueFull):
            return None
        return found if isinstance(found, dict) else None

    def lines(self, path: str, body: Mapping[str, Any], stopped: Callable[[], bool]) -> Iterator[str]:
        """Send JSON and give the lines of the answer as they come; none once `stopped` says so."""
        with self._errors(), self._client.stream("POST", path, json=body) as reply:
            if reply.is_error:
                self._refuse(reply.status_code, reply.headers, _read(reply))
            size, rest = 0, b""
            for part in reply.iter_bytes():
                size += len(part)
                if size > MOST:  # a line that never ends too
                    raise NativeFailure(f"{self.host} sent more than {MOST >> 20} MiB")
                if stopped():
                    return
                *whole, rest = (rest + part).split(b"\n")
                yield from (line.decode("utf-8", "replace").rstrip("\r") for line in whole)
            if rest:
                yield rest.decode("utf-8", "replace")

    def events(self, path: str, body: Mapping[str, Any], stopped: Callable[[], bool]) -> Iterator[Any]:
        """Give the JSON of server-sent events, until `[DONE]`."""
        for line in self.lines(path, body, stopped):
            if line.startswith("data:"):
                text = line[5:].strip()
                if text == "[DONE]":
                    return
                yield self.parse(text)

    def parse(self, text: str | bytes) -> Any:
        """Read JSON of the server's. Raises NativeFailure."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise NativeFailure(f"{self.host} sent what is no JSON: {_excerpt(text)}") from None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _whole(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        with self._errors(), self._client.stream(method, path, json=body) as reply:
            text = _read(reply)
            if reply.is_error or reply.is_redirect:
                self._refuse(reply.status_code, reply.headers, text)
        return self.parse(text)

    def _errors(self) -> _Errors:
        return _Errors(self.host)

    def _refuse(self, status: int, headers: Mapping[str, str], text: bytes) -> None:
        """Raise what an error status means."""
        said = f"{self.host} answered {status}: {_excerpt(_sentence(text))}"
        match status:
            case 401 | 403:
                raise AccessDenied(f"{said}; set HUNKWISE_ENGINE_TOKEN to a token that this server takes")
            case 404:
                raise ModelNotFound(said)
            case 429 | 503:
                raise QueueFull(0, min(LONGEST, retry_after(headers.get("retry-after")) or RETRY_AFTER))
            case _ if status >= 500:
                raise NativeFailure(said)
            case _:
                raise InvalidQuestion(said)


class _Errors:
    """Turns httpx's errors into ours."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        httpx = _httpx()
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            raise Unreachable(f"{self._host} can't be reached ({error}); is the server running?") from error
        if isinstance(error, httpx.TimeoutException):
            raise Unreachable(f"{self._host} was silent for too long") from error
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            raise Unreachable(f"{self._host} broke off ({error})") from error


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise MissingExtra("httpx", "http") from error
    return httpx


def _certificates(path: str) -> Any:
    if not path:
        return True
    import ssl

    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise InvalidQuestion(f"{path}: no file of certificates ({error})") from error


def _read(reply: httpx.Response) -> bytes:
    whole = bytearray()
    for part in reply.iter_bytes():
        whole += part
        if len(whole) > MOST:
            raise NativeFailure(f"{reply.url.host} sent more than {MOST >> 20} MiB")
    return bytes(whole)


def _sentence(text: bytes) -> str:
    """Find the sentence in the forms that errors have: Ollama's, OpenAI's, FastAPI's, or plain text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace")
    for key in ("error", "detail", "message"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    return value if isinstance(value, str) else json.dumps(value)


def _excerpt(text: str | bytes) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = "".join(letter if letter.isprintable() else " " for letter in plain[: _EXCERPT + 1]).strip()
    return shown if len(plain) <= _EXCERPT else f"{shown[:_EXCERPT]}…"

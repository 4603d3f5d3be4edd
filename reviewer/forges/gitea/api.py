"""The API of Gitea and Forgejo, over plain HTTP: no SDK of theirs is kept up. https://docs.gitea.com/api/"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import httpx

from hunkwise.engine import retry_after
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.publish.port import Call, NotAllowed, Refused, Unavailable
from hunkwise.reviewer.text.visible import visible_line

_PAGE = 50  # items; the most that Gitea gives unless its administrator allows more
_MOST_PAGES = 100
_MOST_MOVES = 3  # of one question
_LARGEST = 100 << 20  # bytes of an answer


class GiteaApi:
    """A connection to one server with one token. `api` ends in /api/v1; `timeout` is in seconds for one answer."""

    def __init__(self, api: str, token: str, *, timeout: float = 30.0) -> None:
        self._client = httpx.Client(
            base_url=api,
            headers={
                "authorization": f"token {token}",
                "user-agent": "hunkwise",
                "accept": "application/json",
            },
            timeout=timeout,
            follow_redirects=False,  # the token goes nowhere else; see `_moved`
        )
        weakref.finalize(self, self._client.close)

    def send(self, call: Call) -> None:
        """Send one writing request, once. Raises Refused, NotAllowed, Unavailable."""
        self.answer(call)

    def answer(self, call: Call) -> dict[str, Any]:
        """Send one writing request, and give what is answered; {} where that is nothing."""
        body = dict(call.body) if call.body is not None else None
        answer = self._asked(call.verb, call.path, body)
        return dict(answer.json()) if answer.content and answer.status_code != 204 else {}

    def get(self, path: str) -> dict[str, Any]:
        """Read one object."""
        value = _json(self._asked("GET", path), path)
        if not isinstance(value, dict):
            raise ForgeError(f"Gitea answered something else than an object to GET {path}")
        return value

    def text(self, path: str) -> str:
        """Read what is no JSON."""
        return self._asked("GET", path).text

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end."""
        for number in range(1, _MOST_PAGES + 1):
            items = _json(self._asked("GET", f"{path}?page={number}&limit={_PAGE}"), path)
            yield from items
            if len(items) < _PAGE:
                return
        raise ForgeError(f"Gitea's list {path} has more than {_MOST_PAGES} pages")

    def _asked(self, verb: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        whole = self._answered(verb, path, body)
        for _ in range(_MOST_MOVES):
            if verb != "GET" or not whole.is_redirect or not (path := self._moved(whole)):
                break
            whole = self._answered(verb, path, body)
        if whole.status_code >= 300:
            raise meaning(whole, f"{verb} {path}")
        return whole

    def _moved(self, answer: httpx.Response) -> str:
        """Say where what is asked for is by now, as after a repository was renamed; "" outside this API."""
        base = self._client.base_url
        try:
            url = base.join(answer.headers["location"])
        except (KeyError, httpx.InvalidURL):
            return ""
        same = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
        return str(url) if same and url.path.startswith(base.path) else ""

    def _answered(self, verb: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        doing = f"{verb} {path}"
        try:
            with self._client.stream(verb, path, json=body) as answer:
                content = bytearray()
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST:
                        raise ForgeError(f"Gitea's answer to {doing} has more than {_LARGEST:,} bytes")
        except httpx.HTTPError as error:
            raise Unavailable(f"{doing}: no answer ({type(error).__name__})") from error
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(content))


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Leave out how the body was packed, since it is unpacked by now."""
    return {
        key: value for key, value in headers.items() if key in ("content-type", "retry-after", "location")
    }


def _json(answer: httpx.Response, path: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise ForgeError(
            f"Gitea answered something else than JSON to GET {path}; is the address its own?"
        ) from None


def meaning(answer: httpx.Response, doing: str) -> ForgeError:
    """Translate a refusal; the message has Gitea's own words and never a token."""
    status = answer.status_code
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = "no reason given"
    text = f"Gitea answered {status} to {doing}: {visible_line(said)[:300]}"
    if status < 400:
        return ForgeError(f"{text}; it sends us elsewhere, where the token is not taken; use the new address")
    if status == 429 or status >= 500:
        return Unavailable(text, retry_after(answer.headers.get("retry-after")))
    if status == 401:
        return ForgeError(f"{text}; is the token still good?")
    if status in (403, 404):
        return NotAllowed(f"{text}; the token needs write:issue and write:repository, and a writer's account")
    return Refused(text) if status in (400, 409, 413, 422, 423) else ForgeError(text)

"""GitHub's API: the only file that imports PyGithub.

PyGithub gives authentication, the base address, proxies and certificates, pacing of writes, and the errors.
Its own retries are off: it would repeat a POST after a 5xx, which may have been accepted
(PyGithub 2.10, GithubRetry). Repeating is `delivery`'s business, after a look at what is there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import github
from github.GithubException import GithubException
from jwt.exceptions import PyJWTError

from hunkwise.engine import retry_after
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.publish.port import Call, NotAllowed, Refused, Unavailable
from hunkwise.reviewer.text.visible import visible_line

GRAPHQL = "/graphql"
PAGE = 100  # items
MOST_PAGES = 100
_GITHUB_COM = "https://api.github.com"
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


def meaning(error: GithubException, doing: str) -> ForgeError:
    """Translate an error of PyGithub; the message has GitHub's own words and never a token."""
    data = error.data if isinstance(error.data, Mapping) else {}
    said = visible_line(str(data.get("message") or error.message or "no reason given"))[:300]
    details = data.get("errors")
    if details:
        said += f" ({visible_line(str(details))[:300]})"
    text = f"GitHub answered {error.status} to {doing}: {said}"
    headers = {key.lower(): value for key, value in (error.headers or {}).items()}
    spent = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    limited = error.status == 429 or (error.status == 403 and (spent or "rate limit" in said.lower()))
    if limited:
        return Unavailable(text, _wait(headers))
    if error.status == 401:
        return ForgeError(f"{text}; is the token still good?")
    if error.status in (403, 404):
        return NotAllowed(f"{text}; the token needs `pull-requests: write` for this repository")
    if (error.status >= 500 and error.status != 501) or error.status == 408:
        return Unavailable(text)
    if "submitted too quickly" in said.lower():
        return Unavailable(text, _wait(headers))
    if "pending review" in said.lower():
        return ForgeError(f"{text}; submit or discard the review that this account has begun, then run again")
    return Refused(text) if error.status in (400, 405, 410, 413, 422, 501) else ForgeError(text)


def _wait(headers: Mapping[str, str]) -> float:
    """Read how long to wait, in seconds; a minute where GitHub names no time (its own advice)."""
    asked, reset = retry_after(headers.get("retry-after")), headers.get("x-ratelimit-reset", "")
    if asked is not None:
        return asked
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(0.0, float(reset) - time.time()) + 1
    return 60.0


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except GithubException as error:
        raise meaning(error, doing) from error
    except OSError as error:  # what `requests` raises, time-outs and resets included
        raise Unavailable(f"{doing}: no answer ({type(error).__name__})") from error
    except RuntimeError as error:  # PyGithub, on a redirection to another server
        raise ForgeError(f"{doing}: {error}") from error


def app_auth(app: str, key: str) -> github.Auth.AppAuth:
    """Make what signs as a GitHub App. Raises ForgeError for a key that can't."""
    try:
        auth = github.Auth.AppAuth(app, key)
        auth.create_jwt()
    except (ValueError, TypeError, AttributeError, PyJWTError) as error:  # the last but one for a public key
        raise ForgeError("the key of the GitHub App is no private key in PEM form") from error
    return auth


def installation_token(
    api: str, app: str, key: str, installation: int, permissions: Mapping[str, str]
) -> str:
    """Ask for a token of a GitHub App's installation, for an hour and for these permissions alone.

    Raises ForgeError; for a key that is none too.
    """
    client = github.GithubIntegration(auth=app_auth(app, key), base_url=api, timeout=30, retry=None)
    with _translated("the installation's token"):
        return client.get_access_token(installation, permissions=dict(permissions)).token


class GitHubApi:
    """A connection to one server with one token. `api` is the base address; `timeout` in seconds."""

    def __init__(self, api: str, token: str, *, timeout: int) -> None:
        client = github.Github(
            base_url=api,
            auth=github.Auth.Token(token),
            retry=None,
            timeout=timeout,
            seconds_between_requests=0,
            # 80 writes a minute set off github.com's secondary limit; GitHub Enterprise Server has none
            seconds_between_writes=1 if api == _GITHUB_COM else 0,
            user_agent="hunkwise",
        )
        self._requester = client.requester
        self._api = api

    def send(self, call: Call) -> None:
        """Send one writing request, once. Raises Refused, NotAllowed, Unavailable."""
        if call.path == GRAPHQL and call.body is not None:
            with _translated(f"{call.verb} {call.path}"):
                self._requester.graphql_query(call.body["query"], dict(call.body["variables"]))
        else:
            self.answer(call)

    def answer(self, call: Call) -> dict[str, Any]:
        """Send one writing request, once, and give what is answered."""
        body = dict(call.body) if call.body is not None else None
        with _translated(f"{call.verb} {call.path}"):
            return self._requester.requestJsonAndCheck(call.verb, call.path, input=body)[1] or {}

    def text(self, path: str, media: str) -> str | None:
        """Read something in another form than JSON, None where the server does not give that form."""
        with _translated(f"GET {path}"):
            status, headers, text = self._requester.requestBlob("GET", path, headers={"Accept": media})
        if status >= 500:
            raise Unavailable(f"GitHub answered {status} to GET {path}")
        as_json = headers.get("content-type", "").startswith("application/json")
        return text if status == 200 and not as_json else None

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end, by the links that GitHub gives, on this server only."""
        url = f"{path}{'&' if '?' in path else '?'}per_page={PAGE}" if "per_page" not in path else path
        for _ in range(MOST_PAGES):
            headers, items = self._request(url)
            yield from items
            following = _NEXT.search(headers.get("link", ""))
            if following is None:
                return
            url = following[1]
            if not url.startswith(f"{self._api}/"):
                raise ForgeError(f"GitHub's list goes on at another address than {self._api}; not followed")
        raise ForgeError(f"GitHub's list {path} has more than {MOST_PAGES} pages")

    def get(self, path: str) -> dict[str, Any]:
        """Read one object."""
        answer: dict[str, Any] = self._request(path)[1]
        return answer

    def _request(self, path: str) -> tuple[Mapping[str, str], Any]:
        with _translated(f"GET {path}"):
            return self._requester.requestJsonAndCheck("GET", path)

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Ask GraphQL; {} where it can't be used (an old server, a token without the right)."""
        try:
            with _translated("a GraphQL query"):
                return self._requester.graphql_query(query, dict(variables))[1].get("data") or {}
        except (NotAllowed, Refused):
            return {}

"""HTTP as pulls need it: resumed, bounded in every direction, and hashed while the bytes arrive.

Proxies and certificates are those of the environment, as urllib reads them (`https_proxy`, `no_proxy`,
`SSL_CERT_FILE`, `SSL_CERT_DIR`).
"""

from __future__ import annotations

import functools
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from hunkwise.engine.errors import DownloadFailed
from hunkwise.engine.models.sources.partial import FreeSpace, Partial, Told, free_bytes, silent
from hunkwise.engine.retry import RetryPolicy, retry_after, with_retries

AGENT = "hunkwise"
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class DownloadPolicy(RetryPolicy):
    """How long to bear with a server that sends large files. `stall` is in seconds without a byte.

    Tries count as in a row while each brings fewer than `step` bytes.
    """

    tries: int = 6
    first_wait: float = 1.0
    spread: float = 0.25
    step: int = 1 << 16
    stall: float = 15.0


PATIENT = DownloadPolicy()


class Refused(DownloadFailed):
    """The server answered with an error status, which `status` and `headers` (lower-case names) tell."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        reason = http.client.responses.get(status, "unknown status")
        super().__init__(f"{_host(url)} answered {status} {reason}")
        self.status = status
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; header names are in lower case."""

    body: bytes
    headers: Mapping[str, str]


class _Interrupted(Exception):
    """A try failed in a way that another may not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _host(url: str) -> str:
    """Name the host for messages, without the password that may stand before it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DownloadFailed(f"{url!r} is no http or https address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise DownloadFailed(f"{url!r} is no http or https address")
    return url


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and leaves Authorization behind when they lead to another host, scheme or port."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Build the next request."""
        following = super().redirect_request(req, fp, code, msg, headers, _checked(newurl))  # type: ignore[arg-type]
        if following is not None and _origin(newurl) != _origin(req.full_url):
            following.remove_header("Authorization")
        return following


def _open(url: str, headers: Mapping[str, str], policy: DownloadPolicy) -> http.client.HTTPResponse:
    request = urllib.request.Request(  # noqa: S310 - _checked lets http and https through alone
        _checked(url), headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
    )
    try:
        response = urllib.request.build_opener(_Redirects).open(request, timeout=policy.stall)
    except urllib.error.HTTPError as error:
        told = {name.lower(): value for name, value in error.headers.items()}
        error.close()
        refused = Refused(error.url or url, error.code, told)
        if error.code in RETRIED:
            raise _Interrupted(str(refused), retry_after(told.get("retry-after"))) from refused
        raise refused from None
    except urllib.error.URLError as error:
        reason = error.reason
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        raise _Interrupted(f"{_host(url)} can't be reached: {said}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(f"{_host(url)} broke off: {error or type(error).__name__}") from error
    except ValueError:  # its text may quote a header, and with it a token
        raise DownloadFailed(
            f"{_host(url)} was not asked: the address, a redirect's or a header is malformed"
        ) from None
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _keep_trying(attempt: Callable[[], bool], position: Callable[[], int], policy: DownloadPolicy) -> None:
    """Call `attempt` until it returns True; a try that moved `position` on is the first one in a row.

    A host that can't be reached at the very first try is given up at once: another source may answer.
    """
    reached, last = False, position()

    def tried() -> None:
        nonlocal reached
        try:
            whole = attempt()
        except _Interrupted as interruption:
            reached = reached or not isinstance(interruption.__cause__, urllib.error.URLError)
            if not reached:
                raise DownloadFailed(str(interruption)) from interruption
            raise
        reached = True
        if not whole:
            raise _Interrupted("the connection was cut")

    def progressed() -> bool:
        nonlocal last
        moved = position() - last >= policy.step
        last = position() if moved else last
        return moved

    try:
        with_retries(tried, _Interrupted, policy, progressed)
    except _Interrupted as final:
        wait = final.wait
        long = wait is not None and wait > policy.longest_wait
        why = f" and asks to wait {wait:.0f} s" if long else f" ({policy.tries} tries in a row)"
        raise DownloadFailed(f"{final}{why}") from final


def read(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    limit: int = 16 << 20,
    policy: DownloadPolicy = PATIENT,
) -> Reply:
    """Get a small document of at most `limit` bytes.

    Raises Refused for an error status, and DownloadFailed where nobody answers or the answer is too long.
    """
    replies: list[Reply] = []

    def attempt() -> bool:
        with _open(url, headers or {}, policy) as response:
            try:
                body = response.read(limit + 1)
            except (OSError, http.client.HTTPException) as error:
                raise _Interrupted(f"{_host(url)} broke off: {error}") from error
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and len(body) < min(int(length), limit + 1):
                return False
            replies.append(Reply(body, {name.lower(): value for name, value in response.headers.items()}))
            return True

    _keep_trying(attempt, lambda: 0, policy)
    if len(replies[-1].body) > limit:
        raise DownloadFailed(f"{_host(url)} sent more than {limit} bytes for {urlsplit(url).path}")
    return replies[-1]


def download(
    url: str,
    target: Path,
    *,
    sha256: str,
    size: int,
    headers: Mapping[str, str] | None = None,
    told: Told = silent,
    policy: DownloadPolicy = PATIENT,
    free: FreeSpace = free_bytes,
) -> None:
    """Fetch `size` bytes into `target`, a temporary name that a later call continues.

    Raises DownloadFailed (the bytes so far stay), CorruptModel for a wrong digest (they are deleted),
    StoreError if the disk is full or refuses.
    """
    etag: list[str] = []  # of the answer that the bytes so far came from
    with Partial(target, sha256=sha256, size=size, told=told, free=free) as partial:
        if partial.offset < size:
            attempt = functools.partial(_stretch, url, partial, headers or {}, etag, policy)
            _keep_trying(attempt, lambda: partial.offset, policy)
        partial.finish()


def _stretch(
    url: str, partial: Partial, headers: Mapping[str, str], etag: list[str], policy: DownloadPolicy
) -> bool:
    """Fetch from where the file ends until the server stops sending; True if the file is whole."""
    asked = dict(headers)
    if partial.offset:
        asked["Range"] = f"bytes={partial.offset}-"
        if etag:
            asked["If-Range"] = etag[0]
    try:
        response = _open(url, asked, policy)
    except Refused as refused:
        if refused.status == 416 and partial.offset:  # the file there is shorter than what we hold
            partial.restart()
            raise _Interrupted(str(refused)) from refused
        raise
    with response:
        _agree(response, url, partial)
        tag = response.headers.get("ETag", "")
        etag[:] = [tag] if tag.startswith('"') else []  # If-Range takes no weak ones (RFC 9110, 13.1.5)
        try:
            while chunk := response.read1(1 << 18):
                partial.write(chunk)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise _Interrupted(f"{_host(url)} broke off: {reason}") from error
    return partial.offset == partial.size


def _agree(response: http.client.HTTPResponse, url: str, partial: Partial) -> None:
    """Check what the server is about to send against what was asked; start over where it ignores Range."""
    host = _host(url)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadFailed(f"{host} sends encoded bytes, which can't be resumed or checked")
    length = response.headers.get("Content-Length", "")
    if response.status == 206:
        range_ = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if range_ is None or int(range_[1]) != partial.offset:
            raise DownloadFailed(f"{host} sends another range than the one asked for")
        total = range_[2]
    else:
        if partial.offset:
            partial.restart()
        total = length
    if total.isdigit() and int(total) != partial.size:
        raise DownloadFailed(f"{host} offers {total} bytes, expected {partial.size}")

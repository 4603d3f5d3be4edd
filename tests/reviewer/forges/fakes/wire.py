"""The line between the SDKs and the fake forges: checks of what passes, and the poster's death."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from fakes.github import DIFF
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.templating.responses.exceptions import ResponseNotFound


class Checked:
    """Checks each request and answer against a contract, below the SDK. Calls to /graphql pass."""

    def __init__(self, text: str) -> None:
        document = json.loads(text, object_hook=mended)
        self.server = document["servers"][0]["url"]
        config = Config(extra_media_type_deserializers={DIFF: as_text})
        self.api = OpenAPI.from_dict(document, config=config)

    def request(self, prepared: requests.PreparedRequest) -> RequestsOpenAPIRequest:
        """The request, as if it went to the server that the description names."""
        moved = prepared.copy()
        parts = urlsplit(str(prepared.url))
        moved.url = str(prepared.url).replace(f"{parts.scheme}://{parts.netloc}", self.server, 1)
        return RequestsOpenAPIRequest(moved)

    def before(self, prepared: requests.PreparedRequest) -> None:
        if "/graphql" not in str(prepared.url):
            self.api.validate_request(self.request(prepared))

    def after(self, prepared: requests.PreparedRequest, answer: requests.Response) -> None:
        if "/graphql" in str(prepared.url):
            return
        try:
            self.api.validate_response(self.request(prepared), RequestsOpenAPIResponse(answer))
        except ResponseNotFound:
            if answer.status_code < 400:  # descriptions don't list every refusal
                raise


def mended(schema: dict[str, Any]) -> dict[str, Any]:
    """A check run that goes on has no conclusion: null, which GitHub's list of values forgets."""
    if schema.get("nullable") and "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def as_text(body: bytes | str, **_: object) -> str:
    return body.decode() if isinstance(body, bytes) else body


class Wire:
    """The line between the SDKs and the fakes: checks, and the poster's death at a chosen request."""

    def __init__(self) -> None:
        self.checked: Checked | None = None
        self.sent = 0
        self.cut_at: int | None = None  # 0-based

    def send(
        self, real: Callable[..., requests.Response], adapter: Any, prepared: Any, **options: Any
    ) -> Any:
        number, self.sent = self.sent, self.sent + 1
        if number == self.cut_at:
            raise Killed
        if self.checked:
            self.checked.before(prepared)
        answer = real(adapter, prepared, **options)
        if self.checked:
            self.checked.after(prepared, answer)
        return answer


class Killed(BaseException):
    """The poster's process ended."""

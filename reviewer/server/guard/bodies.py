"""Reading the body of a request."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import Request

from hunkwise.reviewer.server.errors import Refused


async def json_object(request: Request) -> dict[str, Any]:
    """Read the body as one JSON object. Raises Refused."""
    body = await request.body()
    if not body.strip():
        raise Refused(400, "missing request body", code="missing_body")
    try:
        value = json.loads(body, parse_constant=_no_number)
        if b"\\ud" in body or b"\\uD" in body:  # half a character is no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else _said(error)
        raise Refused(400, f"the request body is not JSON: {what}", code="invalid_json") from None
    if not isinstance(value, dict):
        raise Refused(400, "the request body must be a JSON object", code="invalid_json")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _said(error: ValueError) -> str:
    """Say what is wrong without repeating what was sent."""
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at line {error.lineno}, column {error.colno}"
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case UnicodeEncodeError():
            return "half of a surrogate pair"
        case _:
            return str(error)

"""The bodies of requests as values; what is wrong in one is said with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import Request

from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.guard.bodies import json_object
from hunkwise.reviewer.text.checked_json import Form, FormError, read_as

_FORM = Form(lenient=True, longest_text=64 << 20)  # the body as a whole is bounded before it is read

B = TypeVar("B")


async def read_body(kind: type[B], request: Request) -> B:
    """Read the body of a request. Raises Refused."""
    return checked(kind, await json_object(request))


def checked(kind: type[B], body: Mapping[str, Any]) -> B:
    """Check a body against its type. Raises Refused with the place of the first mistake."""
    with refusing():
        return read_as(_FORM, kind, body)


@contextmanager
def refusing() -> Iterator[None]:
    """Answer a value of a wrong form with 400 and its place."""
    try:
        yield
    except FormError as error:
        place = str(error).partition(" ")[0].rstrip(":")
        raise Refused(400, str(error), code="invalid_value", param=place) from None

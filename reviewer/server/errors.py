"""What went wrong as one value, `Failure`, and how each API words it. Handlers raise; nobody else makes errors.

Under `/v1` clients read OpenAI's form, everywhere else Ollama's `{"error": text}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from hunkwise.engine import errors as engine
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.server.observe.faults import log_fault

BUSY = "server busy, please try again.  maximum pending requests exceeded"  # Ollama's sentence, to the blank
OURS_UNDER_V1 = ("/v1/systemone",)  # Ollama's client reads these, though they stand under /v1


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a client is told of it.

    `code` is a word for programs, `param` the field of the request that is to blame. `retry_after` is in seconds;
    None says that the same request would fail again.
    """

    status: int
    message: str
    code: str = ""
    param: str = ""
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """What a handler raises to answer with a failure: `raise Refused(400, "missing request body")`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str = "",
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = Failure(status, message, code, param, retry_after, headers or {})


_OF_ENGINE: tuple[tuple[type[engine.EngineError], int, str], ...] = (
    (engine.PromptTooLong, 400, "context_length_exceeded"),
    (engine.InvalidQuestion, 400, "invalid_value"),
    (engine.InvalidName, 400, "invalid_model"),
    (engine.ModelfileError, 400, "invalid_modelfile"),
    (engine.ModelNotFound, 404, "model_not_found"),
    (engine.DownloadFailed, 502, "download_failed"),
    (engine.Cancelled, 499, "cancelled"),
    (engine.DeadlineExceeded, 504, "timeout"),
    (engine.MissingExtra, 501, "not_installed"),
    (engine.Unreachable, 502, "engine_unreachable"),
    (engine.AccessDenied, 502, "engine_refuses"),
)


def failure_of(error: BaseException) -> Failure:
    """Say what an exception means to a client. What is no error of ours is a bug, and only logged."""
    match error:
        case Refused():
            return error.failure
        case HTTPException():
            return Failure(error.status_code, error.detail, headers=error.headers or {})
        case engine.QueueFull():
            return Failure(503, BUSY, "queue_full", retry_after=error.retry_after)
        case engine.Closed():
            return Failure(503, str(error), "closed", retry_after=1.0)
        case engine.Interrupted():
            return Failure(503, str(error), "interrupted", retry_after=1.0)
        case engine.DoesNotFit():
            return Failure(503, str(error), "does_not_fit")
        case engine.EngineError():
            for kind, status, code in _OF_ENGINE:
                if isinstance(error, kind):
                    return Failure(status, str(error), code)
            return Failure(500, str(error), "engine_failed")
        case ReviewError():
            return Failure(400, str(error), "invalid_value")
        case _:
            log_fault(error)
            return Failure(
                500, "the server failed; its log says where, by the request's id", "internal_error"
            )


def in_openai_form(path: str) -> bool:
    """Tell whether who calls this path reads errors in OpenAI's form."""
    return path.startswith("/v1/") and not path.startswith(OURS_UNDER_V1)


def worded(failure: Failure, path: str) -> dict[str, Any]:
    """Word a failure for those who call `path`: also the last line of a stream that has begun."""
    if not in_openai_form(path):
        return {"error": failure.message}
    return {
        "error": {
            "message": failure.message,
            "type": _openai_type(failure.status),
            "param": failure.param or None,
            "code": failure.code or None,
        }
    }


def _openai_type(status: int) -> str:
    match status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 404:
            return "not_found_error"
        case 429:
            return "rate_limit_error"
        case _ if status < 500:
            return "invalid_request_error"
        case _:
            return "api_error"


def response(failure: Failure, path: str) -> JSONResponse:
    """Make the response of a request that failed before its first byte."""
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(failure.retry_after)))
    if in_openai_form(path):
        headers["x-should-retry"] = "false" if failure.retry_after is None else "true"
    return JSONResponse(worded(failure, path), failure.status, headers)

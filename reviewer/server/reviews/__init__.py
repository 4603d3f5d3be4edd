"""Reviews over HTTP: `POST /api/review`, and `/api/review/{id}` for those that take longer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import nullcontext

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.guard.bodies import json_object
from hunkwise.reviewer.server.guard.life import caller
from hunkwise.reviewer.server.reviews.answering import answer, brief, described, told, wanted
from hunkwise.reviewer.server.reviews.asking import read_body
from hunkwise.reviewer.server.reviews.jobs import Job, Jobs
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import ndjson, sse

PATH = "/api/review"
_LONGEST_KEY = 200


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    jobs = Jobs(server)
    server.queues["reviews"] = jobs.waiting
    server.at_close.append(jobs.stop_all)

    async def post(request: Request) -> Response:
        return await _post(jobs, request)

    async def listed(request: Request) -> Response:
        return JSONResponse({"reviews": [brief(job) for job in jobs.of(caller())]})

    async def get(request: Request) -> Response:
        job = jobs.find(request.path_params["id"], caller())
        form = _form(request)
        if form in ("ndjson", "sse"):
            return _streamed(job, form)
        return answer(job, form, PATH)

    async def drop(request: Request) -> Response:
        jobs.drop(jobs.find(request.path_params["id"], caller()))
        return Response(status_code=204)

    one = PATH + "/{id}"
    table: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
        (PATH, "POST", post),
        (PATH, "GET", listed),
        (one, "GET", get),
        (one, "DELETE", drop),
    )
    return [Route(path, handler, methods=[method]) for path, method, handler in table]


async def _post(jobs: Jobs, request: Request) -> Response:
    form = _form(request)
    body = read_body(await json_object(request))
    key = request.headers.get("idempotency-key", "")
    if len(key) > _LONGEST_KEY:
        raise Refused(400, f"an idempotency key has at most {_LONGEST_KEY} characters")
    job = jobs.start(body, caller(), key)
    if not body.wait or "respond-async" in request.headers.get("prefer", ""):
        job.stays = True
        return answer(job, "ours", PATH, 202)
    if form in ("ndjson", "sse"):
        return _streamed(job, form, jobs)
    with jobs.awaited(job):
        await job.finished()
    return answer(job, form, PATH, waited=True)


def _streamed(job: Job, form: str, jobs: Jobs | None = None) -> Response:
    """Stream findings as they are confirmed, and the whole at last; who asked and goes takes it back."""

    async def lines() -> AsyncGenerator[object, None]:
        with jobs.awaited(job) if jobs else nullcontext():
            async for finding in job.told():
                yield {"finding": told(finding)}
            yield {"review": described(job)}

    return (sse if form == "sse" else ndjson)(lines(), {"location": f"{PATH}/{job.id}"})


def _form(request: Request) -> str:
    return wanted(request.headers.get("accept", ""), request.query_params.get("format", ""))

"""Questions over HTTP: `POST /api/ask` answers one, `GET /api/ask` lists what can be asked about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hunkwise.reviewer.answering.telling import told, told_passage, told_sentence
from hunkwise.reviewer.server.asks.asking import Body, carry_out, read_body, repositories
from hunkwise.reviewer.server.guard.bodies import json_object
from hunkwise.reviewer.server.guard.life import caller
from hunkwise.reviewer.server.inference.routing import routed
from hunkwise.reviewer.server.reviews.answering import STREAMS, media_types
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import ndjson, sse
from hunkwise.reviewer.server.threads import in_thread

PATH = "/api/ask"


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    return routed(server, [("POST", PATH, _post), ("GET", PATH, _listed)])


async def _listed(server: Server, request: Request) -> Response:
    return JSONResponse({"repositories": await in_thread(partial(repositories, server))})


async def _post(server: Server, request: Request) -> Response:
    body = read_body(await json_object(request), server)
    media = media_types(request.headers.get("accept", ""))
    form = next((STREAMS[each] for each in media if each in STREAMS), "")
    if form:
        return (sse if form == "sse" else ndjson)(_events(server, body))
    async for event in _events(server, body):
        if "answer" in event:
            return JSONResponse(event["answer"], headers={"cache-control": "no-store"})
    raise AssertionError("the last event is the answer")


async def _events(server: Server, body: Body) -> AsyncGenerator[dict[str, object], None]:
    """Give the passages as soon as they are found, each sentence as soon as it is checked, and the whole at last.

    Whoever stops listening takes back what is asked of the model.
    """
    loop, news = asyncio.get_running_loop(), asyncio.Queue[dict[str, object]]()
    stopped, asker = threading.Event(), caller()

    def tell(event: dict[str, object]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(news.put_nowait, event)

    def work() -> None:
        answer = carry_out(
            server,
            body,
            asker,
            stopped,
            found=lambda passages: tell({"passages": [told_passage(each) for each in passages]}),
            heard=lambda sentence: tell({"sentence": told_sentence(sentence)}),
        )
        tell({"answer": told(answer)})

    working = asyncio.ensure_future(in_thread(work))
    working.add_done_callback(lambda done: news.put_nowait({}))
    try:
        while event := await news.get():
            yield event
        await working  # raises what went wrong
    finally:
        stopped.set()
        working.cancel()

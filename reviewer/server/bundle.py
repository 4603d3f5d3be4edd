"""The engine's port over the wire: `/api/bundle`, by which one hunkwise is the engine of another.

`GET /api/bundle?model=NAME` describes the model, `POST /api/bundle` answers a bundle in lines of JSON, and
`POST /api/bundle/size` counts its tokens. The engine's `protocol` is the form of it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hunkwise.engine import Bundle, errors, protocol
from hunkwise.reviewer.server.guard.bodies import json_object
from hunkwise.reviewer.server.inference.routing import Endpoint, routed
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import Piece, ndjson, told
from hunkwise.reviewer.server.threads import in_thread
from hunkwise.reviewer.version import VERSION


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    size = f"{protocol.PATH}/size"
    table: tuple[Endpoint, ...] = (
        ("GET", protocol.PATH, _describe),
        ("POST", protocol.PATH, _answer),
        ("POST", size, _measure),
    )
    return routed(server, table)


async def _describe(server: Server, request: Request) -> Response:
    async with server.lease(request.query_params.get("model") or server.settings.model) as lease:
        card = await in_thread(lease.engine.card)
    return JSONResponse({"hunkwise": VERSION, "card": protocol.write_card(card)})


async def _answer(server: Server, request: Request) -> Response:
    model, bundle = protocol.read_bundle(await json_object(request))
    return ndjson(_lines(server, model or server.settings.model, bundle))


async def _measure(server: Server, request: Request) -> Response:
    model, bundle = protocol.read_bundle(await json_object(request))
    async with server.lease(model or server.settings.model) as lease:
        size = await in_thread(partial(lease.engine.measure, bundle))
    return JSONResponse({"size": protocol.pack_size(size)})


async def _lines(server: Server, model: str, bundle: Bundle) -> AsyncGenerator[object, None]:
    """Give texts as they come and the answers at last, and a sign of life where nothing else is to be said.

    An error of the engine's is a line too: the other side raises it as it was raised here.
    """
    news: asyncio.Queue[object] = asyncio.Queue(1)

    async def listen() -> None:
        try:
            async with server.lease(model) as lease:
                async for item in told(lease, bundle):
                    if isinstance(item, Piece):
                        await news.put({"text": protocol.pack_piece(item.id, item.text)})
                    else:
                        await news.put({"answers": protocol.pack_answers(item)})
        except errors.EngineError as error:
            await news.put({"error": protocol.pack_error(error)})
        except Exception as error:  # noqa: BLE001 - raised again where the stream is written
            await news.put(error)

    listening = asyncio.ensure_future(listen())
    try:
        while True:
            getting = asyncio.ensure_future(news.get())
            done, _ = await asyncio.wait({getting}, timeout=protocol.BEAT)
            while not done:
                yield {}
                done, _ = await asyncio.wait({getting}, timeout=protocol.BEAT)
            line = getting.result()
            if isinstance(line, Exception):
                raise line
            yield line
            if isinstance(line, dict) and ("answers" in line or "error" in line):
                return
    finally:
        listening.cancel()

"""POST /api/embed, and the older /api/embeddings."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.reviewer.server.inference.embedding import embed
from hunkwise.reviewer.server.inference.finding import find
from hunkwise.reviewer.server.inference.options import keep_alive
from hunkwise.reviewer.server.inference.reading import read_body, refusing
from hunkwise.reviewer.server.ollama.bodies import EmbedBody, EmbeddingsBody
from hunkwise.reviewer.server.ollama.replies import nanoseconds
from hunkwise.reviewer.server.state import Server

_MISSING = 'model "{}" not found, try pulling it first'


async def embed_texts(server: Server, request: Request) -> Response:
    """Embed one text or several, each as a vector of length 1; none loads the model."""
    body = await read_body(EmbedBody, request)
    found = await find(server, body.model, _MISSING)
    with refusing():
        stays = keep_alive(body.keep_alive)
    texts = [body.input] if isinstance(body.input, str) else list(body.input)
    done = await embed(
        server, found, texts, shorten=body.truncate, dimensions=body.dimensions, keep_alive=stays
    )
    return JSONResponse(
        {
            "model": body.model,
            "embeddings": done.vectors,
            "total_duration": nanoseconds(done.times.total),
            "load_duration": nanoseconds(done.times.load),
            "prompt_eval_count": done.tokens,
        }
    )


async def embed_prompt(server: Server, request: Request) -> Response:
    """Embed one text as the model gives it, not brought to length 1; none loads the model."""
    body = await read_body(EmbeddingsBody, request)
    found = await find(server, body.model, _MISSING)
    with refusing():
        stays = keep_alive(body.keep_alive)
    texts = [body.prompt] if body.prompt else []
    done = await embed(server, found, texts, normalised=False, keep_alive=stays)
    return JSONResponse({"embedding": done.vectors[0] if done.vectors else []})

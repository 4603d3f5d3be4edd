"""POST /v1/embeddings."""

from __future__ import annotations

import base64
import struct

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.embedding import embed
from hunkwise.reviewer.server.inference.finding import find
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.openai.bodies import EmbeddingsBody
from hunkwise.reviewer.server.openai.texts import texts_of
from hunkwise.reviewer.server.state import Server


async def embeddings(server: Server, request: Request) -> Response:
    """Embed one text or several."""
    body = await read_body(EmbeddingsBody, request)
    found = await find(server, body.model)
    if body.encoding_format not in ("float", "base64"):
        raise Refused(400, "encoding_format must be float or base64", param="encoding_format")
    if body.dimensions is not None and body.dimensions < 1:
        raise Refused(400, "dimensions must be 1 or more", param="dimensions")
    texts = texts_of(body.input, "input")
    done = await embed(server, found, texts, shorten=False, dimensions=body.dimensions or 0)
    packed = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(done.vectors)
    ]
    usage = {"prompt_tokens": done.tokens, "total_tokens": done.tokens}
    return JSONResponse({"object": "list", "data": data, "model": body.model, "usage": usage})


def _packed(vector: tuple[float, ...]) -> str:
    """Write a vector as little-endian numbers of four bytes."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")

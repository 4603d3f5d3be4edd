"""Texts as vectors, in no API's words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hunkwise.engine import Bundle, Capability, Embed, Embedding, Engine
from hunkwise.reviewer.app.telling.embedding import beginning
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.running import Times, ask_all
from hunkwise.reviewer.server.state import Server

MOST_TEXTS = 2048
_TOO_LONG = "the input length exceeds the context length"


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of some texts, the tokens of all of them, and how long it took."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int
    times: Times


async def embed(
    server: Server,
    found: Found,
    texts: Sequence[str],
    *,
    normalised: bool = True,
    shorten: bool = True,
    dimensions: int = 0,
    keep_alive: float | None = None,
) -> Vectors:
    """Embed texts; those that are too long lose their ends if `shorten` is true. Raises Refused."""
    if len(texts) > MOST_TEXTS:
        raise Refused(
            400, f"input holds {len(texts)} texts; at most {MOST_TEXTS} are embedded", param="input"
        )
    width = found.described.header.embedding_length
    if not 0 <= dimensions <= width:
        raise Refused(400, f"dimensions must be between 1 and {width} for this model", param="dimensions")
    times = Times()

    def bundle(engine: Engine) -> Bundle:
        times.mark_loaded()
        if Capability.EMBED not in engine.card().capabilities:
            raise Refused(400, f'"{found.name}" does not support embeddings', code="unsupported")
        fitted = _fitted(engine, texts, shorten)
        return Bundle((), tuple(Embed(str(n), text, normalised=normalised) for n, text in enumerate(fitted)))

    answers = await ask_all(server, found, bundle, keep_alive)
    times.mark_ended()
    vectors = [each.vector for each in answers if isinstance(each, Embedding)]
    tokens = sum(each.usage.prefilled + each.usage.reused for each in answers)
    if dimensions:
        vectors = [_unit(vector[:dimensions], normalised) for vector in vectors]
    return Vectors(tuple(vectors), tokens, times)


def _unit(vector: tuple[float, ...], normalised: bool) -> tuple[float, ...]:
    """Give a shortened vector the length 1 again."""
    length = math.hypot(*vector) if normalised else 1.0
    return tuple(value / length for value in vector) if length else vector


def _fitted(engine: Engine, texts: Sequence[str], shorten: bool) -> list[str]:
    empty = next((number for number, text in enumerate(texts) if not text), None)
    if empty is not None:
        raise Refused(400, f"input[{empty}] is empty", param="input")
    return [_beginning(engine, text, shorten) for text in texts]


def _beginning(engine: Engine, text: str, shorten: bool) -> str:
    """Keep as much of the beginning of a text as fits; without `shorten` all of it. Raises Refused."""
    if shorten:
        return beginning(engine, text)
    if not engine.measure(Bundle((), (Embed("0", text),))).fits:
        raise Refused(400, _TOO_LONG, code="context_length_exceeded", param="input")
    return text

"""Texts as vectors, in no API's words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hunkwise.engine import Bundle, Capability, Embed, Embedding, Engine
from hunkwise.reviewer.app.telling.embedding import beginning
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.running import Times, ask_all
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import Answers

MOST_TEXTS = 2048
MOST_NUMBERS = 1 << 22  # in all vectors of one request: 90 MB as JSON
_AT_ONCE = (
    1 << 20
)  # of them are asked for together; an engine's process and other servers send 64 MiB at most
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
    width = found.described.header.embedding_length
    _check(texts, width)
    if not 0 <= dimensions <= width:
        raise Refused(400, f"dimensions must be between 1 and {width} for this model", param="dimensions")
    times = Times()

    def bundle(engine: Engine, texts: Sequence[str]) -> Bundle:
        if not times.loaded:
            times.mark_loaded()
        if Capability.EMBED not in engine.card().capabilities:
            raise Refused(400, f'"{found.name}" does not support embeddings', code="unsupported")
        fitted = [_beginning(engine, text, shorten) for text in texts]
        return Bundle((), tuple(Embed(str(n), text, normalised=normalised) for n, text in enumerate(fitted)))

    answers: Answers = ()
    step = max(1, _AT_ONCE // max(1, width))
    for begin in range(0, max(1, len(texts)), step):  # without texts the model is loaded all the same
        part = texts[begin : begin + step]
        answers += await ask_all(server, found, partial(bundle, texts=part), keep_alive)
    times.mark_ended()
    vectors = [each.vector for each in answers if isinstance(each, Embedding)]
    tokens = sum(each.usage.prefilled + each.usage.reused for each in answers)
    if dimensions:
        vectors = [_unit(vector[:dimensions], normalised) for vector in vectors]
    return Vectors(tuple(vectors), tokens, times)


def _check(texts: Sequence[str], width: int) -> None:
    """Refuse what would fill memory, before a model is loaded. Raises Refused."""
    most = min(MOST_TEXTS, MOST_NUMBERS // max(1, width))
    if len(texts) > most:
        why = f"at most {most} are embedded at a time by this model, whose vectors have {width} numbers each"
        raise Refused(400, f"input holds {len(texts)} texts; {why}", param="input")
    empty = next((number for number, text in enumerate(texts) if not text), None)
    if empty is not None:
        raise Refused(400, f"input[{empty}] is empty", param="input")


def _unit(vector: tuple[float, ...], normalised: bool) -> tuple[float, ...]:
    """Give a shortened vector the length 1 again."""
    length = math.hypot(*vector) if normalised else 1.0
    return tuple(value / length for value in vector) if length else vector


def _beginning(engine: Engine, text: str, shorten: bool) -> str:
    """Keep as much of the beginning of a text as fits; without `shorten` all of it. Raises Refused."""
    if shorten:
        return beginning(engine, text)
    if not engine.measure(Bundle((), (Embed("0", text),))).fits:
        raise Refused(400, _TOO_LONG, code="context_length_exceeded", param="input")
    return text

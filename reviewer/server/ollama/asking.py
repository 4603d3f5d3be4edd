"""From the body of generate or chat to what is asked; what can't be done is refused before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import options
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.fitting import Ask
from hunkwise.reviewer.server.inference.reading import refusing
from hunkwise.reviewer.server.inference.thinking import wanted
from hunkwise.reviewer.server.ollama.bodies import TextBody
from hunkwise.reviewer.server.state import Server

ANY_JSON: Mapping[str, Any] = {"type": "object"}
MOST_ALTERNATIVES = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What every request says beside its words, checked."""

    options: options.Options
    keep_alive: float | None
    schema: Mapping[str, Any] | None
    logprobs: int | None
    think: bool | str


def wish_of(body: TextBody, found: Found) -> Wish:
    """Check what every request says. Raises Refused."""
    if not 0 <= body.top_logprobs <= MOST_ALTERNATIVES:
        raise Refused(400, f"top_logprobs must be between 0 and {MOST_ALTERNATIVES}", param="top_logprobs")
    schema = schema_of(body.format)
    think = wanted(found, body.think, constrained=schema is not None)
    with refusing():
        return Wish(
            options.read_options(body.options),
            options.keep_alive(body.keep_alive),
            schema,
            body.top_logprobs if body.logprobs else None,
            think,
        )


def ask_for(
    server: Server,
    found: Found,
    wish: Wish,
    messages: tuple[Segment, ...],
    *,
    shorten: bool,
    thinks: bool = False,
) -> Ask:
    """Say what is asked of the model."""
    settled = options.rank_and_filter(wish.options, found.spec.parameters, options.OLLAMA)
    return Ask(
        messages,
        options.sampling(settled),
        most=options.whole(settled, "num_predict"),
        window=server.models.window(found.spec, options.whole(wish.options.values, "num_ctx")),
        shorten=shorten,
        stop=options.stops(settled),
        schema=wish.schema,
        logprobs=wish.logprobs,
        thinks=thinks,
    )


def schema_of(form: str | Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Read `format`: a schema, `json` for any object, nothing for free text. Raises Refused."""
    if isinstance(form, Mapping):
        return form or None
    if form in ("", "json"):
        return ANY_JSON if form else None
    raise Refused(400, f'invalid format: "{form:.40}"; expected "json" or a valid JSON Schema object')


def refuse_images(images: tuple[str, ...], name: str) -> None:
    """Refuse pictures, which no engine of ours reads."""
    if images:
        raise Refused(
            400,
            f'"{name}" does not support images: this server reads text alone; leave them out',
            param="images",
        )

"""The lines of Ollama's answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from hunkwise.engine import Generated, Written
from hunkwise.reviewer.server.inference.options import Options
from hunkwise.reviewer.server.inference.running import Ending, Times, entries
from hunkwise.reviewer.server.streams import ndjson

Line = dict[str, Any]


def stamp(seconds: float | None = None) -> str:
    """Write a time, now unless one is given, as Go does."""
    when = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def opening(model: str) -> Line:
    """Begin a line."""
    return {"model": model, "created_at": stamp()}


def logprobs(tokens: tuple[Written, ...], wanted: int | None) -> Line:
    """Say how likely the tokens of a piece were; nothing where nobody asked."""
    if wanted is None or not tokens:
        return {}
    return {"logprobs": entries(tokens, alternatives=wanted > 0)}


def nanoseconds(seconds: float) -> int:
    """Measure as Go does."""
    return int(seconds * 1e9)


def ending(written: Ending) -> Line:
    """Say how a text ended and what it took; what is zero is left out, as Ollama does."""
    times = written.times
    counts = {
        "total_duration": nanoseconds(times.total),
        "load_duration": nanoseconds(times.load),
        "prompt_eval_count": written.prompt_tokens,
        "prompt_eval_duration": nanoseconds(times.prompt),
        "eval_count": written.written_tokens,
        "eval_duration": nanoseconds(times.answer),
    }
    said = {"truncated": written.left_out} if written.left_out else {}
    return {
        "done": True,
        "done_reason": reason(written.answers[0]),
        **{name: value for name, value in counts.items() if value},
        **said,
    }


def reason(answer: Generated) -> str:
    """Name why a text ended: a schema that is complete is an end as good as another."""
    return "length" if answer.finish == "length" else "stop"


def loaded(times: Times) -> Line:
    """Say what a load took."""
    return {"total_duration": nanoseconds(times.total), "load_duration": nanoseconds(times.load)}


def ignored_header(options: Options) -> dict[str, str]:
    """Name the options that had no effect."""
    names = ", ".join(name.encode("ascii", "replace").decode() for name in options.ignored)
    return {"x-hunkwise-ignored": "".join(c for c in names if c.isprintable())} if names else {}


async def last_of(lines: AsyncGenerator[Line, None]) -> Line:
    """Wait for the last of some lines."""
    return [line async for line in lines][-1]


async def respond(
    lines: AsyncGenerator[Line, None], *, stream: bool, text: str, headers: dict[str, str]
) -> Response:
    """Answer with a stream of lines, or with one that joins them: the last, with the whole of its `text`.

    `text` is the path of what the lines add up to: `response`, or `message.content`; thoughts stand beside it.
    """
    if stream:
        return ndjson(lines, headers)
    *way, name = text.split(".")
    told = [line async for line in lines]
    whole: Line = {}
    for line in told:
        whole |= _inside(line, way)
    for each in (name, "thinking"):
        joined = "".join(_inside(line, way).get(each, "") for line in told)
        whole |= {each: joined} if joined or each == name else {}
    likely = [entry for line in told for entry in line.get("logprobs", ())]
    last = told[-1] | ({way[0]: whole} if way else whole)
    return JSONResponse(last | ({"logprobs": likely} if likely else {}), headers=headers)


def _inside(line: Line, way: list[str]) -> Line:
    for step in way:
        line = line[step]
    return line

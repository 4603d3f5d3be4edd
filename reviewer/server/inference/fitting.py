"""From what is wanted to a bundle that the context holds; what is left out to get there is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hunkwise.engine import Bundle, Engine, Generate, Sampling, Segment
from hunkwise.reviewer.server.errors import Refused

_SHARE = 4  # of the context, one part is left for the answer before messages are dropped


@dataclass(frozen=True, slots=True)
class Ask:
    """A text that is wanted of a model, in no API's words.

    Each of `messages` is one whole message, or all of them are the raw pieces of one prompt. `most` tokens are
    written at most (None: as many as fit), `window` tokens are what prompt and answer may take together (None: all
    that the loaded model holds). `shorten` tells to leave out what is oldest where the prompt is too long.
    """

    messages: tuple[Segment, ...]
    sampling: Sampling
    most: int | None = None
    window: int | None = None
    shorten: bool = True
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    count: int = 1  # of answers
    logprobs: int | None = None  # alternatives to tell beside each token; None tells no tokens
    bias: tuple[tuple[int, float], ...] = ()  # what is added to the logits of tokens
    thinks: bool = False  # the answer begins with thoughts, which are told apart

    def bundle(self, tokens: int) -> Bundle:
        """Make the bundle that asks for so many tokens; its questions are called "0", "1" and so on.

        What of the prompt can be shared is: the next turn of the same chat begins with it.
        """
        pieces = joined(self.messages)
        own = pieces[-1].role in ("assistant", "raw")  # else the template's last words are the question's own
        shared, prompt = (pieces[:-1], pieces[-1:]) if own else (pieces, ())
        questions = (
            Generate(
                str(n),
                prompt,
                tokens,
                schema=self.schema,
                stop=self.stop,
                sampling=self._draw(n),
                logprobs=self.logprobs,
                bias=self.bias,
            )
            for n in range(self.count)
        )
        return Bundle(shared, tuple(questions))

    def _draw(self, number: int) -> Sampling:
        """Give each of several answers a seed of its own."""
        seed = self.sampling.seed
        return self.sampling if seed is None else replace(self.sampling, seed=(seed + number) % 2**31)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A bundle that fits, and what was left out: a sentence, empty where nothing was."""

    bundle: Bundle
    left_out: str = ""


def joined(messages: Sequence[Segment]) -> tuple[Segment, ...]:
    """Part neighbouring messages of one role by a blank line, since the engine makes one message of them."""
    found: list[Segment] = []
    for message in messages:
        same = found and message.role != "raw" and found[-1].role == message.role
        found.append(replace(message, text=f"\n\n{message.text}") if same else message)
    return tuple(found)


def fit(engine: Engine, ask: Ask) -> Fitted:
    """Count, and leave out the oldest messages, then the beginning of the last or of a raw prompt, until it fits.

    System messages stay. Raises Refused where nothing may be left out, or that does not help.
    """

    def length(messages: tuple[Segment, ...]) -> int:
        size = engine.measure(replace(ask, messages=messages, schema=None, count=1).bundle(1))
        limits.append(size.limit)
        return size.shared + size.questions[0]

    limits: list[int] = []
    tokens = length(ask.messages)
    limit = min(limits[0], ask.window or limits[0])
    asked, left_out = ask, ""
    wished = (
        limit - min(ask.most or limit, max(1, limit // _SHARE)) + 1
    )  # the answer's last token is not kept
    if tokens > wished and ask.shorten:
        messages = _without_oldest(ask.messages, wished, length)
        dropped = len(ask.messages) - len(messages)
        if dropped:
            asked, tokens = replace(ask, messages=messages), length(messages)
            left_out = f"the {dropped} oldest messages were left out"
    if tokens > limit and ask.shorten:
        messages, cut = _shortened(asked.messages, wished, length)
        asked, tokens = replace(asked, messages=messages), length(messages)
        words = f"the first {cut} characters of the prompt were left out"
        left_out = f"{left_out}; {words}" if left_out else words
    if tokens > limit:
        raise Refused(
            400,
            f"the input length exceeds the context length ({tokens} tokens, and {limit} fit)",
            code="context_length_exceeded",
        )
    room = limit - tokens + 1
    return Fitted(asked.bundle(min(room, ask.most or room)), left_out)


def _without_oldest(
    messages: tuple[Segment, ...], limit: int, length: Callable[[tuple[Segment, ...]], int]
) -> tuple[Segment, ...]:
    """Drop as few of the oldest messages as bring the prompt within the limit, or all that may be dropped."""
    if messages[-1].role == "raw":
        return messages
    oldest = [number for number, each in enumerate(messages[:-1]) if each.role != "system"]

    def without(count: int) -> tuple[Segment, ...]:
        gone = set(oldest[:count])
        return tuple(each for number, each in enumerate(messages) if number not in gone)

    few, many = 0, len(oldest)
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if length(without(middle)) <= limit else (middle + 1, many)
    return without(few)


def _shortened(
    messages: tuple[Segment, ...], limit: int, length: Callable[[tuple[Segment, ...]], int]
) -> tuple[tuple[Segment, ...], int]:
    """Keep as much of the end of the last message as fits, or of a raw prompt's first piece; count what is cut."""
    place = 0 if messages[-1].role == "raw" else len(messages) - 1
    text = messages[place].text

    def keeping(count: int) -> tuple[Segment, ...]:
        shorter = replace(messages[place], text=text[len(text) - count :])
        return (*messages[:place], shorter, *messages[place + 1 :])

    fits, too_many = 1, len(text)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if length(keeping(middle)) <= limit else (fits, middle)
    return (keeping(fits), len(text) - fits) if text else (messages, 0)

"""Texts that a request gives as one, or as a list; those of a prompt as token ids too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hunkwise.engine import Bundle, Generate
from hunkwise.engine.errors import CorruptModel
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread

MOST_TEXTS = 2048


@dataclass(frozen=True, slots=True)
class Prompt:
    """A raw prompt. One that was given as token ids has to be read as so many `tokens` by the model, no others."""

    text: str
    tokens: tuple[int, ...] = ()  # counts that are right

    def check(self, counted: int) -> None:
        """Compare how many tokens the model reads. Raises Refused."""
        if self.tokens and counted not in self.tokens:
            raise Refused(
                400,
                f"prompt: these {self.tokens[0]} token ids spell a text that the model reads as {counted} tokens; "
                "send the text",
                code="invalid_value",
                param="prompt",
            )


async def prompts_of(server: Server, given: Any, found: Found) -> list[Prompt]:
    """Read the prompts: texts, or the ids of the model's own tokens. Raises Refused."""
    lists = _ids_of(given)
    if lists is None:
        return [Prompt(text) for text in texts_of(given, "prompt")]
    spelled = await in_thread(partial(_spelled, found, lists))
    questions = tuple(Generate(str(n), prompts.raw(each.text), 1) for n, each in enumerate(spelled))
    async with server.lease(found.spec) as lease:
        size = await in_thread(partial(lease.engine.measure, Bundle((), questions)))
    for each, own in zip(spelled, size.questions, strict=True):
        each.check(size.shared + own)
    return spelled


def _ids_of(given: Any) -> Sequence[Sequence[int]] | None:
    """Tell ids from texts; None for texts."""
    if not isinstance(given, list) or not given:
        return None
    lists = given if all(isinstance(each, list) for each in given) else [given]
    ids = all(type(token) is int for each in lists for token in each) and all(lists)
    return lists if ids and len(lists) <= MOST_TEXTS else None


def _spelled(found: Found, lists: Sequence[Sequence[int]]) -> list[Prompt]:
    """Spell ids by the model's file; the engine reads texts, and is asked afterwards how many tokens they are."""
    try:
        vocabulary = found.described.vocabulary
    except CorruptModel:
        raise Refused(
            400, "prompt: token ids of this model can't be read here; send texts", param="prompt"
        ) from None
    spelled = []
    for ids in lists:
        wrong = next((token for token in ids if not 0 <= token < len(vocabulary)), None)
        if wrong is not None:
            raise Refused(
                400, f"prompt: the model has no token {wrong}", code="invalid_value", param="prompt"
            )
        own = vocabulary.without_begin(ids)
        spelled.append(Prompt(vocabulary.text(own), (len(own), len(own) + vocabulary.adds_begin)))
    return spelled


def texts_of(given: Any, where: str) -> list[str]:
    """Read the texts. Raises Refused, also for token ids, which clients make by another model's vocabulary."""
    several = given if isinstance(given, list) else [given]
    if several and all(isinstance(each, int | list) and not isinstance(each, bool) for each in several):
        raise Refused(400, f"{where}: send texts; lists of token ids are not read here", param=where)
    texts = [each for each in several if isinstance(each, str)]
    if len(texts) < len(several) or not texts:
        raise Refused(400, f"{where} must be a text or a list of texts", param=where)
    if len(texts) > MOST_TEXTS:
        raise Refused(400, f"{where} holds {len(texts)} texts; at most {MOST_TEXTS} are taken", param=where)
    empty = next((number for number, text in enumerate(texts) if not text), None)
    if empty is not None:
        raise Refused(400, f"{where}[{empty}] is empty", param=where)
    return texts

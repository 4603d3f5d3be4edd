"""What every engine refuses to be asked, whatever model it has: one list, with the sentences for the user."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import get_args

from hunkwise.engine.errors import InvalidQuestion, PromptTooLong
from hunkwise.engine.models.modelfile.parameters import KNOWN
from hunkwise.engine.types import Bundle, BundleSize, Choose, Embed, Generate, Pooling, Question, Score

MOST_LOGPROBS = 20  # alternatives, as in OpenAI's and Ollama's API
MOST_BIAS = 100  # as in OpenAI's API: far more than logits differ by
NO_SEED = 2**32 - 1  # as a seed, llama.cpp takes it for "choose one"


def check_bundle(bundle: Bundle) -> None:
    """Raise InvalidQuestion for what no engine can answer."""
    for question in bundle.questions:
        if isinstance(question, Embed):
            _check_embed(bundle, question)
        _check_prompt(bundle, question)
        match question:
            case Choose(options=options):
                different = {option.encode("utf-8", "replace") for option in options}
                if len(options) < 2 or not all(options) or len(different) < len(options):
                    raise InvalidQuestion(
                        f"question {question.id!r} needs two or more options, different and not empty"
                    )
            case Score(text=text):
                if not text:
                    raise InvalidQuestion(f"question {question.id!r} scores an empty text")
            case Generate():
                _check_generate(question)


def check_length(bundle: Bundle, size: BundleSize) -> None:
    """Raise PromptTooLong for the first question that does not fit the context with the shared text."""
    for question, own in zip(bundle.questions, size.questions, strict=True):
        tokens = size.shared + own
        if tokens > size.limit:
            raise PromptTooLong(f"question {question.id!r} with its shared text", tokens, size.limit)


def _check_prompt(bundle: Bundle, question: Question) -> None:
    segments = bundle.shared + question.prompt
    if not segments and isinstance(question, Score):
        return
    raw = {segment.role == "raw" for segment in segments}
    if len(raw) != 1:
        raise InvalidQuestion("a prompt needs segments, and either all of them raw or none")
    if raw == {False} and any(segment.marker or segment.special for segment in segments):
        raise InvalidQuestion("markers and special tokens need a raw segment; chat segments hold text only")
    if raw == {True} and not any(segment.text or segment.marker for segment in question.prompt):
        raise InvalidQuestion(f"question {question.id!r} adds no tokens to the shared prompt")


def _check_embed(bundle: Bundle, question: Embed) -> None:
    if bundle.shared:
        raise InvalidQuestion(f"question {question.id!r} embeds a text of its own; share no text with it")
    if not question.text:
        raise InvalidQuestion(f"question {question.id!r} embeds an empty text")
    if question.pooling not in (None, *get_args(Pooling)):
        known = ", ".join(get_args(Pooling))
        raise InvalidQuestion(
            f"question {question.id!r}: pooling is one of {known}, not {question.pooling!r:.40}"
        )


def _check_generate(question: Generate) -> None:
    if question.max_tokens < 1:
        raise InvalidQuestion(f"question {question.id!r} allows {question.max_tokens} tokens; give 1 or more")
    if question.schema is not None and question.pattern is not None:
        raise InvalidQuestion(f"question {question.id!r} has both a schema and a pattern; give one of them")
    if question.logprobs is not None and not 0 <= question.logprobs <= MOST_LOGPROBS:
        raise InvalidQuestion(
            f"question {question.id!r}: logprobs must be between 0 and {MOST_LOGPROBS}, "
            f"not {question.logprobs!r:.40}"
        )
    try:
        json.dumps(question.schema)
    except (TypeError, ValueError) as error:
        raise InvalidQuestion(f"the schema of question {question.id!r} is not JSON: {error}") from error
    _check_sampling(question)
    for pair in question.bias if isinstance(question.bias, tuple) else (question.bias,):
        match pair:
            case (int(token), int() | float() as added) if 0 <= token < 1 << 31 and abs(added) <= MOST_BIAS:
                continue
        raise InvalidQuestion(
            f"question {question.id!r}: bias must be pairs of a token and a number between "
            f"-{MOST_BIAS} and {MOST_BIAS}, not {pair!r:.40}"
        )


def _check_sampling(question: Generate) -> None:
    """Name the value and its range for what llama.cpp can't draw by."""
    for name, value in asdict(question.sampling).items():
        if name == "seed" and value is None:
            continue
        known = KNOWN[name]
        low, high = (0, NO_SEED - 1) if name == "seed" else (known.low, known.high)
        kinds = (int,) if known.kind == "int" else (int, float)
        if type(value) not in kinds or not low <= value <= high:
            noun = "a whole number" if known.kind == "int" else "a number"
            raise InvalidQuestion(
                f"question {question.id!r}: {name} must be {noun} between {low:.10g} and {high:.10g}, "
                f"not {value!r:.40}"
            )

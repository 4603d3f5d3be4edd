"""Constrained decoding by llguidance: what may come next, and what must.

Compact JSON: no white space outside strings, so that a model can't loop on it and forced runs are long.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from hunkwise.engine.errors import InvalidQuestion, MissingExtra, NativeFailure
from hunkwise.engine.llamacpp.native import Model, Row
from hunkwise.engine.types import Generate

try:
    from llguidance import LLMatcher, LLTokenizer
except ImportError as error:
    raise MissingExtra("llguidance", "local") from error


def compile_grammar(question: Generate) -> str:
    """Translate a question's schema or pattern for llguidance. Raises InvalidQuestion if it can't be."""
    if question.pattern is not None:
        return str(LLMatcher.grammar_from_regex(question.pattern))
    schema = json.dumps(question.schema)
    try:
        return str(LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False}))
    except ValueError as error:
        raise InvalidQuestion(f"the schema of question {question.id!r} can't be used: {error}") from error


class Matcher:
    """The state of one constrained text. Used by one thread at a time."""

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher
        self._mask: bytes | None = None  # of the next token, once somebody had the time to compute it

    def _reason(self) -> str:
        return (self._matcher.get_error() or "a dead end").splitlines()[0]

    @property
    def complete(self) -> bool:
        """True if the text satisfies the grammar and nothing may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def accepting(self) -> bool:
        """True if the text may end here."""
        return bool(self._matcher.is_accepting())

    def allows(self, token: int) -> bool:
        """Tell whether a token may come next: a few microseconds, without a mask."""
        return bool(self._matcher.validate_tokens([token]) == 1)

    def foresee(self) -> None:
        """Compute now which tokens may come next, without the GIL; `allowed` does it otherwise."""
        self._mask = self._matcher.compute_bitmask()

    def allowed(self, vocabulary: int) -> NDArray[np.bool_]:
        """Tell of every token whether it may come next."""
        mask = self._matcher.compute_bitmask() if self._mask is None else self._mask
        bits: NDArray[np.uint8] = np.frombuffer(mask, np.uint8)
        allowed = np.unpackbits(bits, count=vocabulary, bitorder="little").view(np.bool_)
        if not allowed.any():
            raise NativeFailure(f"the grammar allows no token: {self._reason()}")
        return allowed

    def best(self, row: Row) -> int:
        """Return the likeliest token among those allowed."""
        return int(np.where(self.allowed(len(row)), row, -np.inf).argmax())

    def accept(self, token: int) -> None:
        """Take a token into the text."""
        self._mask = None
        if not self._matcher.consume_token(token):
            raise NativeFailure(f"the grammar refuses token {token}: {self._reason()}")

    def forced(self) -> list[int]:
        """Take and return the tokens that must come next, none if there is a choice."""
        tokens = [] if self.complete else [int(token) for token in self._matcher.compute_ff_tokens()]
        for token in tokens:
            self.accept(token)
        return tokens


class Grammars:
    """llguidance's view of one model's vocabulary, built when first needed (about a second)."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tokenizer: LLTokenizer | None = None

    def matcher(self, question: Generate) -> Matcher | None:
        """Start a constrained text; None for free text. Raises InvalidQuestion for a grammar without texts."""
        if question.schema is None and question.pattern is None:
            return None
        grammar = compile_grammar(question)
        matcher = LLMatcher(self._built(), grammar, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error().splitlines()[0]
            raise InvalidQuestion(
                f"the schema or pattern of question {question.id!r} can't be used: {reason}"
            )
        return Matcher(matcher)

    def _built(self) -> LLTokenizer:
        if self._tokenizer is None:
            model = self._model
            # llguidance tells special tokens from text by a leading 0xff (its llamacpp.py).
            pieces = [
                (b"\xff" if model.is_control(token) else b"") + model.piece(token)
                for token in range(model.size)
            ]
            vocabulary, function = model.tokenizer_pointers()
            self._tokenizer = LLTokenizer.from_llamacpp(
                tokens=pieces,
                vocab_ptr=vocabulary,
                tokenize_fptr=function,
                eos_token=model.special_tokens().eos,
                slices=LLTokenizer.json_slices(),
            )
        return self._tokenizer

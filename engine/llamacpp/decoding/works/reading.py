"""Reading off the logits: which option comes next, and how likely a given text is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.decoding.works.work import NOTHING, Feed, Work
from hunkwise.engine.llamacpp.native import Row, Tokens, log_probabilities
from hunkwise.engine.llamacpp.vocab import Span, Vocab, encode, join
from hunkwise.engine.types import Answer, Choice, Choose, Score, Scored, TokenScore, Usage


class Chain:
    """Sum the log-probabilities of the tokens after the first: the rest of an option that was begun."""

    vectors = False

    def __init__(self, tokens: Tokens) -> None:
        self.cells = len(tokens) - 1
        self.logprob = 0.0
        self._feed: Feed = (tokens[:-1], len(tokens) - 1)
        self._expected = iter(tokens[1:].tolist())

    def next(self) -> Feed:
        """Compute all in one go."""
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Need nothing."""

    def take(self, row: Row) -> None:
        """Add the next token's log-probability."""
        self.logprob += log_probabilities(row, [next(self._expected)])[0]

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the chain's sum."""
        return Choice("", (1.0,), (self.logprob,), usage)


def exclusive(options: Sequence[tuple[int, ...]], logprobs: Sequence[float]) -> tuple[float, ...]:
    """Turn "the text begins with this option" into "and with no longer option", then normalise.

    Without this the option "1" would also collect the probability of "10".
    """
    top = max(logprobs)
    weights = [math.exp(value - top) for value in logprobs]
    rest = list(weights)
    for longer, tokens in enumerate(options):
        nested = [i for i, other in enumerate(options) if i != longer and tokens[: len(other)] == other]
        if nested:
            rest[max(nested, key=lambda i: len(options[i]))] -= weights[longer]
    rest = [max(weight, 0.0) for weight in rest]
    return tuple(weight / sum(rest) for weight in rest)


class Choosing:
    """Read the probability of each option: the first tokens at once, the rest of longer ones on forks."""

    vectors = False

    def __init__(self, question: Choose, prompt: Tokens, vocab: Vocab) -> None:
        self._question = question
        options = [vocab.tokenize(option) for option in question.options]
        self._options = tuple(tuple(option.tolist()) for option in options)
        if len(options) < 2 or not all(self._options) or len(set(self._options)) < len(options):
            raise InvalidQuestion(f"question {question.id!r} needs options that differ in the model's tokens")
        self._chains = {index: Chain(tokens) for index, tokens in enumerate(options) if len(tokens) > 1}
        self.cells = len(prompt) + sum(chain.cells for chain in self._chains.values())
        self._feed: Feed = (prompt, 1)
        self._first: tuple[float, ...] = ()

    def next(self) -> Feed:
        """Compute the prompt and no more."""
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Need nothing."""

    def take(self, row: Row) -> None:
        """Read the first token of every option."""
        self._first = log_probabilities(row, [option[0] for option in self._options])

    def branches(self) -> Sequence[Work]:
        """Score the rest of the longer options."""
        return tuple(self._chains.values())

    def answer(self, usage: Usage) -> Answer:
        """Return the probabilities."""
        rest = (self._chains[i].logprob if i in self._chains else 0.0 for i in range(len(self._options)))
        logprobs = tuple(map(sum, zip(self._first, rest, strict=True)))
        return Choice(self._question.id, exclusive(self._options, logprobs), logprobs, usage)


class Scoring:
    """Read how likely each token of a given text was."""

    vectors = False

    def __init__(self, question: Score, prompt: Tokens, vocab: Vocab) -> None:
        self._question = question
        text = vocab.tokenize(question.text)
        if not len(text):
            raise InvalidQuestion(f"question {question.id!r} scores a text without tokens")
        tokens = join([prompt, text[:-1]])
        if not len(tokens):
            raise InvalidQuestion(f"question {question.id!r} scores one token that follows nothing")
        self.cells = len(tokens)
        self._vocab = vocab
        self._expected = iter(vocab.spans(text, encode(question.text)))
        self._scores: list[TokenScore] = []
        if not len(prompt):
            self._note(next(self._expected), 0.0, 0.0, "")
        self._feed: Feed = (tokens, len(text) - len(self._scores))

    def next(self) -> Feed:
        """Compute prompt and text in one go."""
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Need nothing."""

    def take(self, row: Row) -> None:
        """Score the next token of the text."""
        span: Span = next(self._expected)
        favourite = int(row.argmax())
        logprob, best = log_probabilities(row, [span.token, favourite])
        self._note(span, logprob, best, self._vocab.piece(favourite).decode("utf-8", "replace"))

    def _note(self, span: Span, logprob: float, best: float, favourite: str) -> None:
        text = span.piece.decode("utf-8", "replace")
        self._scores.append(TokenScore(text, span.start, span.end, logprob, best, favourite))

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the scores."""
        return Scored(self._question.id, tuple(self._scores), usage)

"""What one question makes the model compute, and how its answer is read from the logits.

A `Work` names the tokens to compute next and takes the logits it asked for, row by row. It knows nothing of
sequences, batches or other questions. Its first tokens are what the question adds to the shared prefix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.decoding.telling import Teller
from hunkwise.engine.llamacpp.grammar import Grammars, Matcher
from hunkwise.engine.llamacpp.native import Row, Sampler, Tokens, log_probabilities
from hunkwise.engine.llamacpp.vocab import Span, Vocab, encode, join
from hunkwise.engine.port import OnText
from hunkwise.engine.types import (
    Answer,
    Choice,
    Choose,
    Finish,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    TokenScore,
    Usage,
)

Feed = tuple[Tokens, int]  # tokens to compute, and for how many of the last of them logits are wanted
NOTHING: Feed = (np.empty(0, np.int32), 0)


class Work(Protocol):
    """One question's computation; `cells` is the most the KV cache must hold for it beyond the prefix."""

    cells: int

    def next(self) -> Feed:
        """Return what to compute next; nothing when finished."""
        ...

    def foresee(self) -> None:
        """Do what needs no logits before `take` does; called in another thread, during `llama_decode`."""
        ...

    def take(self, row: Row) -> None:
        """Read the logits after one of the wanted tokens, in order; the row is only lent."""
        ...

    def branches(self) -> Sequence[Work]:
        """Return works to run on forks of this sequence before `next` is asked again."""
        ...

    def answer(self, usage: Usage) -> Answer:
        """Return the finished answer; `usage` counts what the runner knows: prompt tokens."""
        ...


def start(
    question: Question,
    prompt: Tokens,
    vocab: Vocab,
    grammars: Grammars,
    shared: Tokens,
    on_text: OnText | None = None,
) -> Work:
    """Prepare what adds `prompt` to `shared`; raises InvalidQuestion for what the model can't answer."""
    if not len(prompt):
        raise InvalidQuestion(f"question {question.id!r} adds no tokens to the shared prompt")
    match question:
        case Choose():
            return Choosing(question, prompt, vocab)
        case Score():
            return Scoring(question, prompt, vocab)
        case Generate():
            return Generating(question, prompt, vocab, grammars, shared, on_text)


class Chain:
    """Sum the log-probabilities of the tokens after the first: the rest of an option that was begun."""

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

    def __init__(self, question: Score, prompt: Tokens, vocab: Vocab) -> None:
        self._question = question
        text = vocab.tokenize(question.text)
        if not len(text):
            raise InvalidQuestion(f"question {question.id!r} scores a text without tokens")
        tokens = join([prompt, text[:-1]])
        self.cells = len(tokens)
        self._feed: Feed = (tokens, len(text))
        self._expected = iter(vocab.spans(text, encode(question.text)))
        self._scores: list[TokenScore] = []

    def next(self) -> Feed:
        """Compute prompt and text in one go."""
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Need nothing."""

    def take(self, row: Row) -> None:
        """Score the next token of the text."""
        span: Span = next(self._expected)
        logprob, best = log_probabilities(row, [span.token, int(row.argmax())])
        text = span.piece.decode("utf-8", "replace")
        self._scores.append(TokenScore(text, span.start, span.end, logprob, best))

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the scores."""
        return Scored(self._question.id, tuple(self._scores), usage)


class Generating:
    """Write token by token; a grammar's forced tokens are appended without asking the model."""

    def __init__(
        self,
        question: Generate,
        prompt: Tokens,
        vocab: Vocab,
        grammars: Grammars,
        shared: Tokens,
        on_text: OnText | None = None,
    ) -> None:
        self._question = question
        self._vocab = vocab
        self._sampler: Sampler | None = None
        if not question.sampling.greedy:
            self._sampler = Sampler(
                question.sampling, vocab.size, len(shared) + len(prompt) + question.max_tokens
            )
            for token in (*shared.tolist(), *prompt.tolist()):
                self._sampler.accept(token)
        self._matcher: Matcher | None = grammars.matcher(question)
        self._stops = tuple(encode(stop) for stop in question.stop if stop)
        held = max(map(len, self._stops), default=1) - 1
        self._tell = Teller(partial(on_text, question.id), held) if on_text else None
        self._text = bytearray()
        self._written = 0  # tokens
        self._forced = 0
        self._finish: Finish | None = None
        # The last token is never computed: nothing is asked about what follows it.
        self.cells = len(prompt) + question.max_tokens - 1
        self._feed: Feed = (join([prompt, self._force()]), 1)

    def next(self) -> Feed:
        """Compute what was appended last, until there is a reason to finish."""
        if self._tell and not self._finish:
            self._tell(self._text)
        return NOTHING if self._finish else self._feed

    def foresee(self) -> None:
        """Compute the mask for the next token, in case the grammar refuses the model's favourite."""
        if self._matcher is not None:
            self._matcher.foresee()

    def take(self, row: Row) -> None:
        """Choose the next token, then append what is forced after it."""
        token = self._choose(row)
        if self._vocab.ends(token):
            self._finish = "stop" if self._matcher is None else "schema"
            return
        if self._matcher is not None:
            self._matcher.accept(token)
        self._append(token)
        self._feed = (join([np.array([token], np.int32), self._force()]), 1)

    def _choose(self, row: Row) -> int:
        """Choose one of the tokens that may come next, or one that ends the text."""
        if self._sampler is not None:
            return self._sampler.draw(row, self._matcher.allowed(len(row)) if self._matcher else None)
        token = int(row.argmax())
        if self._matcher is None or self._matcher.allows(token):
            return token
        return token if self._vocab.ends(token) and self._matcher.accepting else self._matcher.best(row)

    def _force(self) -> Tokens:
        if self._matcher is None or self._finish:
            return NOTHING[0]
        added = []
        for token in self._matcher.forced():
            if not self._finish:
                self._forced += 1
                added.append(token)
                self._append(token)
        if self._matcher.complete and self._finish is None:
            self._finish = "schema"
        return np.array(added, np.int32)

    def _append(self, token: int) -> None:
        self._written += 1
        if self._sampler is not None:
            self._sampler.accept(token)
        self._text += self._vocab.piece(token)
        longest = max(map(len, self._stops), default=0)
        tail = len(self._text) - len(self._vocab.piece(token)) - longest
        found = [at for stop in self._stops if (at := self._text.find(stop, max(tail, 0))) >= 0]
        complete = self._matcher is not None and self._matcher.complete
        if found:
            del self._text[min(found) :]
            self._finish = "stop"
        elif self._written >= self._question.max_tokens and not complete:
            self._finish = "length"

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the text."""
        usage += Usage(forced=self._forced, sampled=self._written - self._forced)
        text = self._text.decode("utf-8", "replace")
        if self._tell:
            self._tell(self._text, last=True)
        return Generated(self._question.id, text, self._finish or "length", usage)

"""Writing a text, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from hunkwise.engine.llamacpp.decoding.telling import Teller
from hunkwise.engine.llamacpp.decoding.work import NOTHING, Feed, Work
from hunkwise.engine.llamacpp.grammar import Grammars, Matcher
from hunkwise.engine.llamacpp.native import Row, Sampler, Tokens
from hunkwise.engine.llamacpp.vocab import Vocab, encode, join
from hunkwise.engine.port import OnText
from hunkwise.engine.types import Answer, Finish, Generate, Generated, Usage


class Generating:
    """Write token by token; a grammar's forced tokens are appended without asking the model."""

    vectors = False

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

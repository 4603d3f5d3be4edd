"""Writing a text, token by token."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial

import numpy as np

from hunkwise.engine.llamacpp.decoding.works.telling import Ended, Teller
from hunkwise.engine.llamacpp.decoding.works.work import NOTHING, Feed, Work
from hunkwise.engine.llamacpp.grammar import Grammars, Matcher
from hunkwise.engine.llamacpp.native import Row, Sampler, Tokens, log_probabilities
from hunkwise.engine.llamacpp.vocab import Vocab, encode, join
from hunkwise.engine.port import OnText
from hunkwise.engine.types import Answer, Finish, Generate, Generated, Likely, Usage, Written


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
        if question.bias or not question.sampling.greedy:
            self._sampler = Sampler(
                question.sampling,
                vocab.size,
                len(shared) + len(prompt) + question.max_tokens,
                question.bias,
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
        self._owed: deque[tuple[int, int]] = (
            deque()
        )  # forced tokens whose rows are still to come, and their ends
        self._likely: list[Ended] = []  # tokens whose rows have come, where they are asked for
        # The last token is never computed: nothing is asked about what follows it.
        self.cells = len(prompt) + question.max_tokens - 1
        self._feed = NOTHING
        self._continue(prompt)

    def next(self) -> Feed:
        """Compute what was appended last, until there is a reason to finish."""
        if self._tell and not self._finish:
            self._tell(self._text[: self._owed[0][1]] if self._owed else self._text, self._likely)
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Compute the mask for the next token, in case the grammar refuses the model's favourite."""
        if self._matcher is not None:
            self._matcher.foresee()

    def take(self, row: Row) -> None:
        """Choose the next token, then append what is forced after it."""
        if self._owed:
            self._note(row, *self._owed.popleft())
            return
        token = self._choose(row)
        if self._vocab.ends(token):
            self._finish = "stop" if self._matcher is None else "schema"
            return
        if self._matcher is not None:
            self._matcher.accept(token)
        end = self._append(token)
        if self._question.logprobs is not None:
            self._note(row, token, end)
        self._continue(np.array([token], np.int32))

    def _continue(self, tokens: Tokens) -> None:
        """Force what must come after `tokens`, and feed both; with `logprobs` each forced token has its row."""
        forced, ends = self._force()
        if self._question.logprobs is not None:
            self._owed.extend(zip(forced.tolist(), ends, strict=True))
        rows = len(self._owed) + (not self._finish)
        fed = join([tokens, forced])
        if rows:
            self._feed = (fed[: len(fed) - bool(self._finish)], rows)

    def _note(self, row: Row, token: int, end: int) -> None:
        """Take down how likely a token was, and the likeliest in its place."""
        most = self._question.logprobs or 0
        best = np.argpartition(row, -most)[-most:] if most else np.empty(0, np.int64)
        ranked = best[np.argsort(row[best], kind="stable")[::-1]].tolist()
        logprob, *others = log_probabilities(row, [token, *ranked])
        alternatives = tuple(map(Likely, map(self._vocab.piece, ranked), others))
        self._likely.append((end, Written(self._vocab.piece(token), logprob, alternatives)))

    def _choose(self, row: Row) -> int:
        """Choose one of the tokens that may come next, or one that ends the text."""
        if self._sampler is not None:
            return self._sampler.draw(row, self._matcher.allowed(len(row)) if self._matcher else None)
        token = int(row.argmax())
        if self._matcher is None or self._matcher.allows(token):
            return token
        return token if self._vocab.ends(token) and self._matcher.accepting else self._matcher.best(row)

    def _force(self) -> tuple[Tokens, list[int]]:
        """Append the tokens that must come next; return them and where they end in the text."""
        added: list[int] = []
        ends: list[int] = []
        for token in self._matcher.forced() if self._matcher and not self._finish else ():
            if not self._finish:
                self._forced += 1
                added.append(token)
                ends.append(self._append(token))
        if self._matcher is not None and self._matcher.complete and self._finish is None:
            self._finish = "schema"
        return np.array(added, np.int32), ends

    def _append(self, token: int) -> int:
        """Append a token to the text; return where it ends there, were it not for a stop."""
        self._written += 1
        if self._sampler is not None:
            self._sampler.accept(token)
        self._text += self._vocab.piece(token)
        end = len(self._text)
        longest = max(map(len, self._stops), default=0)
        tail = end - len(self._vocab.piece(token)) - longest
        found = [at for stop in self._stops if (at := self._text.find(stop, max(tail, 0))) >= 0]
        complete = self._matcher is not None and self._matcher.complete
        if found:
            del self._text[min(found) :]
            self._finish = "stop"
        elif self._written >= self._question.max_tokens and not complete:
            self._finish = "length"
        return end

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the text, and of its tokens those that begin in it."""
        usage += Usage(forced=self._forced, sampled=self._written - self._forced)
        text = self._text.decode("utf-8", "replace")
        kept = [each for each in self._likely if each[0] - len(each[1].data) < len(self._text)]
        if self._tell:
            self._tell(self._text, kept, last=True)
        tokens = tuple(token for _, token in kept)
        return Generated(self._question.id, text, self._finish or "length", usage, tokens)

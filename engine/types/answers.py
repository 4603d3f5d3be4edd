"""What an engine answers, and what that took.

Log-probabilities are natural logarithms over the model's whole vocabulary. Token positions are 0-based.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

Finish = Literal["stop", "length", "schema"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one answer: prompt tokens computed and reused, tokens forced by a grammar, sampled."""

    prefilled: int = 0
    reused: int = 0
    forced: int = 0
    sampled: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prefilled + other.prefilled,
            self.reused + other.reused,
            self.forced + other.forced,
            self.sampled + other.sampled,
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """Where the time went, in seconds: all that answering took, and what of it passed inside llama_decode."""

    bundles: int = 0
    questions: int = 0
    seconds: float = 0.0
    decode_seconds: float = 0.0
    decode_calls: int = 0
    usage: Usage = field(default_factory=Usage)

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(
            self.bundles + other.bundles,
            self.questions + other.questions,
            self.seconds + other.seconds,
            self.decode_seconds + other.decode_seconds,
            self.decode_calls + other.decode_calls,
            self.usage + other.usage,
        )


@dataclass(frozen=True, slots=True)
class TokenScore:
    """One scored token. `start` and `end` (exclusive) are offsets into the UTF-8 bytes of the scored text.

    `favourite_logprob` is that of the token which the model would have written here, `favourite` its text.
    """

    text: str
    start: int
    end: int
    logprob: float
    favourite_logprob: float
    favourite: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Answer to `Choose`. Both tuples follow the order of the options; probabilities sum to 1.

    `logprobs` are those of each whole option before normalising.
    """

    id: str
    probabilities: tuple[float, ...]
    logprobs: tuple[float, ...]
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Scored:
    """Answer to `Score`."""

    id: str
    tokens: tuple[TokenScore, ...]
    usage: Usage = Usage()

    @property
    def logprob(self) -> float:
        """Log-probability of the whole text."""
        return sum(token.logprob for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Likely:
    """A token that might come next, as its bytes: one may be a part of a character."""

    data: bytes
    logprob: float

    @property
    def text(self) -> str:
        """The bytes as text; a part of a character shows as U+FFFD."""
        return self.data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Written(Likely):
    """A token that was written, and the likeliest in its place, itself among them or not, likeliest first.

    `logprob` is the model's own, whatever a grammar allowed or a sampling preferred.
    """

    alternatives: tuple[Likely, ...] = ()


class Piece(str):
    """A piece of a text as it comes, with the tokens that end in it where the question asked for them."""

    __slots__ = ("tokens",)
    tokens: tuple[Written, ...]

    def __new__(cls, text: str, tokens: tuple[Written, ...] = ()) -> Self:
        """Make it of text and tokens."""
        piece = super().__new__(cls, text)
        piece.tokens = tokens
        return piece


@dataclass(frozen=True, slots=True)
class Generated:
    """Answer to `Generate`; `tokens` are told where it asked for `logprobs`."""

    id: str
    text: str
    finish: Finish
    usage: Usage = Usage()
    tokens: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Embedding:
    """Answer to `Embed`: a vector as wide as the model's."""

    id: str
    vector: tuple[float, ...]
    usage: Usage = Usage()


Answer = Choice | Scored | Generated | Embedding


@dataclass(frozen=True, slots=True)
class BundleSize:
    """Exact token counts of a bundle: the shared part, and each question's worst case on top of it."""

    shared: int
    questions: tuple[int, ...]
    limit: int  # what the context holds for shared + one question

    @property
    def fits(self) -> bool:
        """True if the shared part with the largest question fits the context."""
        return self.shared + max(self.questions, default=0) <= self.limit


def total_usage(answers: Sequence[Answer]) -> Usage:
    """Sum the usage of several answers."""
    return sum((answer.usage for answer in answers), Usage())

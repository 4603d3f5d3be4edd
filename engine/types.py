"""The engine's vocabulary: a `Bundle` is shared text plus many questions; each question gets an `Answer`.

Log-probabilities are natural logarithms over the model's whole vocabulary. Token positions are 0-based.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "raw"]
Marker = Literal["bos", "fim_prefix", "fim_suffix", "fim_middle"]
Finish = Literal["stop", "length", "schema"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt.

    Neighbouring segments of one role are joined into one message of the chat template. Role "raw" bypasses
    the template (all segments of a bundle are raw, or none). `text` is data: special tokens spelled in it
    are never parsed as such, so `<|im_end|>` in a diff stays text. `marker` (raw only) inserts one special
    token of the model before `text`; a model without it raises InvalidQuestion.
    """

    text: str
    role: Role = "user"
    marker: Marker | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """Which of `options` comes next? Nothing is generated; probabilities are normalised over the options."""

    id: str
    prompt: tuple[Segment, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How likely is `text` as the continuation, token by token?"""

    id: str
    prompt: tuple[Segment, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn, by llama.cpp's names and in its order; the default takes the likeliest.

    Penalties look at the last `repeat_last_n` tokens of prompt and answer (-1: at all). `top_k` 0, `typical_p` 1,
    `top_p` 1 and `min_p` 0 keep every candidate. The same seed draws the same text; None is another each time.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_last_n: int = 64
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None

    @property
    def greedy(self) -> bool:
        """True if the likeliest token is taken as it is."""
        penalised = (self.repeat_penalty, self.presence_penalty, self.frequency_penalty) != (1, 0, 0)
        return not self.temperature and not (penalised and self.repeat_last_n)


GREEDY = Sampling()


@dataclass(frozen=True, slots=True)
class Generate:
    """Constrained text: a JSON `schema`, a `pattern` (regular expression), or free text; greedy by default.

    At most one of `schema` and `pattern`. `max_tokens` is an upper bound; a schema that is complete ends
    the answer earlier (finish "schema").
    """

    id: str
    prompt: tuple[Segment, ...]
    max_tokens: int
    schema: Mapping[str, Any] | None = None
    pattern: str | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = GREEDY


Question = Choose | Score | Generate


def settled(question: Question) -> bool:
    """Tell whether the same question always has the same answer."""
    if not isinstance(question, Generate):
        return True
    return not question.sampling.temperature or question.sampling.seed is not None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Shared prompt text, prefilled once, and the questions that fork from it.

    `shared` + `question.prompt` is each question's whole prompt. Larger `priority` runs earlier;
    `deadline` is in seconds from the call (None: no limit); bundles of different `caller`s share fairly.
    """

    shared: tuple[Segment, ...]
    questions: tuple[Question, ...]
    priority: int = 0
    deadline: float | None = None
    caller: str = ""


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

    `favourite_logprob` is that of the token which the model would have written here.
    """

    text: str
    start: int
    end: int
    logprob: float
    favourite_logprob: float


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
class Generated:
    """Answer to `Generate`. How likely its tokens were is what `Score` tells."""

    id: str
    text: str
    finish: Finish
    usage: Usage = Usage()


Answer = Choice | Scored | Generated


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


ParameterValue = int | float | bool | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seal:
    """A file as it stood when its sha256 (hex) was taken; size in bytes, times in nanoseconds."""

    path: Path
    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model ready to load: files on this disk whose digests were checked, and what its Modelfile says.

    `digest` is the sha256 of the weights in hex (of several shards: of their digests, joined in order).
    """

    name: str
    digest: str
    weights: tuple[Path, ...]
    adapters: tuple[tuple[Path, float], ...] = ()  # LoRA files with their scale
    draft: Path | None = None
    template: str | None = None  # Go template; None: the chat template in the GGUF
    system: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)  # PARAMETER lines, checked
    messages: tuple[tuple[Role, str], ...] = ()
    seals: tuple[Seal, ...] = field(default=(), compare=False)  # of all files; none: nobody looks for changes


def total_usage(answers: Sequence[Answer]) -> Usage:
    """Sum the usage of several answers."""
    return sum((answer.usage for answer in answers), Usage())

"""What an engine is asked: a `Bundle` is shared text plus many questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "raw"]
Pooling = Literal["mean", "last", "cls"]  # of the vectors of a text's tokens: their mean, the last, the first
Marker = Literal["bos", "fim_prefix", "fim_suffix", "fim_middle"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt.

    Neighbouring segments of one role are joined into one message of the chat template. Role "raw" bypasses
    the template (all segments of a bundle are raw, or none). `text` is data: special tokens spelled in it
    are not parsed as such, so `<|im_end|>` in a diff stays text, unless a raw segment is `special`: its author is
    then trusted with the model's own language. `marker` (raw only) inserts one special token of the model before
    `text`; a model without it raises InvalidQuestion.
    """

    text: str
    role: Role = "user"
    marker: Marker | None = None
    special: bool = False


@dataclass(frozen=True, slots=True)
class Choose:
    """Which of `options` comes next? Nothing is generated; probabilities are normalised over the options."""

    id: str
    prompt: tuple[Segment, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How likely is `text` as the continuation, token by token?

    Without any prompt its first token is what the others follow, and counts as certain: its log-probability is 0.
    """

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
    the answer earlier (finish "schema"). `logprobs` is how many alternatives to tell beside each
    token that is written, at most 20; 0 tells the tokens alone, None no tokens. `bias` adds to the logits of the
    model's tokens, (id, number) each.
    """

    id: str
    prompt: tuple[Segment, ...]
    max_tokens: int
    schema: Mapping[str, Any] | None = None
    pattern: str | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = GREEDY
    logprobs: int | None = None
    bias: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Embed:
    """Turn `text` into a vector. It stands for itself: the bundle shares nothing, and no template frames it.

    `pooling` makes one vector of those of its tokens; None takes the model's own way, which an embedding model
    declares in its file, and the mean for one that writes text. `normalised` gives it the length 1.
    """

    id: str
    text: str
    pooling: Pooling | None = None
    normalised: bool = True

    @property
    def prompt(self) -> tuple[Segment, ...]:
        """The text as a prompt."""
        return (Segment(self.text, "raw"),)


Question = Choose | Score | Generate | Embed


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

"""The bodies of OpenAI's requests as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hunkwise.engine import MOST_BIAS
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.options import Options, read_options
from hunkwise.reviewer.server.inference.reading import refusing

MOST_ANSWERS = 16  # of one request


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message."""

    type: str = "text"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """The function of a call; its arguments are JSON in a text."""

    name: str = ""
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made earlier."""

    function: Function = Function()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    reasoning_content: str = ""

    @property
    def text(self) -> str:
        """The content as one text. Raises Refused for parts that are no text."""
        if isinstance(self.content, str):
            return self.content
        for part in self.content:
            if part.type != "text":
                raise Refused(400, f"this server reads text alone, not {part.type[:40]!r}", param="messages")
        return "".join(part.text for part in self.content)


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What a stream tells beside its text."""

    include_usage: bool = False


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The schema that an answer keeps to."""

    schema: Mapping[str, Any]
    name: str = ""
    strict: bool = True


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form of an answer."""

    type: str
    json_schema: JsonSchema | None = None


@dataclass(frozen=True, slots=True)
class TextBody:
    """What all who want a text may say."""

    model: str = ""
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | tuple[str, ...] = ()
    n: int = 1
    logit_bias: Mapping[str, Any] = field(default_factory=dict)
    response_format: ResponseFormat | None = None


@dataclass(frozen=True, slots=True)
class ChatBody(TextBody):
    """POST /v1/chat/completions."""

    messages: tuple[Message, ...] = ()
    max_completion_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] = ""
    parallel_tool_calls: bool = True
    reasoning_effort: str = ""
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def think(self) -> bool | str | None:
        """Say whether the model is to think, or how much; None where nothing is said of it."""
        if self.reasoning_effort:
            quick: dict[str, bool | str] = {"none": False, "minimal": "low", "xhigh": "max"}
            return quick.get(self.reasoning_effort, self.reasoning_effort)
        given = self.chat_template_kwargs.get("enable_thinking")
        return given if isinstance(given, bool) else None


@dataclass(frozen=True, slots=True)
class CompletionBody(TextBody):
    """POST /v1/completions; token ids are told from texts by who reads `prompt`."""

    prompt: Any = ""
    suffix: str = ""
    echo: bool = False
    logprobs: int | None = None
    best_of: int | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingsBody:
    """POST /v1/embeddings."""

    model: str = ""
    input: Any = ()
    encoding_format: str = "float"
    dimensions: int | None = None


def options_of(body: TextBody) -> Options:
    """Read the options by the names that the engine has for them. Raises Refused."""
    if not 1 <= body.n <= MOST_ANSWERS:
        raise Refused(400, f"n must be between 1 and {MOST_ANSWERS}", param="n")
    most = getattr(body, "max_completion_tokens", None) or body.max_tokens
    given = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "frequency_penalty": body.frequency_penalty,
        "presence_penalty": body.presence_penalty,
        "seed": body.seed,
        "stop": [body.stop] if isinstance(body.stop, str) else list(body.stop),
        "num_predict": most,
    }
    with refusing():
        return read_options(
            {name: value for name, value in given.items() if value not in (None, [], [""])}, ""
        )


def bias_of(given: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
    """Read what is added to the logits of tokens, by their ids. Raises Refused."""
    found = []
    for name, added in given.items():
        token = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else -1
        if token < 0 or type(added) not in (int, float) or not abs(added) <= MOST_BIAS:
            raise Refused(
                400,
                f"logit_bias must map ids of tokens to numbers between -{MOST_BIAS} and {MOST_BIAS}",
                code="invalid_value",
                param="logit_bias",
            )
        found.append((token, float(added)))
    return tuple(found)


def schema_of(form: ResponseFormat | None) -> Mapping[str, Any] | None:
    """Read the form of the answer. Raises Refused."""
    match form:
        case None | ResponseFormat("text"):
            return None
        case ResponseFormat("json_object"):
            return {"type": "object"}
        case ResponseFormat("json_schema", JsonSchema(schema)):
            return schema
        case ResponseFormat("json_schema"):
            raise Refused(400, "response_format.json_schema is missing", param="response_format")
    known = "text, json_object, json_schema"
    raise Refused(400, f"response_format.type must be one of {known}", param="response_format")

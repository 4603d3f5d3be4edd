"""The bodies of Ollama's requests as values; what is wrong in one is said with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """The function of a tool call; its arguments are an object."""

    name: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made earlier."""

    function: Function = Function()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str
    content: str = ""
    thinking: str = ""
    images: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class TextBody:
    """What all who want a text may say. `shift` has no effect: the context is never moved while a text grows."""

    model: str = ""
    stream: bool = True
    format: str | Mapping[str, Any] = ""
    keep_alive: float | str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    think: bool | str | None = None
    truncate: bool = True
    shift: bool = True
    logprobs: bool = False
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class GenerateBody(TextBody):
    """POST /api/generate."""

    prompt: str = ""
    suffix: str = ""
    system: str = ""
    template: str = ""
    context: tuple[int, ...] = ()
    raw: bool = False
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatBody(TextBody):
    """POST /api/chat."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class EmbedBody:
    """POST /api/embed."""

    model: str = ""
    input: str | tuple[str, ...] = ()
    truncate: bool = True
    dimensions: int = 0
    keep_alive: float | str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddingsBody:
    """POST /api/embeddings."""

    model: str = ""
    prompt: str = ""
    keep_alive: float | str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NameBody:
    """What names a model, in its new or in its old way: show, pull and delete."""

    model: str = ""
    name: str = ""
    stream: bool = True
    verbose: bool = False
    insecure: bool = False

    @property
    def named(self) -> str:
        """The name."""
        return self.model or self.name


@dataclass(frozen=True, slots=True)
class CopyBody:
    """POST /api/copy."""

    source: str = ""
    destination: str = ""

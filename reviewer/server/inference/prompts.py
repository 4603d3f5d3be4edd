"""From the words of a request to the segments of a prompt."""

from __future__ import annotations

from collections.abc import Iterable

from hunkwise.engine import ModelSpec, Segment, compile_template
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.server.errors import Refused

NOBODY = ModelSpec("", "", ())  # a model with no words of its own


def chat(messages: Iterable[tuple[str, str]], spec: ModelSpec) -> tuple[Segment, ...]:
    """Make the segments of a chat, (role, text) each. Raises Refused for a role that nobody knows.

    The model's own system message is the engine's to add, which it does where the chat has none at all; a chat
    with one further on gets it here.
    """
    segments = [_segment(role, text, number) for number, (role, text) in enumerate(messages)]
    later = any(segment.role == "system" for segment in segments[1:])
    if spec.system and not spec.messages and later and segments[0].role != "system":
        segments.insert(0, Segment(spec.system, "system"))
    return tuple(segments)


def _segment(role: str, text: str, number: int) -> Segment:
    match role:
        case "system" | "user" | "assistant":
            return Segment(text, role)
        case "developer":  # OpenAI's later name of it
            return Segment(text, "system")
    known = "system, user, assistant"
    raise Refused(400, f"messages[{number}].role must be one of {known}, not {role[:40]!r}", param="messages")


def prompt(text: str, system: str) -> tuple[Segment, ...]:
    """Make the segments of one question."""
    return (*((Segment(system, "system"),) if system else ()), Segment(text, "user"))


def raw(text: str) -> tuple[Segment, ...]:
    """Take a prompt as it stands; special tokens spelled in it are such, as Ollama has it."""
    return (Segment(text, "raw", special=True),)


def templated(template: str, text: str, system: str = "", suffix: str = "") -> tuple[Segment, ...]:
    """Frame one question by a Go template. Raises Refused for a template that goes wrong."""
    try:
        framed = compile_template(template).render([("user", text)], system=system, suffix=suffix)
    except EngineError as error:
        raise Refused(400, str(error), code="invalid_template", param="template") from None
    if not framed:
        raise Refused(400, "the template writes nothing", code="invalid_template", param="template")
    return raw(framed)


def fill_in(prefix: str, suffix: str) -> tuple[Segment, ...]:
    """Ask for what stands between two texts."""
    return (
        Segment(prefix, "raw", "fim_prefix"),
        Segment(suffix, "raw", "fim_suffix"),
        Segment("", "raw", "fim_middle"),
    )

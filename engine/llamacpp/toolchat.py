"""Chats with tools and thoughts, laid out by the chat template of the GGUF file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hunkwise.engine.llamacpp.template import render
from hunkwise.engine.types import Segment

_HOLE = "@@hunkwise-content-{}@@"
_SAID = ("content", "reasoning_content")  # what of a message is its speaker's own words
_HOLES = re.compile(r"@@hunkwise-content-(\d{1,9})@@")


def tool_prompt(
    template: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    think: bool | str = False,
) -> tuple[Segment, ...]:
    """Lay out a chat as raw segments, up to where the answer begins.

    A message has `role` and `content`, and may have `reasoning_content` and `tool_calls` as templates know them.
    The template's own words, with the tools and calls in them, may hold special tokens, contents may not.
    `think` is whether the model is to think aloud, or how much. Raises CorruptModel.
    """
    texts: list[str] = []

    def hole(text: object) -> str:
        if not text:
            return ""
        texts.append(str(text))
        return _HOLE.format(len(texts) - 1)

    needed, chat = [], []
    for message in messages:
        said = {key: hole(message[key]) for key in _SAID if key in message}
        chat.append({**message, **said})
        needed += [said["content"]] if said["content"] else []
    text = render(template, [chat], bos="", eos="", needed=needed, tools=tools, think=think)
    parts = _HOLES.split(text)
    return tuple(
        Segment(texts[int(part)], "raw") if number % 2 else Segment(part, "raw", special=True)
        for number, part in enumerate(parts)
        if part
    )

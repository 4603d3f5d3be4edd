"""Chats with tools, laid out by the chat template of the GGUF file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hunkwise.engine.llamacpp.template import render
from hunkwise.engine.types import Segment

_HOLE = "@@hunkwise-content-{}@@"
_HOLES = re.compile(r"@@hunkwise-content-(\d{1,9})@@")


def tool_prompt(
    template: str, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> tuple[Segment, ...]:
    """Lay out a chat as raw segments, up to where the answer begins.

    A message has `role` and `content`, and may have `tool_calls` as templates know them. The template's own words,
    with the tools and calls in them, may hold special tokens, contents may not. Raises CorruptModel.
    """
    contents = [str(message["content"]) for message in messages]
    holes = [_HOLE.format(number) if text else "" for number, text in enumerate(contents)]
    chat = [{**message, "content": hole} for message, hole in zip(messages, holes, strict=True)]
    needed = [hole for hole in holes if hole]
    text = render(template, [chat], bos="", eos="", needed=needed, tools=tools)
    parts = _HOLES.split(text)
    return tuple(
        Segment(contents[int(part)], "raw") if number % 2 else Segment(part, "raw", special=True)
        for number, part in enumerate(parts)
        if part
    )

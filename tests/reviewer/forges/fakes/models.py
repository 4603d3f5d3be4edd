"""Scripts for `ScriptedEngine`: models that dislike every change, and what they then say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hunkwise.engine import (
    Answer,
    Bundle,
    Choice,
    Choose,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    TokenScore,
)

Words = Callable[[Mapping[str, Any]], Mapping[str, Any]]  # from the answer's JSON schema to the answer


def remark(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say something plain about the first line that may be named."""
    line = schema["properties"]["line"]["enum"][0]
    return {
        "line": line,
        "severity": "high",
        "title": "The sign is turned",
        "message": "The result is wrong.",
    }


def disliking(words: Words = remark) -> Callable[[Bundle, Question], Answer | None]:
    """Hold every new text for unlikely, word a finding on it, and stand by it."""

    def script(bundle: Bundle, question: Question) -> Answer | None:
        match question:
            case Score(id=name, text=text):
                return Scored(name, tuple(_tokens(text, -9.0 if name == "new" else -0.1)))
            case Choose(id="true" | "false" as name):
                yes = 0.9 if name == "true" else 0.1
                return Choice(name, (yes, 1 - yes), (-0.1, -0.1))
            case Generate(id=name, schema=schema):
                assert schema is not None
                return Generated(name, json.dumps(words(schema)), "schema")
        return None

    return script


def _tokens(text: str, logprob: float) -> list[TokenScore]:
    tokens, start = [], 0
    for line in text.splitlines(keepends=True):
        end = start + len(line.encode("utf-8", "surrogateescape"))
        tokens.append(TokenScore(line, start, end, logprob, -0.1))
        start = end
    return tokens

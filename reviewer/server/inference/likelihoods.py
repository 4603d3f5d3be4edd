"""How likely the written tokens were, in the form that Ollama and OpenAI share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hunkwise.engine import Likely, Written

Entry = dict[str, Any]


def entries(tokens: Iterable[Written], *, alternatives: bool) -> list[Entry]:
    """Write tokens, each with its bytes, since one may be a part of a character."""
    return [
        {**_entry(token), "top_logprobs": [_entry(each) for each in token.alternatives]}
        if alternatives
        else _entry(token)
        for token in tokens
    ]


def _entry(token: Likely) -> Entry:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.data)}

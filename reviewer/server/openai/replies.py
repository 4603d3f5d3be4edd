"""What OpenAI's answers have in common: ids, usage, reasons, and streams that end in `[DONE]`."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from hunkwise.engine import Generated
from hunkwise.reviewer.server.inference.running import Ending

Value = dict[str, Any]
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Head:
    """What each object of one answer begins with."""

    kind: str  # as in `chat.completion`
    model: str
    prefix: str
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    def value(self, choices: list[Value], *, chunk: bool = False, **more: Any) -> Value:
        """Make an object."""
        return {
            "id": f"{self.prefix}-{self.id}",
            "object": f"{self.kind}.chunk" if chunk else self.kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": "fp_hunkwise",
            "choices": choices,
            **more,
        }


def reason(answer: Generated) -> str:
    """Name why a text ended."""
    return "length" if answer.finish == "length" else "stop"


def usage(prompt: int, completion: int, cached: int = 0) -> Value:
    """Count tokens."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def usage_of(written: Ending) -> Value:
    """Count the tokens of a run, the prompt once."""
    return usage(written.prompt_tokens, written.written_tokens, written.answers[0].usage.reused)


def left_out(written: Ending) -> Value:
    """Say what of the prompt was left out; nothing where nothing was."""
    return {"truncated": written.left_out} if written.left_out else {}

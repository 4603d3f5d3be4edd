"""The questions of the engine's benchmark, as tokens that every engine gets alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hunkwise.engine import Bundle, Choose, Generate, Segment

ROOT = Path(__file__).resolve().parent.parent
YES_NO = ("Yes", "No")


def finding(title: int, message: int) -> dict[str, Any]:
    """Return the schema of one finding, with the most characters of its texts."""
    properties = {
        "severity": {"enum": ["low", "medium", "high"]},
        "line": {"type": "integer", "minimum": 1, "maximum": 999},
        "title": {"type": "string", "maxLength": title},
        "message": {"type": "string", "minLength": message // 2, "maxLength": message},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of question; `schema` None asks for yes or no."""

    name: str
    max_tokens: int
    schema: Mapping[str, Any] | None = None

    def valid(self, text: str) -> bool:
        """Tell whether an answer keeps its form."""
        if self.schema is None:
            return text in YES_NO
        try:
            value = json.loads(text)
        except ValueError:
            return False
        return isinstance(value, dict) and set(value) == set(self.schema["required"])


KINDS = (
    Kind("yes/no", 1),
    Kind("json-40", 90, finding(40, 40)),
    Kind("json-200", 300, finding(80, 600)),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the table."""

    kind: Kind
    prefix_tokens: int
    questions: int

    def bundle(self, text: str, attempt: int, first: int = 0) -> Bundle:
        """Ask `questions` questions about `text`; `attempt` makes a prefix that no engine has seen."""
        shared = (
            Segment("You review code and answer exactly as asked.", "system"),
            Segment(f"Attempt {attempt}, {self.kind.name}, {self.questions}.\n{text}\n"),
        )
        asked = tuple(self._question(first + number) for number in range(self.questions))
        return Bundle(shared, asked)

    def _question(self, number: int) -> Choose | Generate:
        if self.kind.schema is None:
            text = f"Is there a mistake in what line {number + 3} does? Answer Yes or No."
            return Choose(str(number), (Segment(text),), YES_NO)
        text = f"Report the worst problem near line {number + 3} as one JSON object."
        return Generate(str(number), (Segment(text),), self.kind.max_tokens, schema=self.kind.schema)


def source_text() -> str:
    """Return code to ask about: this project's own."""
    files = sorted((ROOT / "reviewer").glob("*.py")) + sorted((ROOT / "engine").glob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in files)


def cases(prefixes: Sequence[int], counts: Sequence[int], kinds: Sequence[str]) -> tuple[Case, ...]:
    """Return the cells, smallest first; `kinds` are names."""
    asked = [kind for kind in KINDS if kind.name in kinds]
    return tuple(Case(kind, prefix, count) for prefix in prefixes for count in counts for kind in asked)

"""The issue that a change is for, from a file: context for a description, never instructions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.text.checked_json import Form, FormError, read_as
from hunkwise.reviewer.text.redaction import plain

LARGEST = 1_000_000  # bytes of a file
LONGEST_TITLE = 200  # characters
LONGEST_SHOWN = 400  # characters of title and text that a model is shown


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. `number` is 0 where the file does not tell it; `text` is one line."""

    title: str
    text: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """Name it as people do: `#12: Carts lose their rows`."""
        return f"#{self.number}: {self.title}" if self.number else self.title

    @property
    def shown(self) -> str:
        """Give what a model is shown of it, in one line."""
        return f"{self.title}. {self.text}"[:LONGEST_SHOWN].strip()


@dataclass(frozen=True, slots=True)
class _Fields:
    """What forges call the parts of an issue: GitHub and Gitea `number` and `body`, GitLab the others."""

    title: str
    body: str = ""
    description: str = ""
    number: int = 0
    iid: int = 0


def read_issue(data: bytes) -> Issue:
    """Read a forge's JSON of an issue, or a text whose first line is the title. Raises UsageError."""
    if len(data) > LARGEST:
        raise UsageError(f"larger than {LARGEST:,} bytes")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise UsageError(f"must be UTF-8; byte {error.start} is not") from None
    if text.startswith("{"):
        try:
            told = read_as(Form(lenient=True, longest_text=LARGEST), _Fields, json.loads(text))
        except (ValueError, RecursionError, FormError) as error:
            raise UsageError(f"no JSON of an issue: {error}") from None
    else:
        first, _, rest = text.partition("\n")
        told = _Fields(first.lstrip("# "), rest)
    title = _line(told.title)[:LONGEST_TITLE]
    if not title:
        raise UsageError("the issue has no title")
    return Issue(title, _line(told.body or told.description), max(told.number or told.iid, 0))


def _line(text: str) -> str:
    """Write a text in one line, without secrets and without what no reader sees."""
    return plain(" ".join(text.split()))

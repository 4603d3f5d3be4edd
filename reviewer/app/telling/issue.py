"""The issue that a change is for, from a file: context for a description, never instructions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.config.named_files import read_regular
from hunkwise.reviewer.describing.description import Issue
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.text.checked_json import Form, FormError, read_as
from hunkwise.reviewer.text.redaction import plain

LARGEST = 1_000_000  # bytes of a file
LONGEST_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class _Fields:
    """What forges call the parts of an issue: GitHub and Gitea `number` and `body`, GitLab the others."""

    title: str
    body: str = ""
    description: str = ""
    number: int = 0
    iid: int = 0


def read_issue(path: Path) -> Issue:
    """Read the file of an issue. Raises UsageError that names it."""
    try:
        return issue_of(read_regular(path, LARGEST + 1))
    except OSError as error:
        raise UsageError(f"--issue {path}: can't be read: {error.strerror}") from None
    except UsageError as error:
        raise UsageError(f"--issue {path}: {error}") from None


def issue_of(data: bytes) -> Issue:
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

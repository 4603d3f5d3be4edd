"""Edits of whole files, and what of them the model is asked about."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

from hunkwise.engine import Scored, ScriptedEngine
from hunkwise.reviewer.askable import told_of
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.judgement import Inquiry, inquiries, read_evidence, read_with_context
from hunkwise.reviewer.selection import select
from hunkwise.reviewer.types import Change


def edit(old: str, new: str, path: str = "a.py", *, known: bool = True) -> Change:
    """The change from one text to another; the new text is at hand if it is `known`."""
    diff = unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return replace(parse_diff(("\n".join(diff) + "\n").encode()), new_texts={path: new} if known else {})


def asked(change: Change) -> list[str]:
    """The old texts that are read of a change's only hunk."""
    engine = ScriptedEngine(lambda _, question: Scored(question.id, ()))
    (pick,) = select(change, (), ())[0]
    ((_, inquiry),) = inquiries([pick], Inquiry(change, Config(), engine), told_of(change.files, change.text))
    context = read_with_context(pick, inquiry)
    return [spot.reading.sides.old.text for spot in read_evidence(context, engine)]

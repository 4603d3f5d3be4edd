"""What a change says in other words: such parts of it change nothing, and are no evidence.

The old text is read in the words of the new one: with new names (renames.py), with values for names that went
(inlining.py), and with the parameters that functions have now (signatures.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hunkwise.reviewer.languages.comments import Codes, bare
from hunkwise.reviewer.languages.inlining import defines_itself, inlined
from hunkwise.reviewer.languages.renames import renamed, renames
from hunkwise.reviewer.languages.signatures import signatures
from hunkwise.reviewer.types import FileDiff, FileKey, TextOf


def refactorings_of(
    files: Sequence[FileDiff], text_of: TextOf, codes: Mapping[FileKey, Codes]
) -> dict[FileKey, Mapping[str, str]]:
    """Find the refactorings of each file: old words to new. `text_of` gives a file after the change."""
    files = [_without_comments(file, codes[file.key]) for file in files]
    calls = signatures(files, text_of)
    found: dict[FileKey, Mapping[str, str]] = {}
    for file in files:
        text = text_of(file)
        found[file.key] = {**calls[file.key], **inlined(file, text), **renames(file, text)}
    return found


def _without_comments(file: FileDiff, codes: Codes) -> FileDiff:
    """Take the comments out of the changed lines; a line of nothing else stays, empty, so that numbers hold."""
    hunks = (replace(hunk, lines=tuple(bare(line, codes) for line in hunk.lines)) for hunk in file.hunks)
    return replace(file, hunks=tuple(hunks))


def restated(text: str, words: Mapping[str, str]) -> str | None:
    """Give an old line in the words of the new text; None of one that says nothing any more."""
    told = text
    for old, new in words.items():
        if "(" in old and old in text:
            told = new.join(re.split(rf"(?<!\w){re.escape(old)}", told))
    told = renamed(told, words)
    return None if told != text and defines_itself(told) else told

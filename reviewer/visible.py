"""Makes what can't be seen visible, so that no text from a diff or a model can act on whoever reads it."""

from __future__ import annotations

import re

# Controls (C0, C1) save newline and tab; format characters (zero-width, bidirectional, tags: Cf of Unicode);
# line separators; lone surrogates (bytes of a path that are no UTF-8); variation selectors; blank letters.
# See "Trojan Source" (CVE-2021-42574) and ECMA-48 for what they do to terminals and readers.
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
_COMMAND = re.compile(r"^[^\S\n]*::|##\[", re.MULTILINE)


def visible(text: str) -> str:
    """Spell each character that is not seen or steers a terminal as `<U+202E>`; keep newline and tab."""
    return _UNSEEN.sub(lambda match: f"<U+{ord(match.group()):04X}>", text)


def visible_line(text: str) -> str:
    """Make a text visible that must stay on one line."""
    return visible(" ".join(text.split("\n"))).replace("\t", " ")


def defuse(text: str) -> str:
    """Break what GitHub Actions would take for a command when it stands in a job's log.

    The runner reads `::` at the start of a line, blanks aside, and `##[` anywhere (ActionCommand.cs).
    """
    return _COMMAND.sub(lambda match: match.group()[:-1] + "\u2060" + match.group()[-1], text)

"""Makes what can't be seen visible, so that no text from a diff or a model can act on whoever reads it.

All output for people goes through here, so secrets are hidden here too: also those in a path or an error.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"^[^\S\n]*::|##\[", re.MULTILINE)


def visible(text: str) -> str:
    """Spell each character that is not seen or steers a terminal as `<U+202E>`, and hide secrets.

    Newline and tab stay, and so do joiners and selectors where a script or an emoji needs them.
    """
    # imported here, for their tables take a tenth of the time that --help has
    from hunkwise.reviewer.text.redaction import redact
    from hunkwise.reviewer.text.unseen import UNSEEN

    return UNSEEN.sub(_spelt, redact(text))


def _spelt(found: re.Match[str]) -> str:
    from hunkwise.reviewer.text.unseen import name, needed

    char = found[0]
    return char if needed(found.string, found.start()) else f"<{name(char).split(' ')[0]}>"


def visible_line(text: str) -> str:
    """Make a text visible that must stay on one line."""
    return visible(" ".join(text.split("\n"))).replace("\t", " ")


def defuse(text: str) -> str:
    """Break what GitHub Actions would take for a command when it stands in a job's log.

    The runner reads `::` at the start of a line, blanks aside, and `##[` anywhere (ActionCommand.cs).
    """
    return _COMMAND.sub(lambda match: match.group()[:-1] + "\u2060" + match.group()[-1], text)

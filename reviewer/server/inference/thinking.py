"""Thinking aloud: whether a request wants it, and where thoughts end and the answer begins."""

from __future__ import annotations

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found

LEVELS = ("low", "medium", "high", "max")
_OPEN, _CLOSE = "<think>", "</think>"


def wanted(found: Found, think: bool | str | None, *, constrained: bool, param: str = "think") -> bool | str:
    """Say whether, or how much, a model is to think; one that can does unless told not to. Raises Refused."""
    if isinstance(think, str) and think not in LEVELS:
        known = ", ".join(LEVELS)
        raise Refused(
            400, f"invalid {param} value: {think[:40]!r} (must be true, false or one of {known})", param=param
        )
    if think:
        found.require("thinking")
        if constrained:
            raise Refused(
                400, f"a model can't think within a schema; leave {param} or the format out", param=param
            )
    able = "thinking" in found.described.abilities and not constrained
    return able if think is None else think


def begun_by(prompt: tuple[Segment, ...]) -> bool:
    """Tell whether the template has opened the thoughts, so that the model does not."""
    return bool(prompt) and prompt[-1].special and prompt[-1].text.rstrip().endswith(_OPEN)


class Thoughts:
    """Parts one text, as it comes, into the thoughts at its beginning and the answer after them."""

    def __init__(self, begun: bool) -> None:
        self._held, self._tag = "", _CLOSE if begun else _OPEN
        self._thinks, self._fresh = begun, True  # fresh: blanks that come now are dropped

    def feed(self, text: str) -> tuple[str, str]:
        """Take the next piece; give what is certain of thought and answer. What may be half a tag waits."""
        self._held += text
        thought = ""
        if not self._thinks and self._tag:
            begin = self._held.lstrip()
            if begin.startswith(_OPEN):
                self._held, self._thinks, self._tag = begin[len(_OPEN) :], True, _CLOSE
            elif _OPEN.startswith(begin):
                return "", ""
            else:
                self._tag, self._fresh = "", False
        if self._thinks:
            inside, closed, after = self._held.partition(_CLOSE)
            if not closed:
                return self._told(_certain(self._held)), ""
            thought, self._held = self._told(len(inside.rstrip())), after
            self._thinks, self._tag, self._fresh = False, "", True
        return thought, self._told(len(self._held))

    def rest(self) -> tuple[str, str]:
        """Give what waited, at the end of the text."""
        thinks, text = self._thinks, self._held.rstrip() if self._thinks else self._held
        return (text, "") if thinks else ("", text)

    def _told(self, count: int) -> str:
        """Give so many characters of what is held, without blanks at the beginning."""
        text, self._held = self._held[:count], self._held[count:]
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        return text


def _certain(text: str) -> int:
    """Count the characters before what may be the beginning of the closing tag, and before blanks."""
    for length in range(min(len(text), len(_CLOSE) - 1), 0, -1):
        if text.endswith(_CLOSE[:length]):
            text = text[:-length]
            break
    return len(text.rstrip())

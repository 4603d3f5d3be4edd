"""Writes text of a model or a diff into Markdown so that it stays text, on GitHub and on GitLab.

Whatever goes in, no images, links, raw HTML, mentions, references, math or quick actions come out.
Grammar: CommonMark 0.31, the GFM extensions (autolinks), and GitLab's references and quick actions.
"""

from __future__ import annotations

import re

from hunkwise.reviewer.text.visible import visible, visible_line

_TICKS = re.compile(r"(`+)")
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&~|$^!#])")
_LINE_START = re.compile(
    r"^(\d*)([-+=.):])"
)  # lists and underlined headings; the other block marks are above
# What a forge turns into a link, a mention or a reference, wherever it stands in a word, and quick actions.
# A backslash does not stop it, since those filters read the rendered text; a code span does.
_LIVE = re.compile(r"@\w|://|www\.|mailto:|xmpp:|[#!~%&$^*]\w|\bgh-\d|\[\w+:|^/", re.IGNORECASE)
_LONGEST = 4000


def escape(text: str, longest: int = _LONGEST) -> str:
    """Escape prose of at most `longest` characters (the rest is cut, with an ellipsis).

    Code spans of one backtick on one line are kept; all other markup becomes text.
    """
    text = visible(text)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return "\n".join(_escape_line(line.strip()) for line in text.splitlines())


def _escape_line(line: str) -> str:
    """Escape a line: single backticks that pair up are kept as a code span."""
    parts, out, index = _TICKS.split(line), "", 0
    while index < len(parts):
        part = parts[index]
        if index % 2 == 0:
            out = _escape_words(part, out)
        elif part == "`" and parts[index + 2 : index + 3] == ["`"]:
            out = _append_span(parts[index + 1], out)
            index += 2
        else:
            out += "\\`" * len(part)
        index += 1
    return out


def _escape_words(text: str, out: str) -> str:
    for word in re.split(r"(\s+)", text):
        if _LIVE.search(word):
            out = _append_span(word, out)
        else:
            safe = _PUNCTUATION.sub(r"\\\1", word)
            out += safe if out else _LINE_START.sub(r"\1\\\2", safe)
    return out


def _append_span(code: str, out: str) -> str:
    """Append a code span; a backtick right before it would change where it begins.

    What looks like one of our own hidden marks is broken by a word joiner.
    """
    code = code.replace("<!--", "<!\u2060--")
    return f"{out}{' ' if out.endswith('`') else ''}`{code}`"


def code_span(text: str) -> str:
    """Write one line of code; the fence is longer than any run of backticks inside."""
    text = visible_line(text)
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text[:1] in ("`", " ", "") or text[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fence(code: str, info: str = "") -> str:
    """Write a fenced block. Characters that are not seen are spelled out; `info` is one of our own words."""
    code = visible(code.replace("\r", ""))
    mark = "`" * max(3, _longest_run(code) + 1)
    return f"{mark}{info}\n{code}\n{mark}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)

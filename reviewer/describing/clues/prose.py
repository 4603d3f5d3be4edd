"""What a change of a document or of settings is about: sections, sentences, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from hunkwise.reviewer.describing.clues.clue import (
    LONGEST_LINE,
    LONGEST_QUOTE,
    Clue,
    Tells,
    View,
    clipped,
    joined,
    quoted,
)
from hunkwise.reviewer.types import Line

_HEADING = re.compile(r"#{1,6}\s+(\S.{0,150}?)\s*#*\s*$|={1,5}\s+(\S.{0,150})")
_UNDER = re.compile(r"([=\-~^\"*+#`'])\1{2,}\s*")
_MARKUP = re.compile(
    r"(?<!\w)[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}(?!\w)|^\s{0,8}(?:[-*+•>]|\d+[.)])\s+|</?\w[^>]{0,100}>"
)
_WORD = re.compile(r"\w+")
_KEY = re.compile(r"\s*(?:-\s+)?[\"']?([A-Za-z_@.$/][\w.@/$ -]{0,60}?)[\"']?\s*(?::(?=\s|$)|=(?!=))")
_TABLE = re.compile(r"\s*\[{1,2}([\w.\"' -]{1,60})\]{1,2}\s*$")
_LINK = re.compile(r"!?\[([^\]\[]{1,120})\](?:\([^()\s]{0,300}\)|\[[^\]\[]{0,80}\])")
_MOST_RUNS = 20  # whose sections are looked for


def of_prose(view: View) -> Iterator[Clue]:
    """Give the sections and sentences that come or go."""
    lines = [line for hunk in view.file.hunks for line in hunk.lines]
    added, removed = (_headings(lines, kind) for kind in ("added", "removed"))
    for verb, join, ours, others in (("Add", "to", added, removed), ("Remove", "from", removed, added)):
        names = [name for name in ours if name not in others]
        if names:
            size = sum(line.kind != "context" for line in lines)
            yield Clue(Tells.PROSE, f"{verb} section {quoted(clipped(names[0], LONGEST_QUOTE))}", size, join)
    for hunk in view.runs:
        new = [text for line in hunk.lines if line.kind == "added" and (text := plain(line.text))]
        old = [text for line in hunk.lines if line.kind == "removed" and (text := plain(line.text))]
        for verb, join, texts, rest in (("Add", "to", new, old), ("Remove", "from", old, new)):
            if texts and not rest and (len(texts[0].split()) > 1 or texts[0][0] == "[") and len(texts[0]) > 4:
                told = clipped(texts[0].replace("`", "'"), LONGEST_QUOTE)
                if told:
                    yield Clue(Tells.PROSE, f"{verb} “{told}”", len(hunk.lines), join)
    if view.text is not None and len(view.runs) <= _MOST_RUNS and (place := _section(view)):
        yield Clue(Tells.PLACE, f"Change section {quoted(clipped(place, LONGEST_QUOTE))}", 0, "of")


def plain(text: str) -> str:
    """Take the markup off a line of prose; "" for one that is no sentence."""
    text = text[:LONGEST_LINE].strip()
    if (
        text[:2] in ("..", "<!", "[!", "--", "//", "/*")
        or text[:3] in ("```", "---", ":::")
        or text[:1] in ("|", ":", "{", "@")
    ):
        return ""
    text = _LINK.sub(r"\1", text)
    return " ".join(_MARKUP.sub("", text.lstrip("# ")).split())


def _headings(lines: Sequence[Line], kind: str) -> list[str]:
    found = []
    for at, line in enumerate(lines):
        if line.kind != kind:
            continue
        if heading := _HEADING.match(line.text[:LONGEST_LINE]):
            found.append(plain(heading[1] or heading[2]))
        elif (
            _UNDER.fullmatch(line.text[:LONGEST_LINE])
            and at
            and lines[at - 1].kind == kind
            and lines[at - 1].text.strip()
        ):
            found.append(plain(lines[at - 1].text))
    return [name for name in found if name]


def _section(view: View) -> str:
    """Give the heading that all changed lines stand under, "" where there are several."""
    texts = (view.text or "").split("\n")
    places = set()
    for run in view.runs:
        at = min(run.new_start, len(texts))
        for number in range(at - 1, -1, -1):
            text = texts[number][:LONGEST_LINE]
            if (heading := _HEADING.match(text)) and not text.startswith("    "):
                places.add(plain(heading[1] or heading[2]))
                break
            if (
                number
                and _UNDER.fullmatch(text)
                and texts[number - 1].strip()
                and len(text.strip()) >= len(texts[number - 1].strip())
            ):
                places.add(plain(texts[number - 1]))
                break
        else:
            places.add("")
    return places.pop().rstrip(".:") if len(places) == 1 else ""


def of_settings(view: View) -> Iterator[Clue]:
    """Give the keys that come, go, or take another value, by the lines of the change."""
    keys: dict[str, list[str]] = {"added": [], "removed": []}
    size = 0
    for run in view.runs:
        for kind, found in keys.items():
            lines = [
                line.text[:LONGEST_LINE] for line in run.lines if line.kind == kind and line.text.strip()
            ]
            size += len(lines)
            found.extend(_tops(lines))
    old, now = (
        {
            word
            for run in view.runs
            for line in run.lines
            if line.kind == kind
            for word in _WORD.findall(line.text)
        }
        for kind in ("removed", "added")
    )
    new = [key for key in dict.fromkeys(keys["added"]) if _last(key) not in old]
    gone = [key for key in dict.fromkeys(keys["removed"]) if _last(key) not in now]
    both = [key for key in dict.fromkeys(keys["added"]) if key in keys["removed"]]
    for verb, join, names in (("Add", "to", new), ("Remove", "from", gone), ("Change", "in", both)):
        if names:
            more = [f"{len(names) - 2} more"] if len(names) > 2 else []
            said = joined([*map(quoted, names[:2]), *more])
            yield Clue(Tells.PROSE, f"{verb} {said}", size, join)


def _last(key: str) -> str:
    return next(reversed(_WORD.findall(key)), "")


def _tops(lines: Sequence[str]) -> Iterator[str]:
    """Give the outermost keys of some lines, each with the key inside it where that is the only one."""
    rows = [
        (len(text) - len(text.lstrip(" \t-")), found[1].strip())
        for text in lines
        if (found := _TABLE.match(text) or _KEY.match(text))
    ]
    least = 1_000
    for at, (depth, key) in enumerate(rows):
        if depth <= least:
            least = depth
            inside = list(takewhile(lambda row: row[0] > depth, rows[at + 1 :]))  # noqa: B023 - used at once
            yield f"{key}.{inside[0][1]}" if len(inside) == 1 else key

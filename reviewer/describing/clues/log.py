"""What the author of a change wrote of it in a change log, or in a fragment of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from hunkwise.reviewer.describing.clues.clue import Clue, Tells, View
from hunkwise.reviewer.types import FileDiff, FileStatus

_LOG = re.compile(
    r"(?:change[-_ ]?log|changes|history|news|release[-_ ]?notes|releases|whats[-_ ]?new)[\w.-]{0,20}",
    re.IGNORECASE,
)
_FRAGMENTS = frozenset(
    {"changes", "changelog", "changelogs", ".changes", ".changeset", "changelog.d", "news", "newsfragments",
     "unreleased", "next"}
)  # fmt: skip
TOWNCRIER = frozenset(
    {
        "feature",
        "bugfix",
        "doc",
        "removal",
        "misc",
        "breaking",
        "deprecation",
        "improvement",
        "packaging",
        "contrib",
    }
)  # what towncrier calls the kinds of fragments
_TEXTS = frozenset({"", ".md", ".rst", ".txt", ".adoc", ".markdown", ".asciidoc"})
_ITEM = re.compile(r"^\s{0,8}[-*+•]\s+(?=\S)")
_NO_ENTRY = re.compile(r"#|={3}|-{3}|~{3}|\^{3}|\.\. |\[[^\]]{1,80}\]:|<!--|:\w+:|\|")
_ROLE = re.compile(r":[a-z:]{2,20}:`[~!]?([^`<]{1,80}?)(?: <[^`>]{1,120}>)?`")
_LINK = re.compile(
    r"!?\[([^\]\[]{1,120})\]\([^()\s]{0,300}\)|\[([^\]\[]{1,120})\]\[[^\]\[]{0,80}\]"
    r"|`([^`<]{1,80}) <[^`>]{1,200}>`_+"
)
_CREDIT = re.compile(
    r"\s*(?:--|—)\s*(?:by\b|@).*|\s*\((?:[^()]{0,60}(?:#\d+|@\w|:\w+:)[^()]{0,200})\)"
    r"|\s*\[?#\d+\]?(?:,\s*#\d+)*(?=[\s.]*$|\. )|\s+(?:by|thanks to|contributed by)\s+\[?@.*|\s*\(\)"
    r"|\s*\[[^\]]{0,30}#\d+\]|:(?:issue|pr|pull|gh|user):`[^`]{0,60}`|\s*\((?:see|closes|fixes|issue)?\s*$",
    re.IGNORECASE,
)
_LEAD = re.compile(r"\*\*([^*]{1,60})\*\*|(?<![\w*])\*([^*\s][^*]{0,60})\*(?![\w*])")
_TOPIC = re.compile(
    r"(?:fix|feat|docs|chore|perf|refactor|bug|bugfix|fixed|added|changed|new|improved)(?:\([^)]{0,30}\))?:\s+",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\A(?:#\d+[,:\s]\s*)+")
_FRONT = "---"  # what a head of YAML begins and ends with
_FEWEST = 3  # words of a sentence that tells something
_MOST = 50  # entries; more are no change of one thing
_LONGEST = 2_000  # characters of an entry that are looked at


def is_log(path: str) -> bool:
    """Tell by its name whether a file is a change log, or a fragment of one."""
    place = PurePosixPath(path)
    named = place.suffix.lower() in _TEXTS and _LOG.fullmatch(place.stem)
    return bool(named) or is_fragment(path)


def is_fragment(path: str) -> bool:
    """Tell by its folder whether a file is one entry of a change log."""
    place = PurePosixPath(path)
    kinds = {suffix.lower().lstrip(".") for suffix in place.suffixes}
    folder = place.parent.name.lower()
    return folder in _FRAGMENTS and (place.suffix.lower() in _TEXTS or bool(kinds & TOWNCRIER))


def of_log(view: View) -> Iterator[Clue]:
    """Give the entries that a change adds to a change log, as their authors wrote them."""
    if is_log(view.file.path):
        for entry in entries(view.file):
            yield Clue(Tells.LOG, entry, 0, "")


def entries(file: FileDiff) -> Iterator[str]:
    """Give the first sentence of each entry that is new in a change log, without credits and markup."""
    lines = [line for hunk in file.hunks for line in hunk.lines if line.kind != "context"]
    gone = {line.text.strip() for line in lines if line.kind == "removed"}
    gone_words = {frozenset(re.findall(r"\w+", text[:_LONGEST].lower())) for text in gone}
    found: list[str] = []
    fragment = file.status is FileStatus.ADDED and is_fragment(file.path)
    open_ = fragment
    for hunk in file.hunks:
        head = (
            2 if fragment and hunk.lines[0].text.strip() == _FRONT else 0
        )  # lines that part a head from the text
        for line in hunk.lines:
            text = line.text.strip()
            head -= text == _FRONT
            if line.kind == "removed" or head > 0:
                continue
            if line.kind == "context" or not text or _NO_ENTRY.match(text) or text in gone:
                open_ = fragment and not found
            elif _ITEM.match(line.text) or (open_ and not found):
                found.append(_ITEM.sub("", line.text[:_LONGEST], count=1).strip())
                open_ = True
            elif open_ and found:
                found[-1] = f"{found[-1]} {text}"[:_LONGEST]
    for entry in found if len(found) <= _MOST else ():
        words = frozenset(re.findall(r"\w+", entry.lower()))
        if any(len(words & old) * 2 > len(words) for old in gone_words):
            continue  # it was there in other words
        if len((told := sentence(entry)).split()) >= _FEWEST:
            yield told


def sentence(entry: str) -> str:
    """Take credits, links and markup off an entry, and all behind its first sentence."""
    text = _LINK.sub(lambda found: found[1] or found[2] or f"`{found[3]}`", entry[:_LONGEST])
    for _ in range(2):
        text = _CREDIT.sub("", text).strip()
    text = _ROLE.sub(r"`\1`", text).replace("``", "`")
    text = _LEAD.sub(lambda found: found[1] or found[2], text)
    text = _TOPIC.sub("", _NUMBERED.sub("", text.strip(" :-"), count=1), count=1)
    if text.count("`") % 2:
        text = text.replace("`", "")
    first = re.split(r"(?<=[^\s.A-Z])[.!](?:\s+(?=[^a-z])|$)", text, maxsplit=1)[0].strip(" .:")
    return first[:1].upper() + first[1:]

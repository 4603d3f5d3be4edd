"""HTML as people read it: its text, under its headings, each with the lines of the file that it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

_UNREAD = frozenset({"script", "style", "template", "noscript", "svg", "math", "head"})
_PHRASING = """
    a abbr b bdi bdo cite code data del dfn em font i img ins kbd label mark q s samp small span
    strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_PHRASING.split())
_CELLS = ("td", "th")  # of a row, which stays one line
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
Part = tuple[tuple[str, ...], list[tuple[int, str]]]
"""Headings, and lines of text, each with the number of the line in the file that it begins on."""


class _Reader(HTMLParser):
    """Collects text by section; what is in elements that nobody reads is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Part] = [((), [])]
        self.above: list[tuple[int, str]] = []
        self.words: list[str] = []
        self.since = 0
        self.unread: list[str] = []
        self.title = False
        self.kept = 0  # how many <pre> are open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self.end_line()
            self.title = True
        elif tag in _UNREAD:
            self.unread.append(tag)
        elif tag in _CELLS:
            self.words += [" | "] * any(map(str.strip, self.words))
        elif tag not in _INLINE:
            self.end_line()
        self.kept += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self.title:
            self.title = False
            self.head(0)
        elif tag in self.unread:
            while self.unread.pop() != tag:
                pass
        elif tag in _HEADINGS:
            self.head(_HEADINGS[tag])
        elif tag not in _INLINE and tag not in _CELLS:
            self.end_line()
        self.kept = max(0, self.kept - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self.unread and not self.title:
            return
        line = self.getpos()[0]
        for at, text in enumerate(data.split("\n")):
            if self.kept and at:
                self.end_line()
            if text.strip() and not any(map(str.strip, self.words)):
                self.since = line + at
            self.words.append(text if self.kept else f"{' ' * bool(at)}{text}")

    def text(self) -> str:
        """Give the line that was collected."""
        text = "".join(self.words)
        self.words = []
        return text.rstrip() if self.kept else " ".join(text.split())

    def end_line(self) -> None:
        """Put what was collected into the section."""
        if text := self.text():
            self.parts[-1][1].append((self.since, text))

    def head(self, level: int) -> None:
        """Begin a section with what was collected as its heading."""
        since, text = self.since, " ".join(self.text()[:200].split())
        if text:
            self.above = [*(one for one in self.above if one[0] < level), (level, text)]
            headings = tuple(dict.fromkeys(heading for _, heading in self.above))
            self.parts.append((headings, [] if level == 0 else [(since, text)]))


def html_parts(text: str) -> Iterator[Part]:
    """Read the sections of an HTML text, without those that have no text."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_line()
    for headings, lines in reader.parts:
        if len(lines) > 1 or (lines and lines[0][1] != (headings or ("",))[-1]):
            yield headings, lines

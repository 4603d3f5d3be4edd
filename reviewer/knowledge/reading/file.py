"""One file in passages: read, weighed whether it belongs in the index, and cut by what it is.

Called in a process of its own (`answer`), for it hands what strangers wrote to native code and to a reader of PDF.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from hunkwise.reviewer.errors import KnowledgeError
from hunkwise.reviewer.knowledge.pieces import pieces
from hunkwise.reviewer.knowledge.port import PassageKind
from hunkwise.reviewer.knowledge.reading.code import units
from hunkwise.reviewer.knowledge.reading.kinds import kind_of, most_of
from hunkwise.reviewer.knowledge.reading.markup import html_parts
from hunkwise.reviewer.knowledge.reading.past import LANGUAGE, is_past, past
from hunkwise.reviewer.knowledge.reading.pdf import pages
from hunkwise.reviewer.knowledge.reading.sections import FORMS, Form, sections
from hunkwise.reviewer.knowledge.words import parts
from hunkwise.reviewer.languages.symbols.read import answer as symbols_in
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.languages.symbols.values import Symbols
from hunkwise.reviewer.source.provenance import MARKER_LINES, MINIFIED_LINE, is_pointer, says_generated
from hunkwise.reviewer.source.worktree import is_binary, read_regular
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.text.redaction import secrets

_POINTER_LINES = 9

Row = tuple[int, int, str, str, str]
"""A passage: its first and last line, its title, its text, and the parts of its identifiers."""

_Titled = tuple[int, int, str, str]
"""The same without the parts."""


class Answer(TypedDict, total=False):
    """What came of a file: why it stays out of the index, or what is in it; of a known one its blob alone."""

    blob: str
    reason: str
    kind: PassageKind
    language: str
    passages: list[Row]
    definitions: list[list[object]]  # symbols (languages/symbols/), as JSON has them
    uses: dict[
        str, list[object]
    ]  # by name: line, what it stands in, receiver, arguments, whether it makes one


def answer(question: tuple[str, str, str, str]) -> Answer:
    """Read a file: the folder, its path below it, the blob that is known of it, and the hash that names blobs."""
    return _answer(*question, careful=False)


def careful(question: tuple[str, str, str, str]) -> Answer:
    """Read a file without grammars and readers that a hostile text might kill."""
    return _answer(*question, careful=True)


def _answer(top: str, path: str, known: str, algorithm: str, *, careful: bool) -> Answer:
    kind, language = kind_of(path)
    most = most_of(path)
    try:
        data = read_regular(Path(top), path, most)
    except OSError as error:
        return {"blob": "", "reason": f"unreadable: {(error.strerror or 'refused').lower()}"}
    if data is None:
        return {"blob": "", "reason": "not a regular file"}
    if len(data) > most:
        return {"blob": "", "reason": "too large"}
    blob = blob_id(data, algorithm)
    if blob == known:
        return {"blob": blob}
    rows: Iterator[_Titled]
    try:
        if language == "pdf":
            found, rows = Symbols(), _pdf(data, careful=careful)
        else:
            lines, text = _lines(data)
            grammar = "" if careful else language_of(path)
            found = symbols_in((grammar, text)) if grammar else Symbols()
            if is_past(path, text):
                kind, language, rows = "document", LANGUAGE, _past(lines, text)
            elif kind == "code":
                rows = _code(lines, found)
            else:
                rows = _document(lines, text, "text" if careful and language == "html" else language)
        told = [(first, last, title, piece, parts(f"{title} {piece}")) for first, last, title, piece in rows]
    except KnowledgeError as error:
        return {"blob": blob, "reason": str(error)}
    uses: dict[str, list[object]] = {}
    for use in found.uses:
        uses.setdefault(use.name, []).append((use.line, use.inside, use.receiver, use.arguments, use.new))
    return {
        "blob": blob,
        "reason": "",
        "kind": kind,
        "language": language,
        "passages": told,
        "definitions": [list(one) for one in found.definitions],
        "uses": uses,
    }


def blob_id(data: bytes, algorithm: str = "sha1") -> str:
    """Give the name that git has for a file of these bytes."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _pdf(data: bytes, *, careful: bool) -> Iterator[_Titled]:
    if careful:
        raise KnowledgeError("a PDF that takes too long")
    for number, text in pages(data):
        _check(text.split("\n"), text)
        for _, _, piece in pieces(text.split("\n"), 1):
            yield number, number, f"page {number}", piece


def _lines(data: bytes) -> tuple[list[str], str]:
    """Give the lines of a text file, and its text. Raises KnowledgeError with the reason why it stays out."""
    if is_binary(data):
        raise KnowledgeError("binary")
    text = decode(data)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    _check(lines, text)
    return lines, text


def _code(lines: Sequence[str], found: Symbols) -> Iterator[_Titled]:
    for start, end, title in units(lines, found.definitions):
        for first, last, piece in pieces(lines[start:end], start + 1):
            yield first, last, title, piece


def _past(lines: Sequence[str], text: str) -> Iterator[_Titled]:
    for line, title, told in past(lines, text):
        for _, _, piece in pieces(told.split("\n"), line):
            yield line, line, title, piece


def _document(lines: Sequence[str], text: str, language: str) -> Iterator[_Titled]:
    if language == "html":
        yield from _html(text)
        return
    form: Form = next((form for form in FORMS.values() if form == language), "text")
    for part in sections(lines, form):
        for first, last, piece in pieces(lines[part.start : part.end], part.start + 1):
            yield first, last, " > ".join(part.headings), piece


def _html(text: str) -> Iterator[_Titled]:
    for headings, numbered in html_parts(text):
        title = " > ".join(headings)
        for first, last, piece in pieces([line for _, line in numbered], 0):
            yield numbered[first][0], numbered[last][0], title, piece


def _check(lines: Sequence[str], text: str) -> None:
    """Say why a text stays out of the index. Raises KnowledgeError with the reason."""
    if any(map(says_generated, lines[:MARKER_LINES])):
        raise KnowledgeError("generated")
    if len(lines) <= _POINTER_LINES and is_pointer([line for line in lines if line]):
        raise KnowledgeError("kept by git-lfs")
    if len(text) > len(lines) * MINIFIED_LINE:
        raise KnowledgeError("minified")
    if secrets(text):
        raise KnowledgeError("holds a secret")

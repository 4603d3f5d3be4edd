"""PDF by pypdf, page by page; runs in the process that parses, within its limits of time and memory."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from hunkwise.reviewer.errors import KnowledgeError

MOST_PAGES = 5_000
_MOST_TEXT = 20_000_000  # characters of one document


def pages(data: bytes) -> Iterator[tuple[int, str]]:
    """Give the number and text of each page that has text. Raises KnowledgeError for what can't be read."""
    try:
        from pypdf import PdfReader
    except ImportError:
        raise KnowledgeError("PDF needs hunkwise[knowledge]") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    room = _MOST_TEXT
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise KnowledgeError("an encrypted PDF")
        if len(reader.pages) > MOST_PAGES:
            raise KnowledgeError("too large")
        for number, page in enumerate(reader.pages, 1):
            text = page.extract_text().encode("utf-8", "replace").decode()  # some have lone surrogates
            room -= len(text)
            if room < 0:
                raise KnowledgeError("too large")
            if text.strip():
                yield number, text
    except (KnowledgeError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - of hostile files the library raises whatever it meets
        raise KnowledgeError("a damaged PDF") from None

"""Texts that a request gives as one, or as a list."""

from __future__ import annotations

from typing import Any

from hunkwise.reviewer.server.errors import Refused

MOST_TEXTS = 2048


def texts_of(given: Any, where: str) -> list[str]:
    """Read the texts. Raises Refused for token ids, which mean another text to every model."""
    several = given if isinstance(given, list) else [given]
    if several and all(isinstance(each, int | list) and not isinstance(each, bool) for each in several):
        raise Refused(400, f"{where}: send texts; lists of token ids are not read here", param=where)
    texts = [each for each in several if isinstance(each, str)]
    if len(texts) < len(several) or not texts:
        raise Refused(400, f"{where} must be a text or a list of texts", param=where)
    if len(texts) > MOST_TEXTS:
        raise Refused(400, f"{where} holds {len(texts)} texts; at most {MOST_TEXTS} are taken", param=where)
    empty = next((number for number, text in enumerate(texts) if not text), None)
    if empty is not None:
        raise Refused(400, f"{where}[{empty}] is empty", param=where)
    return texts

"""Tokens as servers print them, and which bytes of a text they are.

A server's vocabulary prints bytes as letters, in one of two ways: GPT-2's table (byte-level BPE: Qwen, Llama 3,
DeepSeek) or SentencePiece's (`▁` is a blank, `<0x0A>` a byte). What fits neither has no positions, and a model
with such a vocabulary is not asked for scores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.types import TokenScore

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>\Z")
# what chat templates mark turns with; a server reads them in data too, where our own engine never does
_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<｜[^｜<>]{1,40}｜>")
_JOINER = "\u2060"


def special(text: str) -> bool:
    """Tell whether a server could read a part of the text as a special token."""
    return _SPECIAL.search(text) is not None


def defused(text: str) -> str:
    """Break what a server could read as a special token, by a letter that nobody sees behind its first one."""
    return _SPECIAL.sub(lambda found: found[0][0] + _JOINER + found[0][1:], text)


@cache
def _letters() -> dict[str, int]:
    """GPT-2's table: the printable bytes are themselves, the others follow from U+0100 on."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}


def _byte_level(tokens: Sequence[str]) -> list[bytes] | None:
    table = _letters()
    if not all(letter in table for token in tokens for letter in token):
        return None
    return [bytes(table[letter] for letter in token) for token in tokens]


def _sentence_piece(tokens: Sequence[str]) -> list[bytes]:
    return [
        bytes([int(found[1], 16)]) if (found := _BYTE.match(token)) else token.replace("▁", " ").encode()
        for token in tokens
    ]


def spans(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Find where each token lies in the UTF-8 bytes of the text: start and end (exclusive).

    `tokens` are as the server's vocabulary prints them, or as it decodes them. Raises NativeFailure if they are
    not the text.
    """
    wanted = text.encode("utf-8", "surrogateescape")
    readings = (
        _byte_level(tokens),
        _sentence_piece(tokens),
        [token.encode("utf-8", "surrogateescape") for token in tokens],
    )
    for pieces in readings:
        if pieces is None:
            continue
        if (
            pieces
            and pieces[0][:1] == b" "
            and not wanted.startswith(b" ")
            and b"".join(pieces)[1:] == wanted
        ):
            pieces[0] = pieces[0][1:]  # SentencePiece puts a blank in front
        if b"".join(pieces) == wanted:
            ends, found = 0, []
            for piece in pieces:
                found.append((ends, ends + len(piece)))
                ends += len(piece)
            return found
    raise NativeFailure("the server's tokens are not the text that was scored; its scores can't be used")


def scores(
    text: str, tokens: Sequence[str], logprobs: Sequence[float], favourites: Sequence[float]
) -> tuple[TokenScore, ...]:
    """Put a server's numbers to the parts of the text. Raises NativeFailure if they are no log-probabilities."""
    where = spans(text, tokens)
    wanted = text.encode("utf-8", "surrogateescape")
    if not len(where) == len(logprobs) == len(favourites):
        raise NativeFailure("the server left out positions of the text that was scored")
    made = []
    for (start, end), logprob, favourite in zip(where, logprobs, favourites, strict=True):
        if not logprob <= 0 or not favourite <= 1e-6:  # NaN is neither
            raise NativeFailure("the server sent what is no log-probability")
        shown = wanted[start:end].decode("utf-8", "replace")
        made.append(
            TokenScore(shown, start, end, float(logprob), min(0.0, max(float(favourite), float(logprob))))
        )
    return tuple(made)

"""From token ids to the text that they spell, by the vocabulary in a file: no model is loaded for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.models.gguf.header import ArrayInfo, GgufHeader
from hunkwise.engine.models.gguf.marks import beginning

_KEY = b"tokenizer.ggml.tokens"
_STRINGS = (9).to_bytes(4, "little") + (8).to_bytes(4, "little")  # an array, of strings
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def _bytes_of_letters() -> dict[str, int]:
    """Give GPT-2's letters for the 256 bytes: those that can be seen stand for themselves."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}


_LETTERS = _bytes_of_letters()


class Vocabulary:
    """The tokens of one file. Raises CorruptModel where it has none that can be read here."""

    def __init__(self, header: GgufHeader) -> None:
        self._kind = header.metadata.get("tokenizer.ggml.model")
        if self._kind not in ("gpt2", "llama"):
            raise CorruptModel(f"{header.path}: token ids of its kind of vocabulary can't be read here")
        self._tokens = _strings(header)
        begin = header.metadata.get("tokenizer.ggml.bos_token_id")
        self._begin = begin if isinstance(begin, int) else None
        self.adds_begin = bool(header.metadata.get("tokenizer.ggml.add_bos_token", self._kind == "llama"))

    def __len__(self) -> int:
        return len(self._tokens)

    def without_begin(self, ids: Sequence[int]) -> Sequence[int]:
        """Leave out the token that every prompt begins with, where the model puts it there by itself."""
        return ids[1:] if self.adds_begin and ids and ids[0] == self._begin else ids

    def text(self, ids: Sequence[int]) -> str:
        """Spell tokens, each of which is one of the vocabulary; half a character shows as U+FFFD."""
        data = b"".join(self._spelled(self._tokens[token]) for token in ids)
        if self._kind == "llama":
            data = data.removeprefix(b" ")  # which its tokenizer puts there
        return data.decode("utf-8", "replace")

    def _spelled(self, token: str) -> bytes:
        if self._kind == "llama":
            byte = _BYTE.fullmatch(token)
            return bytes([int(byte[1], 16)]) if byte else token.replace("▁", " ").encode()
        try:
            return bytes(_LETTERS[letter] for letter in token)
        except KeyError:  # a special token, which is spelled as it is
            return token.encode()


def _strings(header: GgufHeader) -> list[str]:
    """Read the array of tokens, which the header passes over: it is long, and few ask for it."""
    known = header.metadata.get(_KEY.decode())
    data = beginning(header)
    mark = len(_KEY).to_bytes(8, "little") + _KEY + _STRINGS
    at = data.find(mark) + len(mark)
    found: list[str] = []
    if not isinstance(known, ArrayInfo) or at < len(mark):
        raise CorruptModel(f"{header.path}: it has no vocabulary")
    at += 8  # the count, which the header has
    for _ in range(known.count):
        end = at + 8 + int.from_bytes(data[at : at + 8], "little")
        found.append(data[at + 8 : end].decode("utf-8", "replace"))
        at = end
    return found

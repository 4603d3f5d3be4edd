"""Lists as JSON, made small: runs of passages, and the symbols of a file.

A block is so many passages of one file as zlib looks back over at once, so that to read one costs little.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from hunkwise.reviewer.knowledge.reading.file import Row

_WINDOW = 32_768  # characters of a block
_MOST = 1 << 28  # bytes that a list has unpacked


def packed(value: object) -> bytes:
    """Pack a value that JSON can hold."""
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def unpacked(data: bytes) -> Any:
    """Give the value back. Raises ValueError for what was not packed so."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _MOST)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacker.eof:
        raise ValueError("broken off")
    return json.loads(text)


def in_blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Gather passages in blocks."""
    block: list[Row] = []
    size = 0
    for row in rows:
        if block and size + len(row[3]) > _WINDOW:
            yield block
            block, size = [], 0
        block.append(row)
        size += len(row[3])
    if block:
        yield block

"""`Cursor`: a checked walk over the first bytes of a file that may lie about its lengths.

Plain reads, not mmap: a mapped file that another process cuts short kills this one with SIGBUS.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from hunkwise.engine.errors import CorruptModel

_WINDOW = 1 << 18  # bytes read at once
_LENGTH = struct.Struct("<Q")


class Cursor:
    """Reads little-endian values one after the other; each step is checked against the file's size first.

    `what` in each method names what is being read, for the error.
    """

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.at = 0
        self.size = size
        self._file = file
        self._path = path
        self._window = b""
        self._start = 0  # where in the file the window begins

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self.size - self.at

    def wrong(self, message: str) -> CorruptModel:
        """Return the error to raise for something wrong at this place."""
        return CorruptModel(f"{self._path}: {message} (at byte {self.at})")

    def take(self, count: int, what: str) -> bytes:
        """Return the next `count` bytes, which the caller has found to be reasonably few."""
        self._check(count, what)
        offset = self.at - self._start
        if not 0 <= offset <= len(self._window) - count:
            self._read(count, what)
            offset = 0
        self.at += count
        return self._window[offset : offset + count]

    def skip(self, count: int, what: str) -> None:
        """Pass over `count` bytes without reading them."""
        self._check(count, what)
        self.at += count

    def number(self, form: struct.Struct, what: str) -> int | float | bool:
        """Return one number."""
        value: int | float | bool = form.unpack(self.take(form.size, what))[0]
        return value

    def length(self, what: str) -> int:
        """Return an unsigned 64-bit number."""
        value: int = _LENGTH.unpack(self.take(8, what))[0]
        return value

    def text(self, what: str, limit: int) -> str:
        """Return a string: its length in bytes, then UTF-8."""
        count = self.length(what)
        if count > self.left:
            raise self.wrong(
                f"{what} claims {count} bytes and the file has {self.left} left: it is cut short"
            )
        if count > limit:
            raise self.wrong(f"{what} has {count} bytes, more than the {limit} that make sense")
        raw = self.take(count, what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.at -= count
            raise self.wrong(f"{what} is not UTF-8") from None

    def skip_texts(self, count: int, what: str) -> None:
        """Pass over `count` strings. Vocabularies have 10⁵ of them, hence the tight inner loop."""
        unpack = _LENGTH.unpack_from
        while count:
            self._check(8, what)
            if not 0 <= self.at - self._start <= len(self._window) - 8:
                self._read(8, what)
            window, here = self._window, self.at - self._start
            last = len(window) - 8
            passed = 0
            for passed in range(count):  # noqa: B007 - how far it came is used below
                if here > last:
                    break
                here += 8 + unpack(window, here)[0]
            else:
                passed = count
            count -= passed
            self._check(self._start + here - self.at, what)
            self.at = self._start + here

    def _check(self, count: int, what: str) -> None:
        if count > self.left:
            raise self.wrong(f"{what} needs {count} bytes and the file has {self.left} left: it is cut short")

    def _read(self, count: int, what: str) -> None:
        self._file.seek(self.at)
        self._window = self._file.read(max(count, min(_WINDOW, self.left)))
        self._start = self.at
        if len(self._window) < count:
            raise self.wrong(f"{what} could not be read: the file became shorter meanwhile")

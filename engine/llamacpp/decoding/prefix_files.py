"""Prefixes on disk: what the next process need not compute again.

A file holds the cells of one prefix in llama.cpp's own format, which trusts what it reads: a malformed one
aborts the process (GGML_ASSERT in llama-kv-cache.cpp), and one of another model gives wrong answers. So each
is named and authenticated by a secret of this user, the engine that computed it, and its token ids.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

import numpy as np

from hunkwise.engine.llamacpp.decoding.port import State, Tokens
from hunkwise.engine.store.port import Counters
from hunkwise.engine.store.secret import open_secret

_FORMAT = b"hunkwise prefix 1\0"
_MAC = 32  # bytes of HMAC-SHA256 before the cells
_LIMIT = 512 << 20  # bytes of all files together
_OURS = re.compile(r"[0-9a-f]{64}\.(cells|[0-9a-f]{16})")  # kept, and drafts
_LARGEST = 64 << 20  # bytes of one; `confinement.confine` lets a child write no more


class PrefixFiles:
    """The prefixes in `folder`, of one engine; at most `limit` bytes there, and the least used go first.

    `fingerprint` is all that can change a cell but the tokens. Nothing here raises: what can't be read or
    written is computed again, and counted in `tally`.
    """

    def __init__(self, folder: Path, fingerprint: bytes, *, limit: int = _LIMIT) -> None:
        self.tally = Counters()
        self._folder = folder
        self._limit = limit
        self._key = hmac.digest(open_secret(folder / "secret", self.tally), _FORMAT + fingerprint, "sha256")

    def get(self, tokens: Tokens) -> State | None:
        """Read the cells of exactly these tokens. What is not as it was written is deleted, and a miss."""
        path = self._path(tokens)
        try:
            content = self._read(path)
        except FileNotFoundError:
            self.tally.add("prefix.miss")
            return None
        except OSError:
            self.tally.add("prefix.unreadable")
            return None
        state = content[_MAC:]
        if hmac.compare_digest(content[:_MAC].tobytes(), self._mac(tokens, state)):
            self.tally.add("prefix.hit")
            with contextlib.suppress(OSError):
                os.utime(path)  # it was of use: others go first
            return state
        self.tally.add("prefix.bad")
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def has(self, tokens: Tokens) -> bool:
        """Tell whether there is a file for these tokens."""
        return self._path(tokens).exists()

    def put(self, tokens: Tokens, state: State) -> None:
        """Keep the cells of these tokens."""
        path = self._path(tokens)
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        if len(state) + _MAC > min(self._limit, _LARGEST):
            return
        try:
            self._make_room(len(state) + _MAC)
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as stream:
                stream.write(self._mac(tokens, state))
                stream.write(state.data)
            draft.replace(path)
        except OSError:  # a full disk, or a folder that is not ours
            self.tally.add("prefix.unwritable")
            with contextlib.suppress(OSError):
                draft.unlink()
        else:
            self.tally.add("prefix.written")

    def _path(self, tokens: Tokens) -> Path:
        return self._folder / f"{hmac.digest(self._key, b'name' + tokens.tobytes(), 'sha256').hex()}.cells"

    def _mac(self, tokens: Tokens, state: State) -> bytes:
        mac = hmac.new(self._key, len(tokens).to_bytes(8, "little") + tokens.tobytes(), hashlib.sha256)
        mac.update(state.data)
        return mac.digest()

    def _read(self, path: Path) -> State:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as stream:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return np.empty(0, np.uint8)
            return np.fromfile(stream, np.uint8, status.st_size)

    def _make_room(self, needed: int) -> None:
        """Delete the least recently used of our files, left-over drafts of killed processes among them."""
        found = []
        for path in self._folder.iterdir():
            if _OURS.fullmatch(path.name):  # the folder may be a link to another one
                with contextlib.suppress(FileNotFoundError):  # another process deletes too
                    status = path.lstat()
                    found.append((status.st_mtime, status.st_size, path))
        used = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if used + needed <= self._limit:
                return
            path.unlink(missing_ok=True)
            used -= size
            self.tally.add("prefix.evicted")

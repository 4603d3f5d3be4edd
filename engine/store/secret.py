"""The secret that names and authenticates entries: 32 random bytes in a file that only its owner may read."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from hunkwise.engine.store.port import Counters

LENGTH = 32  # bytes


def new_secret() -> bytes:
    """Make a secret that lasts as long as the process."""
    return secrets.token_bytes(LENGTH)


def open_secret(path: Path, tally: Counters) -> bytes:
    """Read the secret, or make one.

    A file that others could read, or of another length, is replaced: old entries then count as misses. Where
    nothing can be written the secret lasts as long as the process.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _read(path) or _make(path, tally)
    except OSError:
        tally.add("secret.unwritable")
        return new_secret()


def _read(path: Path) -> bytes | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # absent, a link, or not ours to read
        return None
    try:
        status = os.fstat(file)
        private = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
        secret = os.read(file, LENGTH + 1) if private else b""
    finally:
        os.close(file)
    return secret if len(secret) == LENGTH else None


def _make(path: Path, tally: Counters) -> bytes:
    """Write a new secret and link it to its place: of two processes that do so one wins, and both read it."""
    if os.path.lexists(path):
        tally.add("secret.replaced")
        path.unlink(missing_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(new_secret())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _read(path) or new_secret()

"""Who may ask: bearer tokens, of which the server knows digests alone, in a file that only its user can write.

A token is 256 random bits, so a plain SHA-256 of it can't be turned round; no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from hunkwise.engine import read_regular
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.text.checked_json import FormError, read

SCOPES = ("infer", "review", "admin")
_PREFIX = "hw_"
_LARGEST = 1 << 20  # bytes of the file


@dataclass(frozen=True, slots=True)
class Token:
    """A token by its name: the SHA-256 of it in hex, and what it may do."""

    name: str
    sha256: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    tokens: tuple[Token, ...]


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read the file; none where there is no file. Raises ConfigError."""
    try:
        value = json.loads(read_regular(path, _LARGEST))
        tokens = read(_File, value, "tokens").tokens
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError, FormError) as error:
        raise ConfigError(
            f"{path}: no file of tokens ({error}); make one by: hunkwise token add NAME"
        ) from None
    for token in tokens:
        if len(token.sha256) != 64 or not token.name or set(token.scopes) - set(SCOPES):
            raise ConfigError(f"{path}: the token {token.name!r} is broken; revoke it and add it anew")
    return tokens


def write_tokens(path: Path, tokens: tuple[Token, ...]) -> None:
    """Write the file anew, for its user alone. Raises ConfigError."""
    text = json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=2) + "\n"
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None


def new_token(name: str, scopes: tuple[str, ...]) -> tuple[str, Token]:
    """Make a token; the text of it is told once, and kept nowhere."""
    text = _PREFIX + secrets.token_urlsafe(32)
    return text, Token(name, _digest(text), scopes)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Tokens:
    """The tokens of a file, read again when it changes: who is revoked is out at once. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    @property
    def any(self) -> bool:
        """Tell whether there are tokens at all. Raises ConfigError."""
        return bool(self._current())

    def find(self, text: str) -> Token | None:
        """Find the token of a text, in the same time for all. Raises ConfigError."""
        digest, found = _digest(text), None
        for token in self._current():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def _current(self) -> tuple[Token, ...]:
        if self._path is None:
            return ()
        with self._lock:
            try:
                status = self._path.stat()
                stamp = (status.st_mtime_ns, status.st_ino)
            except OSError:
                stamp = None
            if stamp != self._stamp:
                self._tokens = read_tokens(self._path) if stamp else ()
                self._stamp = stamp
            return self._tokens

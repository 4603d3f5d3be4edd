"""Which queue the environment means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hunkwise.reviewer.bot.queue.port import Queue, QueueError
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue

_REDIS = ("redis://", "rediss://", "unix://")


def open_queue(environ: Mapping[str, str]) -> Queue:
    """Open the queue that HUNKWISE_QUEUE names, else that of HUNKWISE_REDIS_URL, else a file of this user.

    Raises QueueError, MissingExtra.
    """
    named = environ.get("HUNKWISE_QUEUE", "").strip() or environ.get("HUNKWISE_REDIS_URL", "").strip()
    if named.startswith(_REDIS):
        from hunkwise.reviewer.bot.queue.redis import RedisQueue

        return RedisQueue(named)
    if "://" in named:
        raise QueueError("HUNKWISE_QUEUE is neither the path of a file nor redis://, rediss:// or unix://")
    data = environ.get("XDG_DATA_HOME", "")
    folder = (
        Path(data) if data.startswith("/") else Path(environ.get("HOME", "~")).expanduser() / ".local/share"
    )
    return SqliteQueue(Path(named) if named else folder / "hunkwise" / "queue.sqlite")

"""What the log says of a fault: which kind, and where in the program. Not its words: they may quote a request."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

LOG = logging.getLogger("hunkwise.server")
REQUEST: ContextVar[str] = ContextVar(
    "hunkwise.request", default=""
)  # the id of the request that is answered
_FRAMES = 12  # the innermost ones


def log_fault(error: BaseException) -> None:
    """Write a line about an exception that nobody expected."""
    LOG.error(json.dumps({"fault": type(error).__name__, "id": REQUEST.get(), "at": _places(error)}))


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


class Lines(logging.Handler):
    """Writes what this server logs as it is, and of others who, the kind of an exception, and the first line.

    It goes to whatever the standard error stream is at the time. Others put what they know into their words, so
    values are left out.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a stream that is closed takes nothing."""
        if record.name == LOG.name:
            line = record.getMessage()
        else:
            error = record.exc_info[1] if record.exc_info else None
            words = str(record.msg).partition("\n")[0]
            told = {"logger": record.name, "level": record.levelname, "message": words}
            line = json.dumps(
                told | ({"fault": type(error).__name__, "at": _places(error)} if error else {}),
            )
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")


def log_all() -> None:
    """Send the lines of this server, of its libraries, and of threads that end by an exception to one place."""
    root = logging.getLogger()
    if not any(isinstance(each, Lines) for each in root.handlers):
        root.addHandler(Lines())
    LOG.setLevel(logging.INFO)
    threading.excepthook = lambda told: log_fault(told.exc_value) if told.exc_value else None

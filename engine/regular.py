"""Reading a file that somebody named, and refusing what is none."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# A pipe that the shell opened for us ends; one that lies in a folder may have nobody who writes into it
HANDED_ON = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_regular(path: str | Path, most: int) -> bytes:
    """Read at most `most` bytes of a file.

    Raises OSError, for a device too, and for a pipe without end: it could hold up the reader for ever.
    """
    handed_on = str(path).startswith(HANDED_ON)
    flags = os.O_RDONLY | os.O_CLOEXEC | (0 if handed_on else os.O_NONBLOCK)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor
        if not handed_on and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, and no file", str(path))
        return file.read(most)

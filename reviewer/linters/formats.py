"""The forms of reports that are read, each a module of `reading/`, and the file that holds one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import cast

from hunkwise.engine import read_regular
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Unreadable
from hunkwise.reviewer.linters.reported import Reported

Reader = Callable[[bytes, Root], Iterator[Reported]]
"""Reads a report. Raises Unreadable, also while it is gone through."""

LARGEST = 64_000_000  # bytes

FORMATS = {
    "sarif": "sarif:read",
    "rdjson": "rdjson:read",
    "rdjsonl": "rdjson:read_lines",
    "checkstyle": "checkstyle:read",
    "codequality": "codequality:read",
    "eslint": "eslint:read",
}


def reader(form: str) -> Reader:
    """Import the reader of a form: what is not asked for costs no time."""
    module, _, function = form.partition(":")
    return cast("Reader", getattr(import_module(f"hunkwise.reviewer.linters.reading.{module}"), function))


def read_file(form: str, path: Path, root: Root) -> list[Reported]:
    """Read a report that anybody may have written. Raises UsageError that names the file and the place in it."""
    with opened(path, f"--with {form}={path}") as data:
        return list(reader(FORMATS[form])(data, root))


@contextmanager
def opened(path: Path, named: str) -> Iterator[bytes]:
    """Give what is in a report, to be read. Raises UsageError that begins with its name, for Unreadable too."""
    try:
        data = read_regular(path, LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{named}: can't be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{named}: larger than {LARGEST:,} bytes")
    try:
        yield data
    except Unreadable as error:
        raise UsageError(f"{named}: {error}") from None


def named(text: str) -> tuple[str, Path]:
    """Read FORMAT=FILE. Raises ValueError that says what may be."""
    form, equals, file = text.partition("=")
    if not equals or not file or form not in FORMATS:
        raise ValueError(f"FORMAT=FILE, with a format of {', '.join(FORMATS)}")
    return form, Path(file)

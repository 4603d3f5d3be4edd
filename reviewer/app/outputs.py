"""Where reports go: the standard output, or files named by `-o FILE` and `-o FORMAT=FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hunkwise.reviewer.config.named_files import is_file
from hunkwise.reviewer.errors import UsageError, nearest
from hunkwise.reviewer.report import FORMATS, View, renderer
from hunkwise.reviewer.source.ci import on_github
from hunkwise.reviewer.text.visible import defuse
from hunkwise.reviewer.types import Review


@dataclass(frozen=True, slots=True)
class Output:
    """One report: its format and its file; None is the standard output."""

    format: str
    path: Path | None = None


def outputs(
    asked: Sequence[str],
    format: str,  # noqa: A002 - the flag's name
    reviewed: Sequence[str] = (),
) -> tuple[Output, ...]:
    """Read the values of `-o`; without any, the report goes to the standard output. Raises UsageError.

    What can't be written, and what would be written over a `reviewed` file, is refused now, not after minutes
    of work.
    """
    if not asked:
        return (Output(format),)
    read = tuple(_output(text, format) for text in asked)
    read_from = {os.path.realpath(name) for name in reviewed if name != "-"}
    places = [output.path and os.path.realpath(output.path) for output in read]
    for output, place in zip(read, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"-o {output.path or '-'}: named twice; each report needs a file of its own")
        if place in read_from:
            raise UsageError(f"-o {output.path}: would overwrite what is reviewed; name another file")
        if output.path is not None and (reason := _unwritable(output.path)):
            raise UsageError(f"-o {output.path}: {reason}")
    return read


def _unwritable(path: Path) -> str:
    """Why a file can't be written, as far as that can be told without writing it."""
    try:
        if path.is_dir() or not path.parent.is_dir():
            return "the folder does not exist, or this is one"
        if path.is_fifo() and not is_file(path):
            return "this is a named pipe, which may have no reader; pipe the standard output instead"
        allowed = os.access(path if path.exists() else path.parent, os.W_OK)
    except OSError as error:
        return f"can't be written: {error.strerror}"
    return "" if allowed else "can't be written: no permission"


def _output(text: str, default: str) -> Output:
    name, mark, rest = text.partition("=")
    if mark and name.isalpha() and name not in FORMATS:
        known = f"{', '.join(FORMATS)}{nearest(name, FORMATS)}"
        raise UsageError(
            f"-o {text}: unknown format {name!r}; a file of that name is ./{text}, formats are {known}"
        )
    if not mark or name not in FORMATS:
        name, rest = default, text
    if not rest:
        raise UsageError(f"-o {text}: names no file; write -o {name}=FILE")
    return Output(name, None if rest == "-" else Path(rest))


def write(review: Review, chosen: Sequence[Output], view: View, environ: Mapping[str, str]) -> None:
    """Write every report; colours go to the standard output alone. Raises UsageError."""
    for output in chosen:
        if output.path is None:
            text = renderer(output.format)(review, view)
            if output.format != "annotations" and on_github(environ):
                text = defuse(text)
            write_stdout(text, sys.stdout.buffer)
            continue
        text = renderer(output.format)(review, View(change=view.change))
        try:
            output.path.write_bytes(text.encode("utf-8"))
        except OSError as error:
            raise UsageError(f"-o {output.path}: can't be written: {error.strerror}") from None


def write_stdout(text: str, stream: BinaryIO) -> None:
    """Write UTF-8 whatever the locale says. A reader that went away changes nothing of the exit code.

    Raises UsageError where the report is lost otherwise.
    """
    try:
        stream.write(text.encode("utf-8"))
        stream.flush()
    except OSError as error:
        # What is still buffered would fail once more at exit; see "Note on SIGPIPE" in the docs of `signal`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(
                f"the report can't be written to the standard output: {error.strerror}; name a file with -o"
            ) from None


def colored(choice: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Decide on colours: --color, then NO_COLOR (no-color.org), FORCE_COLOR, TERM=dumb, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM") != "dumb"

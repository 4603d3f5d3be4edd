"""Where reports go: the standard output, or files named by `-o FILE` and `-o FORMAT=FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.report import FORMATS, View, renderer
from hunkwise.reviewer.types import Review
from hunkwise.reviewer.visible import defuse


@dataclass(frozen=True, slots=True)
class Output:
    """One report: its format and its file; None is the standard output."""

    format: str
    path: Path | None = None


def outputs(asked: Sequence[str], format: str) -> tuple[Output, ...]:  # noqa: A002 - the flag's name
    """Read the values of `-o`; without any, the report goes to the standard output. Raises UsageError.

    What can't be written is refused now, not after minutes of work.
    """
    if not asked:
        return (Output(format),)
    read = tuple(_output(text, format) for text in asked)
    places = [output.path for output in read]
    for output in read:
        if places.count(output.path) > 1:
            raise UsageError(f"-o {output.path or '-'}: named twice; each report needs a file of its own")
        if output.path is not None and (output.path.is_dir() or not output.path.parent.is_dir()):
            raise UsageError(f"-o {output.path}: the folder does not exist, or this is one")
    return read


def _output(text: str, default: str) -> Output:
    name, mark, rest = text.partition("=")
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
            if output.format != "annotations" and environ.get("GITHUB_ACTIONS") == "true":
                text = defuse(text)
            write_stdout(text, sys.stdout.buffer)
            continue
        text = renderer(output.format)(review, View(width=view.width, change=view.change))
        try:
            output.path.write_bytes(text.encode("utf-8"))
        except OSError as error:
            raise UsageError(f"-o {output.path}: can't be written: {error.strerror}") from None


def write_stdout(text: str, stream: BinaryIO) -> None:
    """Write UTF-8 whatever the locale says. A reader that went away changes nothing of the exit code."""
    try:
        stream.write(text.encode("utf-8"))
        stream.flush()
    except BrokenPipeError:
        # What is still buffered would fail once more at exit; see "Note on SIGPIPE" in the docs of `signal`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def colored(choice: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Decide on colours: --color, then NO_COLOR (no-color.org), FORCE_COLOR, TERM=dumb, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM") != "dumb"

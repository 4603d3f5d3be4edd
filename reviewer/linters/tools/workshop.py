"""A folder of its own, in which a tool reads copies of the changed files. The repository is not in its sight."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.linters.formats import reader
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Unreadable
from hunkwise.reviewer.linters.reported import Reported
from hunkwise.reviewer.linters.tools import programs
from hunkwise.reviewer.linters.tools.process import Ran, run
from hunkwise.reviewer.linters.tools.table import Tool
from hunkwise.reviewer.text.globs import matches
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import FileDiff, Skipped, TextOf

LIMIT = 60  # seconds for one tool
_MOST_FILES = 100  # of one run
_LONGEST_TEXT = 2_000_000  # characters of a file that is handed over
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tool said, what is to be said of files that it did not read, and the paths of those that it read."""

    reported: tuple[Reported, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where tools are run: the folders of their programs, whether the change is trusted, how long there is."""

    places: tuple[str, ...]
    trusted: bool = True
    time_left: Callable[[], float] = lambda: math.inf

    def has(self, tool: Tool) -> bool:
        """Tell whether a tool is here."""
        return programs.program(tool.name, self.places) is not None

    def hear(self, tool: Tool, files: Sequence[FileDiff], text: TextOf) -> Heard:
        """Have a tool read those of the files that it is for."""
        wanted = [file for file in files if not file.part and matches(file.path, tool.files)]
        texts, unread = _texts(wanted, text, tool)
        path = programs.program(tool.name, self.places)
        if path is None:
            return Heard((), (*unread, *_missed(texts, tool, "it is not installed")))
        said: list[Reported] = []
        read: list[str] = []
        items = list(texts.items())
        for start in range(0, len(texts), _MOST_FILES):
            one = self._run(tool, path, dict(items[start : start + _MOST_FILES]))
            said += one.reported
            unread += one.skipped
            read += one.read
        return Heard(tuple(said), tuple(unread), tuple(read))

    def _run(self, tool: Tool, path: str, texts: Mapping[str, str]) -> Heard:
        limit = min(LIMIT, self.time_left())
        if limit <= 0:
            return Heard((), tuple(_missed(texts, tool, "not reached within --max-time")))
        with tempfile.TemporaryDirectory(prefix="hunkwise-", ignore_cleanup_errors=True) as name:
            box = Path(name).resolve()
            folder, home, empty = box / "files", box / "home", box / "empty.json"
            for each in (folder, home):
                each.mkdir()
            empty.write_text("{}\n")
            there, unread = _copy(texts, folder, tool)
            if not there:
                return Heard((), tuple(unread))
            argv = [path, *self._filled(tool, there, empty)]
            try:
                ran = run(argv, folder=folder, environ=programs.environment(self.places, home), limit=limit)
                return _without_unread(
                    tool, Heard(_read(tool, ran, Root.of(folder)), tuple(unread), tuple(there))
                )
            except OSError as error:
                reason = f"it can't be started: {error.strerror}"
            except Unreadable as error:
                reason = str(error)
        return Heard((), (*unread, *_missed(there, tool, reason)))

    def _filled(self, tool: Tool, paths: Sequence[str], empty: Path) -> Iterator[str]:
        """Fill the arguments in. With `./` before it a name that begins with a hyphen is no option."""
        for argument in tool.arguments:
            if argument == "{files}":
                yield from (f"./{path}" for path in paths)
            elif argument == "{strict}":
                yield from tool.strict if not self.trusted else ()
            else:
                yield argument.replace("{empty}", str(empty))


def _texts(files: Sequence[FileDiff], text: TextOf, tool: Tool) -> tuple[dict[str, str], list[Skipped]]:
    """Give the whole new texts of files by path, and what is said of those that have none."""
    texts: dict[str, str] = {}
    unread = []
    for file in files:
        whole = text(file)
        if whole is None:
            unread.append(Skipped(file.path, f"{tool.name}: its whole text is not known"))
        elif len(whole) > _LONGEST_TEXT:
            unread.append(Skipped(file.path, f"{tool.name}: over {_LONGEST_TEXT:,} characters"))
        else:
            texts[file.path] = whole
    return texts, unread


def _missed(paths: Sequence[str] | Mapping[str, str], tool: Tool, reason: str) -> Iterator[Skipped]:
    return (Skipped(path, f"{tool.name}: {reason}", fault=True) for path in paths)


def _copy(texts: Mapping[str, str], folder: Path, tool: Tool) -> tuple[list[str], list[Skipped]]:
    """Write texts below a folder; paths of a change are relative and don't climb (text/hostile_paths.py)."""
    there: list[str] = []
    unread: list[Skipped] = []
    for path, text in texts.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("xb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            there.append(path)
        except OSError as error:
            unread += _missed([path], tool, f"it can't be copied: {error.strerror}")
    return there, unread


def _without_unread(tool: Tool, heard: Heard) -> Heard:
    """Take out what a tool says of files that it could not read to their end, as for a header that is not here."""
    why = {each.path: each.message for each in reversed(heard.reported) if each.rule == tool.gives_up}
    if not tool.gives_up or not why:
        return heard
    unread = (
        Skipped(path, f"{tool.name}: {visible_line(text)[:_LONGEST_REASON]}")
        for path, text in why.items()
        if path
    )
    return Heard(
        tuple(each for each in heard.reported if each.path not in why),
        (*heard.skipped, *unread),
        tuple(path for path in heard.read if path not in why),
    )


def _read(tool: Tool, ran: Ran, root: Root) -> tuple[Reported, ...]:
    """Read what a tool printed. Raises Unreadable where it did not do its work."""
    if ran.problem:
        raise Unreadable("", ran.problem)
    if ran.code not in tool.codes:
        words = visible_line(ran.errors.decode("utf-8", "replace").strip().partition("\n")[0])[
            :_LONGEST_REASON
        ]
        how = f"killed by signal {-ran.code}" if ran.code < 0 else f"exit code {ran.code}"
        raise Unreadable("", f"{how}: {words}" if words else how)
    try:
        return tuple(reader(tool.form)(ran.errors if tool.on_stderr else ran.output, root))
    except Unreadable as error:
        raise Unreadable("", f"its output can't be read: {str(error)[:_LONGEST_REASON]}") from None

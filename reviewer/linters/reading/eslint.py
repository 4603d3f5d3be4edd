"""ESLint's own JSON: https://eslint.org/docs/latest/use/formatters/#json."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Unreadable, read_json
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Reported, lines, name
from hunkwise.reviewer.types import Severity

_ERROR = 2
_UNPARSED = "fatal"  # what has no rule: the file could not be parsed


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a list of files with their messages."""
    files = read_json(data)
    if not isinstance(files.value, list):
        raise Unreadable("the report", "must be a list of files, as `eslint --format json` writes it")
    for file in files:
        if not file["filePath"]:
            raise Unreadable(f"{file.where}.filePath", "is missing")
        path = root.relative(file["filePath"].text())
        for message in file["messages"]:
            line = message["line"].number()
            first, last = lines(line, message["endLine"].number(line))
            yield Reported(
                tool="eslint",
                rule=name(message["ruleId"].text()) or _UNPARSED,
                path=path,
                start_line=first,
                end_line=last,
                severity=Severity.HIGH if message["severity"].number() == _ERROR else Severity.MEDIUM,
                message=message["message"].text(LONGEST_MESSAGE),
            )

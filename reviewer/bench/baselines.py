"""The peers' ways of asking, on the same model through the same engine, so that a gain is measured, not claimed.

ask-diff        one prompt for the whole diff, six dimensions, free text that is parsed afterwards
ask-hunk-json   one prompt per hunk, JSON by a schema, line numbers as printed
yes-no          one question per diff, its probability as the score
linter          ruff's F, E9 and B rules on changed lines
first-line      a remark on the first changed line of every file
silent          nothing
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hunkwise.engine import Bundle, Choice, Choose, Engine, Generate, Generated, Segment
from hunkwise.engine.errors import PromptTooLong
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.bench.run import Method, Remark
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.prompt import numbered
from hunkwise.reviewer.types import FileDiff, HunkContext

Said = tuple[tuple[Remark, ...], bool]

_ROLE = Segment("You are a senior software engineer who reviews code.", "system")
_DIMENSIONS = (
    "Review this change for correctness, error handling, concurrency, security, performance and "
    "maintainability. Name each problem on a line of its own as `file:line: severity: message`, with a "
    "severity of critical, high, medium or low."
)
_REPLY = re.compile(r"^\W*(?P<path>[^\s:`]+):(?P<line>\d+)\W+(?P<rest>.+)$", re.MULTILINE)


def _numbered(file: FileDiff, index: int) -> str:
    rows = numbered(HunkContext(file, file.hunks[index], index))
    return "\n".join(f"{number} {mark}{text}" for number, mark, text in rows)


def _whole(case: Case) -> str:
    parts = []
    for file in case.change().files:
        parts += [f"File {file.path}", *(_numbered(file, index) for index in range(len(file.hunks)))]
    return "\n".join(parts)


def ask_diff(case: Case, engine: Engine) -> Said:
    """Ask once for the whole diff; lines that follow the form become remarks.

    Of a change of one file, a line may name it as it likes: small models copy "file" from the form.
    """
    prompt = (_ROLE, Segment(f"{_DIMENSIONS}\n\n{_whole(case)}"))
    try:
        (answer,) = engine.ask(Bundle(prompt, (Generate("review", (), 300),)))
    except PromptTooLong:
        return (), True
    assert isinstance(answer, Generated)
    paths = {file.path for file in case.change().files}
    only = next(iter(paths)) if len(paths) == 1 else None
    found = []
    for match in _REPLY.finditer(answer.text):
        path = next((path for path in paths if path.endswith(match["path"].lstrip("./"))), only)
        if path:
            found.append(Remark(path, int(match["line"]), 1.0, match["rest"][:80]))
    return tuple(found), False


def ask_hunk_json(case: Case, engine: Engine) -> Said:
    """Ask about each hunk for a JSON list of problems."""
    found: list[Remark] = []
    incomplete = False
    for file in case.change().files:
        for index in range(len(file.hunks)):
            try:
                found += _hunk_json(file, index, engine)
            except PromptTooLong:
                incomplete = True
    return tuple(found), incomplete


_SCHEMA = {
    "type": "array",
    "maxItems": 3,
    "items": {
        "type": "object",
        "properties": {
            "line": {"type": "integer", "minimum": 1, "maximum": 99999},
            "severity": {"enum": ["critical", "high", "medium", "low"]},
            "message": {"type": "string", "maxLength": 200},
        },
        "required": ["line", "severity", "message"],
        "additionalProperties": False,
    },
}


def _hunk_json(file: FileDiff, index: int, engine: Engine) -> list[Remark]:
    text = (
        f"Review this hunk of {file.path}. List the problems of the added lines as a JSON array of objects "
        f"with line, severity and message; [] if there are none.\n\n{_numbered(file, index)}"
    )
    bundle = Bundle((_ROLE, Segment(text)), (Generate("hunk", (), 300, schema=_SCHEMA),))
    (answer,) = engine.ask(bundle)
    assert isinstance(answer, Generated)
    try:
        listed = json.loads(answer.text)
    except ValueError:  # cut at the token limit
        return []
    return [Remark(file.path, entry["line"], 1.0, entry["message"][:80]) for entry in listed]


def yes_no(case: Case, engine: Engine) -> Said:
    """Ask once whether the diff introduces a bug; the remark sits on the first changed line."""
    text = f"{_whole(case)}\n\nDoes this change introduce a bug? Answer Yes or No."
    try:
        (answer,) = engine.ask(Bundle((_ROLE, Segment(text)), (Choose("bug", (), ("Yes", "No")),)))
    except PromptTooLong:
        return (), True
    assert isinstance(answer, Choice)
    yes = answer.probabilities[0]
    return tuple(_at_first_lines(case, yes, said=yes >= 0.5)[:1]), False


def first_line(case: Case, engine: Engine) -> Said:
    """Remark on the first changed line of every file."""
    del engine
    return tuple(_at_first_lines(case, 1.0, said=True)), False


def silent(case: Case, engine: Engine) -> Said:
    """Say nothing."""
    del case, engine
    return (), False


def linter(case: Case, engine: Engine) -> Said:
    """Run ruff over the Python files and keep what it says about changed lines."""
    del engine
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        raise UsageError("the baseline 'linter' needs ruff; run: pip install ruff")
    found = []
    for file in case.change().files:
        text = case.texts.get(file.path)
        if text is None or not file.path.endswith(".py"):
            continue
        changed = {line.new_no for hunk in file.hunks for line in hunk.added}
        found += [
            Remark(file.path, row, 1.0, message) for row, message in _ruff(ruff, text) if row in changed
        ]
    return tuple(found), False


def _ruff(ruff: str, text: str) -> list[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.py"
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        command = [ruff, "check", "--isolated", "--no-cache", "--select", "F,E9,B", "--output-format", "json"]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return [(entry["location"]["row"], entry["message"][:80]) for entry in json.loads(done.stdout or "[]")]


def _at_first_lines(case: Case, confidence: float, *, said: bool) -> list[Remark]:
    remarks = []
    for file in case.change().files:
        changed = [line for hunk in file.hunks for line in hunk.lines if line.kind != "context"]
        near = next((line.new_no for line in changed if line.new_no), None)
        if near is None and file.hunks:
            near = next((line.new_no for line in file.hunks[0].lines if line.new_no), 1)
        if near is not None:
            remarks.append(Remark(file.path, near, confidence, "first changed line", said))
    return remarks


BASELINES: dict[str, Method] = {
    "ask-diff": ask_diff,
    "ask-hunk-json": ask_hunk_json,
    "yes-no": yes_no,
    "linter": linter,
    "first-line": first_line,
    "silent": silent,
}

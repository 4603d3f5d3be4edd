"""Write the cases of benchmarks/cases as JSON Lines, a file for each form. Run it after a source has changed.

    python scripts/pack_cases.py

A source, `LANGUAGE/NAME.case`, is one pair of changes: a head of `key: value`, a line of dashes, then a file in
up to three versions. The first four columns of a line name the versions that have it (none: all three): `b` before
the change; `w` after it, wrong; `r` after it, right. `!` marks a line that is wrong in the wrong version.

`form` in the head says what the two changes are:

    change   from before to wrong, and from before to right
    new      the same, and no line goes: code is only added
    slip     from right to wrong, and back
    cleanup  from before to right alone; nothing is wrong
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parent.parent / "benchmarks" / "cases"
MARGIN = 4
CONTEXT = 3  # lines on either side of a change, as git shows them
FORMS = ("change", "new", "slip", "cleanup")


def packed(form: str) -> str:
    """Give the cases of a form, one JSON object a line, in the order of their sources' names."""
    rows = (row for source in sorted(CASES.glob("*/*.case")) for row in _cases(source, form))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _cases(source: Path, form: str) -> Iterator[dict[str, Any]]:
    head, _, body = source.read_text(encoding="utf-8").partition("---\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    if said["form"] != form:
        return
    before, wrong, right = (_version(body, letter) for letter in "bwr")
    group = f"{source.parent.name}/{source.stem}"
    shared = {
        "language": source.parent.name,
        "category": said["category"],
        "group": group,
        "file_path": said["path"],
        "description": said["description"],
        "source": "hunkwise",
        "synthetic": True,
    }
    bug, clean = f"{group}/wrong", f"{group}/right"
    if form == "cleanup":
        yield {
            "id": clean,
            "kind": "clean",
            **shared,
            **_change(said["path"], before, right),
            "bug_lines": [],
        }
        return
    old, older = (right, wrong) if form == "slip" else (before, before)
    lines = [number for number, (marks, _) in enumerate(_marked(body, "w"), 1) if "!" in marks]
    yield {"id": bug, "kind": "bug", **shared, **_change(said["path"], old, wrong), "bug_lines": lines}
    fix = _change(said["path"], older, right)
    yield {"id": clean, "kind": "clean", "pair_of": bug, **shared, **fix, "bug_lines": []}


def _marked(body: str, letter: str) -> Iterator[tuple[str, str]]:
    """Give the lines that a version has, each with its marks."""
    for line in body.splitlines():
        marks = line[:MARGIN].strip()
        if not marks or letter in marks:
            yield marks, line[MARGIN:]


def _version(body: str, letter: str) -> str:
    return "".join(f"{text}\n" for _, text in _marked(body, letter))


def _change(path: str, old: str, new: str) -> dict[str, str]:
    head = f"diff --git a/{path} b/{path}\n" + ("" if old else "new file mode 100644\n")
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}")
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), *names, n=CONTEXT)
    return {"diff": head + "".join(lines), "new_file": new}


if __name__ == "__main__":
    for name in FORMS:
        (CASES / f"{name}.jsonl").write_text(packed(name), encoding="utf-8")

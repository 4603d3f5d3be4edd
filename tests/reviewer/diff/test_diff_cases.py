"""Each folder of cases/diff is a patch and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.types import Change

CASES = sorted((Path(__file__).parents[2] / "cases" / "diff").iterdir())
SIGNS = {"context": " ", "added": "+", "removed": "-"}


def shown(change: Change) -> str:
    """A change as text: files, hunks, and each line with its old and new number."""
    out = []
    for file in change.files:
        flags = "".join([" binary" * file.binary, " submodule" * file.submodule])
        out.append(f"{file.status}{flags}: {file.old_path!a} -> {file.new_path!a}")
        if file.old_mode or file.new_mode:
            out.append(f"  mode {file.old_mode} -> {file.new_mode}")
        for hunk in file.hunks:
            numbers = f"-{hunk.old_start},{hunk.old_length} +{hunk.new_start},{hunk.new_length}"
            out.append(f"  @@ {numbers} @@ {hunk.section}".rstrip())
            for line in hunk.lines:
                end = " (no newline)" if line.no_newline else ""
                numbers = f"{line.old_no or '-':>4} {line.new_no or '-':>4}"
                out.append(f"  {numbers} {SIGNS[line.kind]} {line.text!a}{end}")
    out += [f"skipped{' (fault)' * skip.fault}: {skip.path!a}: {skip.reason}" for skip in change.skipped]
    return "\n".join(out) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_patch_is_read_as_expected(case: Path) -> None:
    """A patch gives the files, lines, numbers or the error that stand beside it."""
    try:
        read = shown(parse_diff((case / "input.patch").read_bytes()))
    except DiffError as error:
        read = f"DiffError({error.line}): {error}\n"

    assert (case / "expected.txt").read_text() == read

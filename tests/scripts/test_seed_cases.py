"""Seeded cases are real code with one edit: it parses, it is labelled where it is, and a draw can be repeated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter")

from seed_defects import DEFECTS
from seed_harmless import HARMLESS
from seed_trees import SUFFIXES, parse

from hunkwise.reviewer.bench.labelled.cases import Case, read_cases

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "seed_cases.py"
PYTHON = '''\
def paid(bills, limit, day):
    """Sum up what is due."""
    total = 0
    open_bills = 0
    for bill in bills:
        if bill is None:
            continue
        if bill.day < day and bill.amount <= limit - 1:
            total += bill.amount
            open_bills += 1
    if total > limit:
        return round_down(limit, total)
    else:
        return round_up(total, limit)
'''
GO = """\
package bank

func Take(from *Account, to *Account, amount int) error {
\tfrom.mu.Lock()
\tdefer from.mu.Unlock()
\tif from.balance < amount {
\t\treturn errShort
\t}
\tfrom.balance -= amount
\tto.balance += amount
\treturn book(from, to, amount)
}
"""
JAVA = """\
class Pool {
    private int used;
    int take(int wanted, int limit) {
        int left = limit - used;
        if (wanted > left) {
            return 0;
        }
        used += wanted;
        return Math.abs(left - wanted) + 1;
    }
}
"""
JAVASCRIPT = """\
async function copy(source, target, size) {
  const first = await source.read(size);
  const second = await target.read(size);
  if (!first || !second) {
    return null;
  }
  await target.write(first, size);
  await source.close();
  return first.length + second.length;
}
"""
C = """\
static int fill(struct buffer *to, const char *text, int length) {
    int at = 0;
    char *copy = dup(text, length);
    if (!copy)
        return -1;
    while (at < length) {
        to->data[at] = copy[at];
        at++;
    }
    free(copy);
    return at;
}
"""
CODE = {"python": PYTHON, "go": GO, "java": JAVA, "javascript": JAVASCRIPT, "c": C, "cpp": C}


def edits(language: str, kind: str) -> set[str]:
    """Make every edit of a kind and give the lines that are new."""
    text = CODE[language]
    source = parse(language, text.encode())
    assert source is not None
    made = [edit.apply(source.data).decode() for edit in (DEFECTS | HARMLESS)[kind](source)]
    known = set(text.splitlines())
    return {line.strip() for new in made for line in new.splitlines() if line not in known}


def gone(language: str, kind: str) -> set[str]:
    """Make every edit of a kind and give the lines that went."""
    text = CODE[language]
    source = parse(language, text.encode())
    assert source is not None
    made = [edit.apply(source.data).decode().splitlines() for edit in DEFECTS[kind](source)]
    return {line.strip() for new in made for line in text.splitlines() if line not in new}


@pytest.mark.parametrize(
    ("language", "kind", "expected"),
    [
        ("python", "boundary", "if bill.day <= day and bill.amount <= limit - 1:"),
        ("python", "boundary", "if bill.day < day and bill.amount <= limit:"),
        ("python", "operator", "if bill.day < day or bill.amount <= limit - 1:"),
        ("python", "operator", "if bill is not None:"),
        ("python", "argument-order", "return round_down(total, limit)"),
        ("python", "wrong-variable", "if total > day:"),
        ("python", "missing-check", "if bill.day < day:"),
        ("go", "boundary", "if from.balance <= amount {"),
        ("go", "argument-order", "return book(to, from, amount)"),
        ("go", "wrong-variable", "if to.balance < amount {"),
        ("javascript", "stale-copy", "const second = await source.read(size);"),
        ("java", "boundary", "if (wanted >= left) {"),
        ("javascript", "operator", "if (first || !second) {"),
        ("javascript", "resource", "source.close();"),
        ("javascript", "argument-order", "await target.write(size, first);"),
        ("c", "argument-order", "char *copy = dup(length, text);"),
        ("cpp", "boundary", "while (at <= length) {"),
        ("python", "rename", "for current_bill in bills:"),
        ("python", "extracted-variable", "holds = total > limit"),
        ("python", "mirrored-comparison", "if limit < total:"),
        ("python", "spelled-out", "open_bills = open_bills + 1"),
        ("python", "turned-if", "if not (total > limit):"),
        ("python", "comment", "# total is handled here"),
        ("go", "mirrored-comparison", "if amount > from.balance {"),
        ("javascript", "logging", 'console.debug("almost at the end of copy");'),
        ("java", "dead-code", "int unused = 0;"),
    ],
)
def test_an_edit_is_found(language: str, kind: str, expected: str) -> None:
    """Each kind finds its place in code that has one, and changes just that."""
    found = edits(language, kind)
    assert expected in found


@pytest.mark.parametrize(
    ("language", "kind", "expected"),
    [
        ("python", "missing-check", "if bill is None:"),
        ("go", "missing-check", "if from.balance < amount {"),
        ("javascript", "missing-check", "return null;"),
        ("c", "missing-check", "if (!copy)"),
        ("go", "resource", "defer from.mu.Unlock()"),
        ("c", "resource", "free(copy);"),
        ("java", "missing-update", "used += wanted;"),
        ("c", "missing-update", "at++;"),
    ],
)
def test_a_line_goes(language: str, kind: str, expected: str) -> None:
    """Some defects are that something is not there any more."""
    assert expected in gone(language, kind)


@pytest.mark.parametrize("language", sorted(CODE))
def test_every_edit_parses_or_is_not_taken(language: str) -> None:
    """Hardly an edit has to be thrown away because its result is no code."""
    source = parse(language, CODE[language].encode())
    assert source is not None
    made = [edit.apply(source.data) for find in (DEFECTS | HARMLESS).values() for edit in find(source)]
    right = sum(parse(language, new) is not None for new in made)
    assert len(made) >= 15
    assert right >= 0.9 * len(made)


def test_independent_assignments_change_places() -> None:
    """Two that only share nothing do; one that reads the other stays."""
    source = parse("python", b"def f(a):\n    b = 1\n    c = 2\n    d = c\n    return b, d\n")
    assert source is not None
    (edit,) = HARMLESS["reorder"](source)
    assert edit.apply(source.data) == b"def f(a):\n    c = 2\n    b = 1\n    d = c\n    return b, d\n"


def test_what_shapes_a_message_is_no_defect() -> None:
    """A wrong sign in the text of an error is not worth a remark."""
    source = parse("python", b"def f(a, b):\n    raise ValueError(a + 1)\n")
    assert source is not None
    assert [edit for find in DEFECTS.values() for edit in find(source)] == []


def _made(folder: Path, name: str, *options: str) -> bytes:
    for language, text in CODE.items():
        place = folder / "src" / f"lib_{language}"
        place.mkdir(parents=True, exist_ok=True)
        for number in range(3):
            body = text * 3 if language != "java" else text.replace("Pool", f"Pool{number}") * 3
            body = text if language == "go" else body
            (place / f"code{number}{SUFFIXES[language][0]}").write_text(body + "\n" * (600 - len(body)))
    command = [sys.executable, str(SCRIPT), name, "--source", "src", "--count", "12", *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / name).read_bytes()


def test_a_draw_can_be_repeated(tmp_path: Path) -> None:
    """The same seed gives the same bytes, another one others."""
    first = _made(tmp_path, "a.jsonl.gz")
    assert first == _made(tmp_path, "b.jsonl.gz")
    assert first != _made(tmp_path, "c.jsonl.gz", "--seed", "1")


def test_cases_are_what_the_benchmark_reads(tmp_path: Path) -> None:
    """Half are defects whose lines stand in a hunk, every second has its fix, and groups are files."""
    _made(tmp_path, "a.jsonl")
    cases = read_cases([tmp_path / "a.jsonl"])
    bugs = {case.id: case for case in cases if case.buggy}
    fixes = [case for case in cases if case.pair_of]

    assert (len(bugs), len(fixes), len(cases)) == (12, 6, 30)
    assert {case.language for case in cases} == set(CODE)
    assert all(case.synthetic and case.texts.keys() == {_file(case)} for case in cases)
    assert all(case.places[0].lines and set(case.places[0].lines) <= _shown(case) for case in bugs.values())
    for fix in fixes:
        assert fix.group == bugs[fix.pair_of].group == f"lib_{fix.language}/{_file(fix)}"
        assert fix.texts != bugs[fix.pair_of].texts


def test_what_is_to_be_evaluated_on_is_left_out(tmp_path: Path) -> None:
    """--skip takes the names of folders."""
    _made(tmp_path, "a.jsonl", "--skip", "lib_java")
    assert "java" not in {case.language for case in read_cases([tmp_path / "a.jsonl"])}


def _file(case: Case) -> str:
    return case.change().files[0].path


def _shown(case: Case) -> set[int]:
    (file,) = case.change().files
    return {line.new_no for hunk in file.hunks for line in hunk.lines if line.new_no}

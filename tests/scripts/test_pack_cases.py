"""The public cases are as their sources say: they parse, apply, are labelled where they are, and go in pairs."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter")

from pack_cases import CASES, FORMS, packed
from seed_trees import parse

from hunkwise.reviewer.bench.labelled.cases import Case, read_cases
from hunkwise.reviewer.types import Line, LineKind

BY_FORM = {form: read_cases([CASES / f"{form}.jsonl"]) for form in FORMS}
ALL = [case for cases in BY_FORM.values() for case in cases]
BUGS = {case.id: case for case in ALL if case.buggy}
LANGUAGES = {"python", "javascript", "go", "java"}


def _lines(case: Case, kind: LineKind) -> list[Line]:
    (file,) = case.change().files
    return [line for hunk in file.hunks for line in hunk.lines if line.kind == kind]


@pytest.mark.parametrize("form", FORMS)
def test_the_files_are_what_the_sources_give(form: str) -> None:
    assert (CASES / f"{form}.jsonl").read_text(encoding="utf-8") == packed(form)


def test_no_case_stands_twice_and_every_source_gives_one() -> None:
    assert len({case.id for case in ALL}) == len(ALL)
    sources = {path.relative_to(CASES).with_suffix("").as_posix() for path in CASES.glob("*/*.case")}
    assert {case.group for case in ALL} == sources


@pytest.mark.parametrize("form", FORMS)
def test_every_language_has_as_many(form: str) -> None:
    counts = Counter(case.language for case in BY_FORM[form])
    assert set(counts) == LANGUAGES
    assert len(set(counts.values())) == 1


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_a_case_applies_and_parses_before_and_after(case: Case, tmp_path: Path) -> None:
    ((path, text),) = case.texts.items()
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert parse(case.language, file.read_bytes())

    _git_apply(case, tmp_path, "--reverse")
    if file.exists():
        assert file.read_text(encoding="utf-8") != text
        assert parse(case.language, file.read_bytes())
    _git_apply(case, tmp_path)
    assert file.read_text(encoding="utf-8") == text


def _git_apply(case: Case, folder: Path, *options: str) -> None:
    command = ["git", "apply", "--whitespace=error-all", *options]
    subprocess.run(command, cwd=folder, input=case.diff.encode(), check=True)


@pytest.mark.parametrize("case", BUGS.values(), ids=lambda case: case.id)
def test_a_bug_is_on_lines_that_the_change_wrote(case: Case) -> None:
    (place,) = case.places
    assert place.lines
    assert set(place.lines) <= {line.new_no for line in _lines(case, "added")}


def test_every_bug_has_one_right_version_of_the_same_file() -> None:
    right = {case.pair_of: case for case in ALL if case.pair_of}
    assert set(right) == set(BUGS)
    assert len(right) == sum(bool(case.pair_of) for case in ALL)
    for name, bug in BUGS.items():
        twin = right[name]
        assert not twin.buggy
        assert (twin.group, twin.language, list(twin.texts)) == (bug.group, bug.language, list(bug.texts))
        assert twin.texts != bug.texts


def test_a_pair_goes_both_ways_from_one_text_or_there_and_back() -> None:
    for form in ("change", "new", "slip"):
        for wrong, right in zip(BY_FORM[form][::2], BY_FORM[form][1::2], strict=True):
            assert right.pair_of == wrong.id
            assert (_texts(wrong, "removed") == _texts(right, "added")) == (form == "slip")


def _texts(case: Case, kind: LineKind) -> list[str]:
    return [line.text for line in _lines(case, kind)]


def test_new_code_takes_nothing_away() -> None:
    assert not any(_lines(case, "removed") for case in BY_FORM["new"])


def test_changed_code_takes_something_away() -> None:
    assert all(_lines(case, "removed") for form in ("change", "slip", "cleanup") for case in BY_FORM[form])

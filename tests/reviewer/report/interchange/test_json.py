"""The JSON report comes back as it was, and a hostile one is refused with a sentence."""

from __future__ import annotations

import copy
import dataclasses
import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parts import Refused
from hunkwise.reviewer.diff.paths import checked_path
from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.json import LARGEST, ReportError, load, render
from hunkwise.reviewer.types import (
    Category,
    Coverage,
    Finding,
    LineCoverage,
    LineRange,
    Manifest,
    Rejected,
    Review,
    Severity,
    Skipped,
    Suggestion,
)

lines = st.integers(1, 10**6)


def _taken(name: str) -> bool:
    """Tell whether a diff may have this path, as the reader of diffs says."""
    try:
        return checked_path(name.encode("utf-8", "surrogateescape"), 1) == name
    except Refused:
        return False


paths = st.text("abC数 é\udcff-_.:/\\\n\t*[#", min_size=1, max_size=12).filter(_taken)
prose = st.text(max_size=40)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    start = draw(lines)
    fix = st.builds(Suggestion, st.just(start), st.just(start + 1), prose, st.booleans())
    return Finding(
        path=draw(paths),
        start_line=start,
        end_line=start + draw(st.integers(0, 5)),
        severity=draw(st.sampled_from(Severity)),
        category=draw(st.sampled_from(Category)),
        title=draw(prose),
        message=draw(prose),
        confidence=draw(st.floats(0, 1)),
        calibrated=draw(st.booleans()),
        fingerprint=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        code=draw(st.lists(prose, max_size=3).map(tuple)),
        suggestion=draw(st.none() | fix),
    )


settings_of_a_model = st.dictionaries(
    prose, st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | prose, max_size=3
)
places = st.lists(st.builds(LineRange, paths, st.just(2), st.integers(2, 9)), max_size=2).map(tuple)
reviews = st.builds(
    Review,
    st.lists(findings(), max_size=3).map(tuple),
    st.lists(st.builds(Rejected, findings(), prose), max_size=2).map(tuple),
    st.lists(st.builds(Skipped, paths, prose, st.none() | st.integers(0, 9), st.booleans()), max_size=2).map(
        tuple
    ),
    st.builds(Coverage, *[st.integers(0, 99)] * 6),
    st.builds(Manifest, prose, prose, prose, prose, prose, prose, settings_of_a_model),
    st.none() | prose,
    st.none() | prose,
    line_coverage=st.none() | st.builds(LineCoverage, st.just(3), st.integers(0, 3), places),
)


@settings(deadline=None, max_examples=100)
@given(reviews)
def test_what_was_written_is_read_back(review: Review) -> None:
    """Writing and reading is a round trip, and the bytes are stable, ASCII and free of surprises."""
    text = render(review, View())
    assert load(text.encode("ascii")) == review
    assert render(load(text.encode("ascii")), View()) == text
    assert text.isascii()


def test_the_schema_names_every_field() -> None:
    """A field that is added to a review is added to the published schema."""
    schema = json.loads(
        (resources.files("hunkwise.reviewer.report.interchange") / "review.schema.json").read_text("utf-8")
    )
    described = schema["definitions"]
    for kind in (Finding, Suggestion, Rejected, Skipped, Coverage, Manifest, LineRange, LineCoverage):
        names = {field.name for field in dataclasses.fields(kind)}
        assert set(described[kind.__name__.lower()]["properties"]) == names
        assert set(described[kind.__name__.lower()]["required"]) == names
    assert set(schema["properties"]) == {"form", "version", *(f.name for f in dataclasses.fields(Review))}


def document() -> dict[str, Any]:
    """A small valid report."""
    finding = Finding(
        "a.py",
        1,
        2,
        Severity.LOW,
        Category.SECURITY,
        "t",
        "m",
        0.5,
        True,
        "0" * 32,
        suggestion=Suggestion(1, 1, "", True),
    )
    manifest = Manifest("0", "m", "", "", "none", "", {"a": 1})
    review = Review(
        (finding,), (Rejected(finding, "r"),), (Skipped("b.py", "s"),), Coverage(1, 1, 1, 1, 1, 1), manifest
    )
    read: dict[str, Any] = json.loads(render(review, View()))
    return read


@pytest.mark.parametrize("lacking", [("line_coverage",), ("line_coverage", "seconds")])
def test_a_report_from_before_a_key_is_read(lacking: tuple[str, ...]) -> None:
    """A review by one build can be posted by a later one: what came since says that nothing is known."""
    written = document()
    now = load(json.dumps(written).encode())
    for key in lacking:
        del written[key]
    assert load(json.dumps(written).encode()) == now


@pytest.mark.parametrize("key", ["base", "coverage", "findings", "head", "manifest", "rejected", "skipped"])
def test_a_report_without_any_other_key_is_refused(key: str) -> None:
    """What version 2 had from its beginning has to be there."""
    written = document()
    del written[key]
    with pytest.raises(ReportError, match=f"missing key '{key}'"):
        load(json.dumps(written).encode())


def changed(place: str, value: object) -> bytes:
    """Write the small report with one value replaced; `place` is dotted."""
    written = copy.deepcopy(document())
    *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
    target: Any = written
    for part in way:
        target = target[part]
    target[last] = value
    return json.dumps(written).encode()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("version", 1, "version 1; this hunkwise reads 2"),
        ("form", "other", "not of the form 'hunkwise-review'"),
        ("extra", 1, "review: unknown key 'extra'"),
        ("findings", {}, "review.findings must be a list"),
        ("findings.0.path", "../x", "review.findings[0].path must be relative"),
        ("findings.0.path", "/etc/passwd", "path must be relative"),
        ("findings.0.path", "a/..", "path must be relative"),
        ("findings.0.path", "a\0b", "path must be relative"),
        ("findings.0.path", "", "path must be relative"),
        ("skipped.0.path", "a/../../b", "path must be relative"),
        ("line_coverage", {"lines": 1, "unrun": 2, "places": []}, "unrun must be from 0 to lines"),
        ("findings.0.start_line", 3, "lines 3 to 2 are no range"),
        ("findings.0.start_line", 0, "lines 0 to 2 are no range"),
        ("findings.0.start_line", True, "start_line must be int, not bool"),
        ("findings.0.start_line", "1", "start_line must be int, not str"),
        ("findings.0.end_line", 2**60, "end_line is out of range"),
        ("findings.0.severity", "awful", "severity must be one of critical, high"),
        ("findings.0.category", ["security"], "category must be one of correctness"),
        ("findings.0.confidence", 1.5, "confidence must be from 0 to 1"),
        ("findings.0.fingerprint", "0" * 31 + "G", "fingerprint must be 32 hex digits"),
        ("findings.0.message", "x" * 100_001, "message is longer than 100,000 characters"),
        ("findings.0.suggestion", "x", "suggestion must be an object"),
        ("findings.0.suggestion.end_line", 0, "lines 1 to 0 are no range"),
        ("findings.0.code", ["a", 1], "code[1] must be str, not int"),
        ("rejected.0", {}, "review.rejected[0]: missing key"),
        ("manifest.settings.a", [1], "settings['a'] must be str"),
        ("base", 1, "review.base must be str, not int"),
        ("coverage.files", None, "files must be int, not NoneType"),
    ],
)
def test_a_wrong_report_is_refused_with_its_place(place: str, value: object, message: str) -> None:
    """Each mistake is named where it is."""
    with pytest.raises(ReportError) as caught:
        load(changed(place, value))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"form": NaN}',
        b'{"form": "hunkwise-review", "version": 2}',
        b"1" * 5000,
        b" " * (LARGEST + 1),
    ],
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    """Nothing but ReportError comes out of bad bytes."""
    with pytest.raises(ReportError):
        load(data)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_report_with_any_value_replaced_gives_a_review_or_an_error(data: st.DataObject) -> None:
    """Whatever stands in the place of a value, the reader ends in a Review or a ReportError."""
    text = json.dumps(document())
    values = st.sampled_from(
        ['"x"', "0", "1", "true", "null", "[]", "{}", "0.5", "1e999", '"a.py"', '"\\ud800"']
    )
    position = data.draw(st.integers(0, len(text)))
    broken = text[:position] + text[position:].replace(data.draw(values), data.draw(values), 1)
    try:
        review = load(broken.encode())
    except ReportError:
        return
    assert dataclasses.is_dataclass(review)

"""Every format against golden files, and against the form that its readers demand."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from hunkwise.reviewer.report import FORMATS, View, renderer
from hunkwise.reviewer.report.interchange.json import ReportError, load
from hunkwise.reviewer.report.remark import sure
from hunkwise.reviewer.report.summary import took
from hunkwise.reviewer.text.columns import clip, columns
from hunkwise.reviewer.text.visible import visible
from hunkwise.reviewer.types import (
    Category,
    Change,
    FileDiff,
    FileStatus,
    Hunk,
    Line,
    LineCoverage,
    LineRange,
    Rejected,
    Severity,
    Skipped,
    Source,
    Suggestion,
)

CASES = Path(__file__).parents[2] / "cases" / "report"


def _invented() -> Any:
    """Import the invented review beside this file (pytest's importlib mode has no packages)."""
    spec = spec_from_file_location("invented", Path(__file__).with_name("invented.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INVENTED = _invented()
REVIEW, EMPTY, CHANGE = INVENTED.REVIEW, INVENTED.EMPTY, INVENTED.CHANGE


def render(name: str, review: Any = REVIEW, view: View = View(change=CHANGE)) -> str:  # noqa: B008 - frozen
    return renderer(name)(review, view)


@pytest.mark.parametrize("name", FORMATS.rows)
def test_a_report_is_its_golden_file(name: str) -> None:
    """A rich review looks as it always has, in every format (UPDATE_GOLDEN=1 rewrites the files)."""
    golden = CASES / f"rich.{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(render(name), "utf-8", newline="\n")
    assert render(name) == golden.read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS.rows)
def test_an_empty_review_has_a_report(name: str) -> None:
    """A change without anything to review gives a report that says so, and never one that breaks."""
    golden = CASES / f"empty.{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(render(name, EMPTY, View()), "utf-8", newline="\n")
    assert render(name, EMPTY, View()) == golden.read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS.rows)
def test_no_report_holds_what_can_not_be_seen(name: str) -> None:
    """Controls, bidirectional and zero-width characters of diff and model never reach a reader."""
    text = render(name).replace("\u2060", "")  # the joiner by which we break marks ourselves
    assert visible(text) == text


@pytest.mark.parametrize("name", FORMATS.rows)
@pytest.mark.parametrize("veil", ["", "\u200b"])
def test_no_report_holds_the_secret_in_a_file_name(name: str, veil: str) -> None:
    """Neither where it is remarked on, nor where it was left out or held back, nor in a reason."""
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    path = f"keys/{secret[:7]}{veil}{secret[7:]}.py"
    found = replace(INVENTED.LOCK, path=path)
    file = FileDiff(path, path, FileStatus.MODIFIED, CHANGE.files[0].hunks)
    review = replace(
        REVIEW,
        findings=(found,),
        rejected=(Rejected(replace(found, fingerprint="c" * 32), f"the same remark stands at {path}:1"),),
        skipped=(Skipped(path, f"{path} is too long", fault=True), Skipped(path, "binary")),
        line_coverage=LineCoverage(1, 1, (LineRange(path, 1, 1),)),
    )
    for view in (View(), View(change=Change((file,)))):
        text = unquote(render(name, review, view))
        assert secret[7:] not in text
        assert secret[:7] not in text


def test_colours_are_the_only_escapes_of_the_text_report() -> None:
    """With colours on, the report differs from the plain one by colour sequences alone."""
    colored = render("text", view=View(color=True))
    assert re.sub(r"\x1b\[\d+m", "", colored) == render("text")
    assert colored != render("text")


def test_the_text_report_fits_its_width() -> None:
    """Prose and code are wrapped and cut to the terminal, wide characters counted as two columns."""
    body = [line for line in render("text", view=View(width=60)).splitlines() if line.startswith("    ")]
    assert body
    assert all(columns(line) <= 62 for line in body)  # one closing mark may hang over the edge


def test_a_report_that_goes_to_no_terminal_is_cut_nowhere() -> None:
    """A suggestion in a file or a pipe can be copied."""
    long = "value = " + " + ".join(f"number_{n}" for n in range(60))
    fix = Suggestion(4, 4, long, verified=True)
    review = replace(REVIEW, findings=(replace(INVENTED.LOCK, code=(long,), suggestion=fix),))

    assert render("text", review, View()).count(long) == 3
    assert "…" in render("text", review, View(width=80))


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("plain", 5),
        ("数据库", 6),
        ("한글", 4),
        ("e\u0301te\u0301", 3),
        ("\u0e17\u0e35\u0e48", 1),
        ("👍", 2),
        ("\uff71", 2),
        ("\uff8a", 1),
    ],
)
def test_width_is_counted_in_columns(text: str, width: int) -> None:
    """Wide letters take two columns, marks none (half-width katakana one)."""
    assert columns(text) == (1 if text == "\uff71" else width)
    assert clip(text * 9, 7) != text * 9 or columns(text * 9) <= 7
    assert columns(clip(text * 9, 7)) <= 7


def test_a_suggestion_shows_the_lines_that_it_replaces() -> None:
    """Also where the remark is on one line and the suggestion for four, and with their numbers."""
    lines = tuple(
        Line("added" if number == 52 else "context", f"line {number}", number, number)
        for number in range(49, 56)
    )
    file = FileDiff("a.py", None, FileStatus.MODIFIED, (Hunk(49, 7, 49, 7, "", lines),))
    fix = Suggestion(50, 53, "better", verified=True)
    found = replace(INVENTED.INFO, path="a.py", start_line=52, end_line=52, code=("line 52",), suggestion=fix)
    review, view = replace(REVIEW, findings=(found,)), View(change=Change((file,)))

    text = render("text", review, view)
    assert "suggestion for lines 50 to 53:" in text
    assert all(f"{number} - line {number}\n" in text for number in range(50, 54))
    assert "   + better\n" in text
    page = render("html", review, view)
    assert "Suggestion for lines 50–53" in page
    assert all(f"<b>{number}</b> - line {number}</span>" in page for number in range(50, 54))
    assert "lines 50 to 53" in render("markdown", review, view)
    alone = render("text", review, View())
    assert "suggestion for lines 50 to 53:" in alone
    assert "- line 52" not in alone


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_nothing_is_sure_to_a_hundred_percent(name: str) -> None:
    """Not a confidence of 0.998, nor a rule of which all hits were right."""
    for confidence in (0.9951, 0.998, 1.0):
        review = replace(REVIEW, findings=(replace(INVENTED.LOCK, confidence=confidence),))
        text = render(name, review, View())
        assert not re.search(r"100%(?: likely|[\]),])", text)
        assert "over 99% likely" in text


def test_the_worth_of_a_remark_is_told_as_what_it_is() -> None:
    """A rule's measured precision, a fitted probability, or that nothing was measured."""
    rule = replace(INVENTED.LOCK, confidence=0.93, source=Source(rule="python-a-b"))

    assert sure(replace(INVENTED.LOCK, confidence=0.93)) == "93% likely"
    assert sure(rule) == "93% of such are right"
    assert sure(replace(rule, calibrated=False)) == "not measured"


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_many_places_of_one_reason_share_a_row(name: str) -> None:
    """Four thousand vendored files are one line; the JSON report names each."""
    skipped = tuple(Skipped(f"vendor/{number}.js", "vendored") for number in range(4000))
    few = (Skipped("a.lock", "a lock file"), Skipped("b.lock", "a lock file"))
    review = replace(EMPTY, skipped=(*skipped, *few))

    text = render(name, review, View())
    assert "vendor/0.js, vendor/1.js, vendor/2.js, vendor/3.js and 3,996 more" in " ".join(text.split())
    assert "vendor/17.js" not in text
    assert "a.lock" in text
    assert "b.lock" in text
    assert "vendor/3999.js" in render("json", review, View())


def test_what_is_held_back_is_named() -> None:
    """A reader learns on which lines something was seen and not said."""
    held = tuple(
        Rejected(replace(INVENTED.LOW, start_line=number, end_line=number), "below --min-confidence 0.86")
        for number in (3, 9)
    )
    text = render("text", replace(REVIEW, rejected=held), View())
    assert "Held back: below --min-confidence 0.86 (2: src/pool.py:3, src/pool.py:9)." in text


def test_a_report_is_read_again_however_long() -> None:
    """What our writer writes, our reader takes: 25,000 files that were left out."""
    review = replace(EMPTY, skipped=tuple(Skipped(f"vendor/{n}.js", "vendored") for n in range(25_000)))
    assert load(render("json", review, View()).encode()) == review


def test_the_json_report_keeps_its_schema() -> None:
    """The JSON report is valid under the shipped schema."""
    text = (resources.files("hunkwise.reviewer.report.interchange") / "review.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft7Validator.check_schema(schema)
    for review in (REVIEW, EMPTY):
        jsonschema.validate(json.loads(render("json", review)), schema)


@pytest.mark.parametrize("name", ["rdjson", "codequality"])
def test_json_for_other_tools_keeps_their_schema(name: str) -> None:
    """What reviewdog and GitLab document as their format holds for ours."""
    schema = json.loads((CASES / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    for review in (REVIEW, EMPTY):
        jsonschema.validate(json.loads(render(name, review)), schema)


def test_each_line_of_rdjsonl_is_a_diagnostic_of_rdjson() -> None:
    """Both forms for reviewdog say the same."""
    lines = [json.loads(line) for line in render("rdjsonl").splitlines()]
    assert lines == json.loads(render("rdjson"))["diagnostics"]


def test_sarif_keeps_githubs_rules() -> None:
    """Rules have full description and help, results a rule, a fingerprint and a relative URI."""
    (run,) = json.loads(render("sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) == len(Category) + sum(bool(found.source.rule) for found in REVIEW.findings)
    assert all(rule["fullDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert [result["suppressions"][0]["kind"] for result in run["results"][len(REVIEW.findings) :]] == [
        "inSource"
    ]
    for result, finding in zip(run["results"][: len(REVIEW.findings)], REVIEW.findings, strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"] == {"hunkwise/v1": finding.fingerprint}
        assert unquote(place["artifactLocation"]["uri"]) == finding.path
        assert ":" not in place["artifactLocation"]["uri"]
        assert place["region"] == {"startLine": finding.start_line, "endLine": finding.end_line}
        assert result["level"] in {"error", "warning", "note"}
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["automationDetails"]["id"]


def test_a_step_gets_ten_annotations_of_a_level() -> None:
    """GitHub keeps ten of each level; the report counts those it leaves out."""
    many = replace(REVIEW, findings=(replace(INVENTED.LOCK),) * 13 + (INVENTED.LOW,) * 2)
    lines = render("annotations", many).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert sum(line.startswith("::notice ") for line in lines) == 2
    assert any(line.startswith("3 more remarks not shown") for line in lines)


def test_no_text_becomes_a_workflow_command() -> None:
    """In a job's log only our own annotations are commands, whatever the model wrote."""
    lines = render("annotations").splitlines()
    assert sum(line.lstrip().startswith("::") for line in lines) == len(REVIEW.findings)
    assert not any("##[" in line for line in lines)
    assert not any("##[" in render(name) for name in ("json", "sarif", "rdjson", "rdjsonl", "codequality"))


def test_junit_counts_add_up() -> None:
    """The numbers at the head of the JUnit report are those of its cases."""
    (suite,) = ET.fromstring(render("junit"))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))
    assert int(suite.attrib["tests"]) == len(suite)


def test_checkstyle_names_every_finding_once() -> None:
    """Findings are grouped by file, none lost."""
    root = ET.fromstring(render("checkstyle"))
    assert len(root.findall("file/error")) == len(REVIEW.findings)
    assert len({file.attrib["name"] for file in root}) == len(root)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_asks_for_nothing() -> None:
    """The HTML report loads nothing, holds one script and one style sheet, and its policy forbids more."""
    parser = _Tags()
    parser.feed(render("html"))
    names = [tag for tag, _ in parser.tags]
    assert names.count("script") == names.count("style") == 1
    assert not {"img", "link", "iframe", "object", "form", "base"} & set(names)
    assert not any(key in {"src", "style"} or key.startswith("on") for _, a in parser.tags for key in a)
    links = [a for _, a in parser.tags if "href" in a]
    assert [a["href"] for a in links] == [
        "https://cwe.mitre.org/data/definitions/502.html",
        "https://docs.astral.sh/ruff/rules/unused-variable",
    ]
    assert all(a["rel"] == "noreferrer noopener" for a in links)
    (policy,) = [a["content"] for _, a in parser.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_the_page_shows_each_remark_once() -> None:
    """Every finding stands in the page, at its line or at the head of its file."""
    page = render("html")
    assert page.count('<article class="remark ') == len(REVIEW.findings)
    assert render("html", view=View()).count('<article class="remark ') == len(REVIEW.findings)


def test_a_secret_of_the_diff_is_not_on_the_page() -> None:
    """The diff is shown with its secrets hidden."""
    secret = "ghp_" + "a1B2" * 9
    hunk = CHANGE.files[0].hunks[0]
    line = replace(hunk.lines[3], text=f"token = '{secret}'")
    file = replace(CHANGE.files[0], hunks=(replace(hunk, lines=(line,)),))
    assert secret not in render("html", view=View(change=replace(CHANGE, files=(file,))))


def test_severities_have_a_place_in_every_scale() -> None:
    """No severity is unknown to a format."""
    for severity in Severity:
        review = replace(REVIEW, findings=(replace(INVENTED.LOW, severity=severity),))
        for name in FORMATS.rows:
            assert render(name, review)


def test_a_suggestion_is_in_line_with_its_remark() -> None:
    """Also where it ends on a line whose number has a digit more."""
    found = replace(
        INVENTED.INFO,
        start_line=9,
        end_line=9,
        code=("line 9",),
        suggestion=Suggestion(9, 10, "better", verified=True),
    )
    text = render("text", replace(REVIEW, findings=(found,)), View())
    assert "\n 9 |  line 9\n" in text
    assert "\n   = suggestion for lines 9 to 10:\n   + better\n" in text


def test_a_suggestion_in_sarif_stays_within_the_file() -> None:
    """The last line of a file may have no end, and none after it; who deletes a line deletes its end."""
    for replacement, end in (("better", {"endLine": 9}), ("", {"endLine": 10, "endColumn": 1})):
        fix = Suggestion(8, 9, replacement, verified=True)
        review = replace(REVIEW, findings=(replace(INVENTED.INFO, suggestion=fix),), rejected=())
        (result,) = json.loads(render("sarif", review))["runs"][0]["results"]
        (change,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
        assert change["deletedRegion"] == {"startLine": 8, "startColumn": 1, **end}
        assert change["insertedContent"] == {"text": replacement}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("json", '"seconds": 348.2'),
        ("sarif", '"seconds": 348.2'),
        ("junit", ' time="348.2"'),
        ("text", ", in 5 min 48 s"),
        ("markdown", ", in 5 min 48 s"),
        ("html", ", in 5 min 48 s"),
        ("annotations", ", in 5 min 48 s"),
    ],
)
def test_the_time_taken_stands_where_a_format_has_room_for_it(name: str, told: str) -> None:
    """It is told once, and not at all where nobody knows it."""
    timed = renderer(name)(replace(REVIEW, seconds=348.2), View())

    assert timed.count(told) == 1
    assert told not in renderer(name)(REVIEW, View())


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.04, "in 0.0 s"), (3.25, "in 3.2 s"), (59.96, "in 1 min 0 s"), (0, "")]
)
def test_times_are_said_as_people_say_them(seconds: float, told: str) -> None:
    """Minutes from sixty seconds on."""
    assert took(replace(REVIEW, seconds=seconds)).removeprefix(", ") == told


@pytest.mark.parametrize("seconds", ["-1", "1e400", '"1"', "null"])
def test_a_time_that_is_none_is_refused(seconds: str) -> None:
    """Whoever wrote the report."""
    data = renderer("json")(REVIEW, View()).replace('"seconds": 0.0', f'"seconds": {seconds}')

    with pytest.raises(ReportError):
        load(data.encode())

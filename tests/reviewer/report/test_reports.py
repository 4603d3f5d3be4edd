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
from hunkwise.reviewer.types import Category, Severity
from hunkwise.reviewer.visible import visible

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


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_its_golden_file(name: str) -> None:
    """A rich review looks as it always has, in every format (UPDATE_GOLDEN=1 rewrites the files)."""
    golden = CASES / f"rich.{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(render(name), "utf-8", newline="\n")
    assert render(name) == golden.read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_review_has_a_report(name: str) -> None:
    """A change without anything to review gives a report that says so, and never one that breaks."""
    golden = CASES / f"empty.{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(render(name, EMPTY, View()), "utf-8", newline="\n")
    assert render(name, EMPTY, View()) == golden.read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_no_report_holds_what_can_not_be_seen(name: str) -> None:
    """Controls, bidirectional and zero-width characters of diff and model never reach a reader."""
    text = render(name).replace("\u2060", "")  # the joiner by which we break marks ourselves
    assert visible(text) == text


def test_colours_are_the_only_escapes_of_the_text_report() -> None:
    """With colours on, the report differs from the plain one by colour sequences alone."""
    colored = render("text", view=View(color=True))
    assert re.sub(r"\x1b\[\d+m", "", colored) == render("text")
    assert colored != render("text")


def test_the_text_report_fits_its_width() -> None:
    """Prose and code are wrapped and cut to the terminal, wide characters counted as two columns."""
    from hunkwise.reviewer.report.text import _columns

    body = [line for line in render("text", view=View(width=60)).splitlines() if line.startswith("    ")]
    assert body
    assert all(_columns(line) <= 62 for line in body)  # one closing mark may hang over the edge


def test_the_json_report_keeps_its_schema() -> None:
    """The JSON report is valid under the shipped schema."""
    text = (resources.files("hunkwise.reviewer.report") / "review.schema.json").read_text("utf-8")
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
    assert len(rules) == len(Category)
    assert all(rule["fullDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert [result["suppressions"][0]["kind"] for result in run["results"][5:]] == ["inSource"]
    for result, finding in zip(run["results"][:5], REVIEW.findings, strict=True):
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
    assert not {"img", "link", "iframe", "object", "form", "a", "base"} & set(names)
    assert not any(
        key in {"src", "href", "style"} or key.startswith("on") for _, a in parser.tags for key in a
    )
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
        for name in FORMATS:
            assert render(name, review)

"""Readers of reports: real ones of tools, our own back again, and hostile ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.linters.formats import FORMATS, read_file, reader
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Unreadable
from hunkwise.reviewer.linters.reported import Edit, Reported
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.types import Finding, Review, Severity, Suggestion

CASES = Path(__file__).parents[2] / "cases" / "linters"
REPORTS = Path(__file__).parents[1] / "report" / "invented.py"
ROOT = Root(("/home/ci/project",))
OURS = ("sarif", "rdjson", "rdjsonl", "checkstyle", "codequality")


def invented() -> Any:
    spec = spec_from_file_location("invented", REPORTS)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REVIEW: Review = invented().REVIEW
LEVELS = {
    Severity.CRITICAL: Severity.HIGH,
    Severity.HIGH: Severity.HIGH,
    Severity.MEDIUM: Severity.MEDIUM,
    Severity.LOW: Severity.LOW,
    Severity.INFO: Severity.LOW,
}


def read(form: str, data: bytes | str, root: Root = ROOT) -> list[Reported]:
    return list(reader(FORMATS[form])(data.encode() if isinstance(data, str) else data, root))


def sarif(**run: Any) -> str:
    return json.dumps({"runs": [{"tool": {"driver": {"name": "x"}}, **run}]})


def at(uri: str, line: object = 3, **more: Any) -> dict[str, Any]:
    artifact = {"uri": uri, **({"uriBaseId": more["base"]} if "base" in more else {})}
    return {
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}]
    }


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "ruff.sarif",
            {("ruff", "B006", "a.py", 4), ("ruff", "F821", "a.py", 7), ("ruff", "S506", "a.py", 7)},
        ),
        ("ruff.rdjson", {("ruff", "B006", "a.py", 4), ("ruff", "F631", "a.py", 6)}),
        ("ruff.codequality", {("codequality", "F401", "a.py", 1)}),
        ("oxlint.sarif", {("oxlint", "eslint(use-isnan)", "b.js", 2)}),
        ("oxlint.checkstyle", {("oxlint", "eslint(use-isnan)", "b.js", 2)}),
        (
            "hadolint.sarif",
            {("Hadolint", "DL3007", "Dockerfile", 1), ("Hadolint", "SC2086", "Dockerfile", 3)},
        ),
        ("hadolint.checkstyle", {("checkstyle", "DL3007", "Dockerfile", 1)}),
        ("hadolint.codequality", {("codequality", "DL3007", "Dockerfile", 1)}),
        ("shellcheck.checkstyle", {("shellcheck", "SC2115", "d.sh", 2)}),
        ("zizmor.sarif", {("zizmor", "template-injection", ".github/workflows/w.yml", 7)}),
        ("eslint.json", {("eslint", "use-isnan", "b.js", 2), ("eslint", "fatal", "b.js", 9)}),
    ],
)
def test_a_real_report_is_read(file: str, said: set[tuple[str, str, str, int]]) -> None:
    """What the tools themselves wrote is read, with tool, rule, path and line."""
    form = "eslint" if file == "eslint.json" else file.rpartition(".")[2]
    found = read(form, (CASES / file).read_bytes())
    assert said <= {(each.tool, each.rule, each.path, each.start_line) for each in found}
    assert all(each.message for each in found)


def test_a_report_brings_page_level_and_fix() -> None:
    """The page of a rule, the tool's own level, and the edits that mend it come along."""
    found = {each.rule: each for each in read("sarif", (CASES / "ruff.sarif").read_bytes())}
    assert found["B006"].url == "https://docs.astral.sh/ruff/rules/mutable-argument-default"
    assert found["B006"].edits[0] == Edit(4, 21, 4, 23, "None")
    zizmor = read("sarif", (CASES / "zizmor.sarif").read_bytes())
    assert {each.security for each in zizmor} == {True}


@pytest.mark.parametrize("form", OURS)
def test_our_own_reports_come_back(form: str) -> None:
    """Path, lines, kind and level of what our writers write are what our readers read, hostile text and all."""
    found = read(form, renderer(form)(REVIEW, View()))
    ordered = sorted(found, key=lambda each: (each.path, each.start_line))
    wanted = sorted(REVIEW.findings, key=lambda each: (each.path, each.start_line))
    assert [(each.path, each.start_line) for each in ordered] == [
        (each.path, each.start_line) for each in wanted
    ]
    assert [(each.tool, each.rule) for each in ordered] == [
        (each.source.tool, each.source.rule or each.category) for each in wanted
    ]
    if form != "codequality":
        assert [each.severity for each in ordered] == [LEVELS[each.severity] for each in wanted]
    else:
        assert [each.severity for each in ordered] == [each.severity for each in wanted]
    if form != "checkstyle":
        assert [each.end_line for each in ordered] == [each.end_line for each in wanted]


PATHS = st.lists(
    st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1
    )
    .filter(lambda part: part not in (".", "..") and part.strip() == part)
    .filter(lambda part: ".git" not in part.casefold() and "git~1" not in part.casefold()),
    min_size=1,
    max_size=3,
).map("/".join)


@given(
    path=PATHS,
    start=st.integers(1, 10**6),
    length=st.integers(0, 50),
    severity=st.sampled_from(Severity),
    text=st.text(max_size=200),
    replacement=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)
def test_what_is_written_is_what_is_read(
    path: str, start: int, length: int, severity: Severity, text: str, replacement: str | None
) -> None:
    """Each form keeps where a remark is, whatever is in its path and its words; edits too, where it has them."""
    fix = None if replacement is None else Suggestion(start, start + length, replacement, verified=True)
    finding: Finding = replace(
        REVIEW.findings[1],
        path=path,
        start_line=start,
        end_line=start + length,
        severity=severity,
        title=text,
        message=text,
        suggestion=fix,
    )
    for form in OURS:
        (found,) = read(form, renderer(form)(replace(REVIEW, findings=(finding,), rejected=()), View()))
        shown = found.path  # a path may hold what looks like a secret, or what can't be seen: that is spelt
        assert shown == path or form != "sarif"
        assert found.start_line == start
        assert found.end_line == (start if form == "checkstyle" else start + length)
        if fix is not None and form in ("rdjson", "rdjsonl", "sarif"):
            (edit,) = found.edits
            assert (edit.start_line, edit.start_column) == (start, 1)
            assert edit.text == fix.replacement


@pytest.mark.parametrize(
    ("form", "data", "where"),
    [
        ("sarif", "{", "line 1, column 2: no JSON"),
        ("sarif", "[" * 100_000, "nested too deep"),
        ("sarif", '{"a": NaN}', "NaN is no number"),
        ("sarif", b"\xff\xfe\xff", "no JSON"),
        ("sarif", "[]", "the report: must be an object"),
        ("sarif", "{}", "runs: is missing"),
        ("sarif", '{"runs": 3}', "runs: must be a list"),
        ("sarif", '{"runs": [{}]}', "runs[0].tool.driver.name: is missing"),
        ("sarif", '{"runs": [{"tool": {"driver": {"name": "x"}}, "results": [7]}]}', "runs[0].results[0]"),
        (
            "sarif",
            sarif(results=[at("a", "3")]),
            "runs[0].results[0].locations[0].physicalLocation.region.startLine: must be a whole number",
        ),
        (
            "sarif",
            '{"runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"ruleIndex": 1e999}]}]}',
            "ruleIndex",
        ),
        ("rdjson", "{}", "diagnostics: is missing"),
        ("rdjson", '{"diagnostics": [{"severity": []}]}', "diagnostics[0].severity: must be text"),
        ("rdjsonl", '{"location": {}}\n{"a"', "line 2: no JSON"),
        ("rdjsonl", "7", "line 1: must be an object"),
        ("codequality", "{}", "must be a list of issues"),
        (
            "codequality",
            '[{"location": {"lines": {"begin": true}}}]',
            "[0].location.lines.begin: must be a whole number",
        ),
        ("eslint", "{}", "must be a list of files"),
        ("eslint", "[{}]", "[0].filePath: is missing"),
        ("checkstyle", "", "no XML"),
        ("checkstyle", "<checkstyle><file name='a'></checkstyle>", "no XML: mismatched tag"),
        ("checkstyle", '<!DOCTYPE a [<!ENTITY b "c">]><checkstyle/>', "line 1: a document type is not read"),
        (
            "checkstyle",
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><checkstyle/>',
            "a document type is not read",
        ),
        ("checkstyle", "<a/>", "must be <checkstyle>"),
        ("checkstyle", "<checkstyle>" + "<a>" * 30, "nested too deep"),
        ("checkstyle", "<checkstyle><file/></checkstyle>", "a <file> has no name"),
        ("checkstyle", '<checkstyle><file name="a"><error line="-1"/></file></checkstyle>', "whole number"),
        ("checkstyle", '<?xml version="1.0" encoding="no-such"?><checkstyle/>', "no XML"),
    ],
)
def test_what_is_of_another_form_is_refused_with_its_place(form: str, data: str | bytes, where: str) -> None:
    """A broken or hostile report is refused in one sentence that says where."""
    with pytest.raises(Unreadable) as refused:
        read(form, data)
    assert where in str(refused.value)
    assert len(str(refused.value)) < 300


KEYS = re.findall(
    r"\w+",
    """runs tool driver name results locations physicalLocation region startLine artifactLocation uri index ruleId
    ruleIndex message text arguments fixes diagnostics location path range start line code lines begin filePath
    messages suggestions artifactChanges replacements deletedRegion level rules""",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=40,
)


@given(document=JSON)
def test_no_document_breaks_a_reader(document: object) -> None:
    """Whatever the values are, a reader reads them or refuses them as its own error."""
    data = json.dumps(document)
    for form in FORMATS:
        try:
            read(form, data)
        except Unreadable:
            continue


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """The error names the option as it was given, and the system's reason."""
    with pytest.raises(UsageError, match=r"--with sarif=.*missing\.sarif: can't be read: No such file"):
        read_file("sarif", tmp_path / "missing.sarif", ROOT)
    with pytest.raises(UsageError, match="Is a directory"):
        read_file("sarif", tmp_path, ROOT)
    (tmp_path / "x.sarif").write_text("{}")
    with pytest.raises(UsageError, match=r"x\.sarif: runs: is missing, so this is no SARIF log"):
        read_file("sarif", tmp_path / "x.sarif", ROOT)


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/../a.py", "a.py"),
        ("/home/ci/project/a.py", "a.py"),
        ("file:///home/ci/project/a%20b.py", "a b.py"),
        ("file://localhost/home/ci/project/a.py", "a.py"),
        ("/home/ci/project/../other/a.py", ""),
        ("/home/ci/projects/a.py", ""),
        ("/etc/passwd", ""),
        ("../a.py", ""),
        ("a/../../b.py", ""),
        ("file:///home/ci/project/%2e%2e/a.py", ""),
        (".git/config", ""),
        ("a\0b", ""),
        ("", ""),
        ("https://example.com/a.py", "https:/example.com/a.py"),  # a path like others: it is in no change
    ],
)
def test_a_path_leads_into_the_repository_or_nowhere(path: str, inside: str) -> None:
    """Paths are relative to the root; what is not in it has none."""
    assert ROOT.relative(path) == inside


@pytest.mark.parametrize(
    ("base", "uri", "path"),
    [
        ("file:///home/ci/project/", "src/a%2Bb.py", "src/a+b.py"),
        ("file:///home/ci/project/web/", "a.js", "web/a.js"),
        (
            "file:///builds/elsewhere/",
            "src/a.py",
            "src/a.py",
        ),  # another machine's checkout of this repository
        ("file:///builds/elsewhere/", "file:///builds/elsewhere/src/a.py", "src/a.py"),
        ("file:///builds/elsewhere/", "../a.py", ""),
    ],
)
def test_sarif_paths_begin_where_the_log_says(base: str, uri: str, path: str) -> None:
    """A base inside the root is joined; that of another machine is taken for the root."""
    log = sarif(originalUriBaseIds={"B": {"uri": base}}, results=[at(uri, base="B")])
    assert [each.path for each in read("sarif", log)] == [path]


def test_sarif_bases_that_lead_in_a_circle_end() -> None:
    """Bases relative to one another are followed, and not for ever."""
    bases = {"A": {"uri": "a/", "uriBaseId": "B"}, "B": {"uri": "b/", "uriBaseId": "A"}}
    assert len(read("sarif", sarif(originalUriBaseIds=bases, results=[at("x.py", base="A")]))) == 1


def test_sarif_results_that_are_no_remarks_are_left_out() -> None:
    """What passed, what is gone, and what people suppressed there is not said again."""
    results = [
        {**at("a.py"), "kind": "pass"},
        {**at("a.py"), "baselineState": "absent"},
        {**at("a.py"), "suppressions": [{"kind": "inSource"}]},
        {**at("a.py"), "suppressions": [{"kind": "inSource", "status": "rejected"}], "ruleId": "said"},
    ]
    assert [each.rule for each in read("sarif", sarif(results=results))] == ["said"]


def test_sarif_takes_from_the_rule_what_the_result_lacks() -> None:
    """Level, words, page and weakness come from the rule, by name or by place, also of an extension."""
    rule = {
        "id": "R1",
        "helpUri": "https://example.com/R1",
        "defaultConfiguration": {"level": "note"},
        "messageStrings": {"m": {"text": "{0} is not {1}{9}"}},
        "properties": {"tags": ["external/cwe/cwe-079", "security"], "security-severity": "9.3"},
    }
    result = {**at("a.py"), "message": {"id": "m", "arguments": ["x", "closed"]}}
    plain = {**rule, "properties": {}}
    for tool, given_by, severity in (
        ({"driver": {"name": "x", "rules": [rule]}}, {"ruleIndex": 0}, Severity.CRITICAL),
        ({"driver": {"name": "x", "rules": [rule]}}, {"ruleId": "R1/7"}, Severity.CRITICAL),
        (
            {"driver": {"name": "x"}, "extensions": [{"name": "y", "rules": [plain]}]},
            {"rule": {"index": 0, "toolComponent": {"index": 0}}},
            Severity.LOW,
        ),
    ):
        (found,) = read("sarif", json.dumps({"runs": [{"tool": tool, "results": [{**result, **given_by}]}]}))
        assert found.message == "x is not closed{9}"
        assert found.url == "https://example.com/R1"
        assert found.severity is severity
        assert found.cwe == (79 if severity is Severity.CRITICAL else None)
        assert found.rule.startswith("R1")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a b", 'https://a/"><x', "http://", "x" * 900]
)
def test_a_page_that_is_no_plain_address_is_left_out(url: str) -> None:
    """Only a web address becomes a link."""
    rules = [{"id": "R", "helpUri": url}]
    log = {
        "runs": [{"tool": {"driver": {"name": "x", "rules": rules}}, "results": [{**at("a"), "ruleId": "R"}]}]
    }
    assert [each.url for each in read("sarif", json.dumps(log))] == [""]


def test_names_are_words_and_texts_are_cut() -> None:
    """A tool or rule can't bring markup or lines along, and a message of a megabyte is cut."""
    result = {**at("a.py"), "ruleId": "a\n::error::<b>\x1b", "message": {"text": "x" * 10**6}}
    (found,) = read("sarif", sarif(results=[result]))
    assert found.rule == "a-::error::-b"
    assert len(found.message) == 2_000

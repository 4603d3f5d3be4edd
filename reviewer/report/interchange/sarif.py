"""The report in SARIF 2.1.0, valid under the OASIS schema and under GitHub's rules for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/; GitHub: rules need fullDescription and help, URIs must be
relative, and alerts are told apart by `partialFingerprints`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.json import dump
from hunkwise.reviewer.report.remark import LEVELS, page, plain_text, rule_id, said, uri
from hunkwise.reviewer.report.summary import left_out
from hunkwise.reviewer.text.markdown import escape, fence
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Category, Finding, Review, SuppressionKind

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_MOST_RESULTS = 25_000  # GitHub refuses a run with more
_ROOT = "SRCROOT"
_CATEGORIES = {
    Category.CORRECTNESS: ("Correctness", "The changed code does something other than what is meant."),
    Category.ERROR_HANDLING: ("ErrorHandling", "A failure is not noticed, or is not dealt with."),
    Category.CONCURRENCY: ("Concurrency", "A race, a deadlock, or a resource that is not released."),
    Category.SECURITY: ("Security", "The changed code can be abused, or gives away what is secret."),
    Category.PERFORMANCE: ("Performance", "The changed code costs more time or memory than it has to."),
    Category.MAINTAINABILITY: ("Maintainability", "The changed code is hard to understand or to change."),
    Category.TESTABILITY: ("Testability", "The changed behaviour is not tested, or can't be."),
}
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
_KINDS = {SuppressionKind.INLINE: "inSource", SuppressionKind.BASELINE: "external"}
_HELP = (
    "This remark was made by a language model that read one hunk of the change with the code around it. "
    "It can be wrong: read the code before you act on it. Its confidence is in the result's properties."
)


def render(review: Review, view: View) -> str:
    """Write one run; what could not be reviewed is a notification."""
    faults = left_out(skip for skip in review.skipped if skip.fault)
    notes = [
        {"level": "error", "message": {"text": visible_line(f"not reviewed: {place}: {reason}")}}
        for place, reason in faults
    ]
    silenced = [rejected.finding for rejected in review.rejected if rejected.silenced is not None]
    kinds = _kinds([*review.findings, *silenced])
    results = [*(_result(found, kinds) for found in review.findings), *_silenced(review, kinds)]
    run = {
        "tool": {"driver": _driver(review, kinds)},
        "automationDetails": {"id": "hunkwise/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(review, notes)],
        "results": results[:_MOST_RESULTS],
    }
    return dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _invocation(review: Review, notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say how the run went; SARIF knows dates alone, so the time that it took is a property of ours."""
    took = {"properties": {"seconds": review.seconds}} if review.seconds else {}
    return {"executionSuccessful": review.complete, "toolExecutionNotifications": list(notes), **took}


def _kinds(findings: Sequence[Finding]) -> dict[str, dict[str, Any]]:
    """Describe the kinds of remarks, by id and in order: the categories, and the rules that speak here."""
    kinds = {f"hunkwise/{category}": _category(category) for category in Category}
    for finding in findings:
        if finding.source.rule:
            kinds.setdefault(rule_id(finding), _rule(finding))
    return kinds


def _driver(review: Review, kinds: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    made = review.manifest
    return {
        "name": "hunkwise",
        "fullName": visible_line(f"hunkwise {made.version}" + (f" with {made.model}" if made.model else "")),
        "semanticVersion": made.version,
        "rules": list(kinds.values()),
    }


def _category(category: Category) -> dict[str, Any]:
    name, about = _CATEGORIES[category]
    return {
        "id": f"hunkwise/{category}",
        "name": name,
        "shortDescription": {"text": about},
        "fullDescription": {"text": about},
        "help": {"text": f"{about} {_HELP}", "markdown": f"{about}\n\n{_HELP}"},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": [str(category)], "precision": "medium", "problem.severity": "warning"},
    }


def _rule(finding: Finding) -> dict[str, Any]:
    """Describe the rule that makes a remark; the names in it are those of the first one."""
    about, help_ = visible(finding.message), visible(said(finding))
    example = visible(finding.example)
    cwe = finding.source.cwe
    written: dict[str, Any] = {
        "id": rule_id(finding),
        "shortDescription": {"text": visible_line(finding.title)},
        "fullDescription": {"text": about},
        "help": {
            "text": f"{help_}\n\n{example}" if example else help_,
            "markdown": f"{escape(said(finding))}\n\n{fence(finding.example)}" if example else escape(help_),
        },
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {
            "tags": [str(finding.category), *([f"external/cwe/cwe-{cwe:03}"] if cwe else [])],
            "precision": "high" if finding.calibrated else "medium",
            "problem.severity": _PROBLEM[LEVELS[finding.severity]],
        },
    }
    return {**written, "helpUri": address} if (address := page(finding)) else written


def _result(finding: Finding, kinds: Mapping[str, object]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "ruleId": rule_id(finding),
        "ruleIndex": list(kinds).index(rule_id(finding)),
        "level": LEVELS[finding.severity],
        "message": {
            "text": _message(finding),
            "markdown": f"**{escape(finding.title)}**\n\n{escape(said(finding))}",
        },
        "locations": [_location(finding)],
        "partialFingerprints": {"hunkwise/v1": finding.fingerprint},
        "rank": round(100 * finding.confidence, 2),
        "properties": {
            "severity": str(finding.severity),
            "confidence": finding.confidence,
            "calibrated": finding.calibrated,
        },
    }
    if finding.suggestion is not None:
        written["fixes"] = [_fix(finding)]
    return written


def _silenced(review: Review, kinds: Mapping[str, object]) -> list[dict[str, Any]]:
    """Write what people silenced, as results that say so."""
    return [
        {
            **_result(rejected.finding, kinds),
            "suppressions": [
                {"kind": _KINDS[rejected.silenced], "justification": visible_line(rejected.reason)}
            ],
        }
        for rejected in review.rejected
        if rejected.silenced is not None
    ]


def _message(finding: Finding) -> str:
    """Write the plain text; `[text](target)` would be a link even there (SARIF 2.1.0, 3.11.6)."""
    return plain_text(finding).replace("](", "] (")


def _artifact(finding: Finding) -> dict[str, str]:
    return {"uri": uri(finding.path), "uriBaseId": _ROOT}


def _location(finding: Finding) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": finding.start_line, "endLine": finding.end_line}
    return {"physicalLocation": {"artifactLocation": _artifact(finding), "region": region}}


def _fix(finding: Finding) -> dict[str, Any]:
    """Replace lines but for the end of the last, which a file's last line may lack; or delete them with it."""
    fix = finding.suggestion
    assert fix is not None
    region = {"startLine": fix.start_line, "startColumn": 1, "endLine": fix.end_line}
    if not fix.replacement:
        region |= {"endLine": fix.end_line + 1, "endColumn": 1}
    change = {"deletedRegion": region, "insertedContent": {"text": fix.replacement}}
    return {
        "description": {"text": "Suggested change"},
        "artifactChanges": [{"artifactLocation": _artifact(finding), "replacements": [change]}],
    }

"""Matching as it is asked for in the process that parses (languages/parser.py)."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from hunkwise.reviewer.checks.match import Hit, hits
from hunkwise.reviewer.checks.pack import Measured, measured, rules_for
from hunkwise.reviewer.checks.rule import Rule, read_rule
from hunkwise.reviewer.errors import ConfigError


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Answer what run.inspect asks."""
    return _answer(**question)


def _answer(
    language: str, texts: list[str], whole: bool, tests: bool, own: list[Any], off: list[str]
) -> dict[str, Any]:
    """Give for each text the places where rules match, with all that is to be said of them."""
    try:
        rules = {
            rule.id: rule for rule in (*rules_for(language), *(read_rule(d, "own", ours=False) for d in own))
        }
        wanted = [
            rule
            for rule in rules.values()
            if not any(fnmatchcase(rule.id, glob) for glob in off)
            and (rule.tests or not tests)
            and (whole or not rule.whole)
        ]
        return {
            "texts": [[_said(hit, rules[hit.rule]) for hit in hits(wanted, language, text)] for text in texts]
        }
    except ConfigError as error:
        return {"error": str(error)}


def _said(hit: Hit, rule: Rule) -> dict[str, Any]:
    known = measured(rule.id) if rule.ours else Measured()
    return {
        **asdict(hit),
        "title": hit.filled(rule.title),
        "message": hit.filled(rule.message),
        "advice": hit.filled(rule.advice),
        "example": rule.example,
        "severity": rule.severity,
        "dimension": rule.dimension,
        "cwe": rule.cwe,
        "confidence": known.confidence if rule.ours else 1.0,
        "measured": known.read > 0,
        "says": str(known) if rule.ours else "a rule of the project",
    }

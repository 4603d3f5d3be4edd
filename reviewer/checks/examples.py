"""A rule's examples are its tests: `bad` ones must be remarked on, `good` ones must not.

A line of a `bad` example that ends with the comment `hit` is where a remark must be, and nowhere else.
"""

from __future__ import annotations

import re

from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.rule import Rule
from hunkwise.reviewer.errors import ConfigError

MARK = re.compile(r"[ \t]*(?:#|//|/\*|\{/\*)[ \t]*hit\b")


def faults(rule: Rule) -> list[str]:
    """Say what of a rule's examples it does not hold on; [] where all is well. In-process: for trusted texts."""
    try:
        return [fault for language in rule.languages for fault in _faults(rule, language)]
    except ConfigError as error:
        return [str(error)]


def _faults(rule: Rule, language: str) -> list[str]:
    said: list[str] = []
    for number, text in enumerate(rule.bad, 1):
        found = hits([rule], language, text)
        lines = sorted({hit.start for hit in found})
        wanted = [at for at, line in enumerate(text.split("\n"), 1) if MARK.search(line)]
        if (wanted and lines != wanted) or not lines:
            said.append(f"{language}: bad example {number}: remarks on lines {lines}, not {wanted or 'any'}")
        for hit in found[:1]:
            if hit.fix is not None:
                start, end, put = hit.fix
                left = hits([rule], language, text[:start] + put + text[end:])
                if len(left) >= len(found):
                    said.append(
                        f"{language}: bad example {number}: the fix {put[:80]!r} does not silence the rule"
                    )
    for number, text in enumerate(rule.good, 1):
        if found := hits([rule], language, text):
            said.append(f"{language}: good example {number}: a remark on line {found[0].start}")
    return said

"""The process that matches rules: what hostile code does to a grammar ends this process and nothing else."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from typing import Any

from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.pack import rules_for
from hunkwise.reviewer.checks.rule import read_rule
from hunkwise.reviewer.errors import ConfigError

PATIENCE = 4.0  # seconds of CPU time for one text; 10,000 lines take less than one


def serve() -> None:
    """Answer what standard input asks, a line of JSON each: language, text, own rules, ids to leave out."""
    for line in sys.stdin:
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
        answer = _answer(**question)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        print(json.dumps(answer), flush=True)


def _answer(language: str, text: str, own: list[Any], off: list[str]) -> dict[str, Any]:
    try:
        rules = [*rules_for(language), *(read_rule(data, "own", ours=False) for data in own)]
        found = hits([rule for rule in rules if rule.id not in off], language, text)
    except ConfigError as error:
        return {"error": str(error)}
    return {"hits": [asdict(hit) for hit in found], "rules": len(rules)}

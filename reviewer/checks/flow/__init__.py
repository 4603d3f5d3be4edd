"""How rules follow values through one function, in any language (docs/flow.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.checks.flow.functions import Functions
from hunkwise.reviewer.checks.flow.obligation import unmet
from hunkwise.reviewer.checks.flow.order import misused, unread
from hunkwise.reviewer.checks.flow.spec import Flow, check_spec, flow_needs, read_spec, triggers
from hunkwise.reviewer.checks.flow.steps.tree import key
from hunkwise.reviewer.checks.flow.taint import tainted

if TYPE_CHECKING:
    from ast_grep_py import SgNode

__all__ = ["Flow", "Functions", "check_spec", "flow_needs", "flows", "triggers"]

_KINDS = {"taint": tainted, "obligation": unmet, "state": misused, "unread": unread}


def flows(spec: Mapping[str, Any], root: SgNode | Functions, language: str) -> Iterator[Flow]:
    """Find what a rule's `flow:` is about in a parsed file, in order of the text.

    With many rules over one file, make `Functions(root, language)` once and give that. Raises ValueError for a
    wrong spec, and what ast-grep raises for a rule that it refuses (check_spec tells before).
    """
    read = read_spec(spec, language)
    file = root if isinstance(root, Functions) else Functions(root, language)
    found = {key(flow.node): flow for flow in _KINDS[read.kind](read, file)}
    return iter([found[place] for place in sorted(found)])

"""Checks that ast-grep's rule language can't say: functions over the same tree, by the name that rules call them.

Each takes the root of a file and its language, and gives the nodes to remark on with the names for its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from hunkwise.reviewer.checks.functions import go, javascript

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    Check = Callable[[SgNode, str], Iterator[tuple[SgNode, Mapping[str, SgNode]]]]

CHECKS: dict[str, Check] = {
    "javascript-repeated-key": javascript.repeated_keys,
    "javascript-repeated-case": javascript.repeated_cases,
    "javascript-repeated-parameter": javascript.repeated_parameters,
    "go_condition_twice": go.condition_twice,
    "go_format_arguments": go.format_arguments,
    "go_shared_write_in_goroutines": go.shared_write_in_goroutines,
    "go_unexported_fields_encoded": go.unexported_fields_encoded,
    "go_unreachable_type_case": go.unreachable_type_case,
    "go_used_after_nil_check": go.used_after_nil_check,
}

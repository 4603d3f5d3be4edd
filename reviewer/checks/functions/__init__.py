"""Checks that ast-grep's rule language can't say: functions over the same tree, by the name that rules call them.

Each takes the root of a file and its language, and gives the nodes to remark on with the names for its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from hunkwise.reviewer.checks.functions import (
    copies,
    go,
    javascript,
    locals_unused,
    nulls,
    python,
    python_calls,
    python_formats,
    python_names,
    python_unbound,
    slips,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    Found = Iterator[tuple[SgNode, Mapping[str, SgNode]]]
    Check = Callable[[SgNode, str], Found]

CHECKS: dict[str, Check] = {
    "copied_method": copies.copied_method,
    "delegates_to_other": copies.delegates_to_other,
    "javascript-repeated-key": javascript.repeated_keys,
    "javascript-repeated-case": javascript.repeated_cases,
    "javascript-repeated-parameter": javascript.repeated_parameters,
    "go_condition_twice": go.condition_twice,
    "go_format_arguments": go.format_arguments,
    "go_shared_write_in_goroutines": go.shared_write_in_goroutines,
    "go_unexported_fields_encoded": go.unexported_fields_encoded,
    "go_unreachable_type_case": go.unreachable_type_case,
    "go_used_after_nil_check": go.used_after_nil_check,
    "index_skipped": slips.index_skipped,
    "last_round_counts": slips.last_round_counts,
    "overload_drops_parameter": slips.overload_drops_parameter,
    "used_before_null_check": nulls.used_before_null_check,
    "value_never_used": locals_unused.value_never_used,
    "python_arguments_wrong": python_calls.arguments_wrong,
    "python_base_init_not_called": python.base_init_not_called,
    "python_defined_twice": python.defined_twice,
    "python_except_name_after": python_names.except_name_after,
    "python_key_twice": python.key_twice,
    "python_loop_name_unused": python.loop_name_unused,
    "python_name_undefined": python_names.name_undefined,
    "python_overridden_in_init": python.overridden_in_init,
    "python_result_dropped": python.result_dropped,
    "python_result_of_nothing": python_calls.result_of_nothing,
    "python_text_without_f": python.text_without_f,
    "python_unbound_after_except": python_unbound.unbound_after_except,
    "python_unbound_in_finally": python_unbound.unbound_in_finally,
    "python_value_never_used": python_names.value_never_used,
    "python_values_wrong": python_formats.values_wrong,
}

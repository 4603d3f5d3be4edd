"""Checks that ast-grep's rule language can't say: functions over the same tree, by the name that rules call them.

Each takes the root of a file and its language, and gives the nodes to remark on with the names for its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from hunkwise.reviewer.checks.functions import javascript

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    Check = Callable[[SgNode, str], Iterator[tuple[SgNode, Mapping[str, SgNode]]]]

CHECKS: dict[str, Check] = {
    "javascript-repeated-key": javascript.repeated_keys,
    "javascript-repeated-case": javascript.repeated_cases,
    "javascript-repeated-parameter": javascript.repeated_parameters,
}

"""The forges' own descriptions are at hand."""

from __future__ import annotations

from typing import Any

import pytest


def test_the_contracts_are_checked(contracts: dict[str, Any]) -> None:
    """Every request and answer of these tests is held against GitHub's and GitLab's API descriptions."""
    if not contracts:
        pytest.skip(
            "../shared/contracts is ABSENT: requests and answers were NOT checked against the contracts"
        )
    assert set(contracts) == {"github", "gitlab"}

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import ModelSpec
from hunkwise.engine.llamacpp.card import card_of
from hunkwise.engine.planning.plan import Plan

SPEC = ModelSpec("m", "d" * 64, (Path("weights"),), parameters={"stop": ("a", "b"), "num_ctx": 9})
PLAN = Plan(n_ctx=4096, n_seq=4)


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "e" * 64},
        {"adapters": ((Path(__file__), 1.0),)},
        {"adapters": ((Path(__file__), 0.5),)},
        {"template": "{{ .Prompt }}"},
        {"system": "Be kind."},
        {"parameters": {"stop": ("a",), "num_ctx": 9}},
        {"messages": (("user", "hi"),)},
    ],
)
def test_what_changes_answers(change: dict[str, Any]) -> None:
    """Whatever a Modelfile says that may change an answer changes the card."""
    assert card_of(replace(SPEC, **change), PLAN, "b") != card_of(SPEC, PLAN, "b")


@pytest.mark.parametrize("change", [{"draft": Path("draft")}, {"weights": (Path("elsewhere"),)}])
def test_what_does_not(change: dict[str, Any]) -> None:
    """A draft model, and the place of the files, leave the card as it is."""
    assert card_of(replace(SPEC, **change), PLAN, "b") == card_of(SPEC, PLAN, "b")


def test_plan_and_build() -> None:
    """Another context, KV type or build of llama.cpp is another card."""
    cards = [
        card_of(SPEC, PLAN, "b"),
        card_of(SPEC, PLAN, "c"),
        card_of(SPEC, replace(PLAN, n_ctx=8192), "b"),
    ]
    cards.append(card_of(SPEC, replace(PLAN, kv_type="q8_0"), "b"))
    assert len({repr(card) for card in cards}) == 4

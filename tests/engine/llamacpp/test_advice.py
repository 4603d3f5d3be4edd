"""Which quantization fits which machine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine.planning.advice import Published, advise
from hunkwise.engine.planning.hardware import Cpu, Device, Machine

GiB = 1 << 30
# sizes of Qwen2.5-Coder-7B-Instruct
PUBLISHED = [
    Published("Q2_K", 3_015_938_048),
    Published("Q4_K_M", 4_683_073_536),
    Published("Q6_K", 6_254_198_784),
    Published("Q8_0", 8_098_525_184),
    Published("F16", 15_237_853_184),
]


def machine(memory: int, *cards: int) -> Machine:
    devices = tuple(Device(f"CUDA{i}", "", "cuda", size * GiB, size * GiB) for i, size in enumerate(cards))
    return Machine(Cpu("invented", 8, 8), memory * GiB, memory * GiB, devices)


@pytest.mark.parametrize(
    ("memory", "cards", "best"),
    [
        (4, (), None),
        (6, (), "Q2_K"),
        (8, (), "Q4_K_M"),
        (64, (), "Q4_K_M"),
        (16, (8,), "Q4_K_M"),
        (16, (11,), "Q6_K"),
        (64, (80,), "Q8_0"),
        (64, (4,), "Q4_K_M"),
        (16, (8, 8), "Q8_0"),
    ],
)
def test_the_best_for_a_machine(memory: int, cards: tuple[int, ...], best: str | None) -> None:
    """On a GPU as many bits as fit, up to eight; on a CPU four, for their speed; else fewer."""
    found = [row.quantization for row in advise(PUBLISHED, machine(memory, *cards)) if row.best]
    assert found == ([best] if best else [])


def test_what_does_not_fit_says_so() -> None:
    """Each row has its reason."""
    rows = advise(PUBLISHED, machine(8))
    assert [row.place for row in rows] == ["none", "none", "none", "cpu", "cpu"]
    assert "14531 MiB of weights" in rows[0].reason


def test_a_model_published_in_one_way_only_is_advised_if_it_fits() -> None:
    """There is nothing to choose, but it may be said that it runs."""
    assert advise([Published("F16", GiB)], machine(8))[0].best
    assert advise([], machine(8)) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Q2_K", "Q4_K_M", "Q8_0", "F16"]), st.integers(1, 20 * GiB))))
def test_never_more_than_one_and_never_what_does_not_fit(rows: list[tuple[str, int]]) -> None:
    """Whatever is published, the advice is one that fits."""
    advice = advise([Published(*row) for row in rows], machine(16, 6))
    assert sum(row.best for row in advice) <= 1
    assert all(row.place != "none" for row in advice if row.best)

"""Models of no use: each is a fault with its cause in one line, the same here and in a process of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from hunkwise.engine import Bundle, Choose, Generate, ModelSpec, Score, Scored, Segment
from hunkwise.engine.errors import CorruptModel, EngineError, ModelError, NativeFailure, UnusableModel
from hunkwise.engine.llamacpp.local import open_isolated, open_local

QUESTIONS = (
    Choose("c", (Segment("x"),), ("a", "b")),
    Score("s", (Segment("def "),), "add(first)"),
    Generate("g", (Segment("x"),), 8),
)
SQUARE = np.zeros((tiny.WIDTH, tiny.WIDTH), np.float32)
RANDOM = np.random.default_rng(1).normal(0, 0.3, SQUARE.shape).astype(np.float32)
ONES = np.ones(tiny.WIDTH, np.float32)


def spec(path: Path) -> ModelSpec:
    return ModelSpec("tiny", "0" * 64, (path,))


def failure(model: ModelSpec, *, isolated: bool) -> EngineError:
    """What opening and asking a model ends with."""
    bundle = Bundle((Segment("for"),), QUESTIONS)
    try:
        with open_isolated(model, environ=os.environ) if isolated else open_local(model) as engine:
            engine.ask(bundle)
    except EngineError as error:
        return error
    raise AssertionError("no failure")


def test_a_sound_model(tmp_path: Path) -> None:
    """The tiny model itself answers, the same in both ways."""
    model = spec(tiny.write(tmp_path / "m.gguf"))
    bundle = Bundle((Segment("for"),), QUESTIONS)
    with open_local(model) as here, open_isolated(model, environ=os.environ) as there:
        answers = here.ask(bundle)
        assert answers == there.ask(bundle)
        assert here.statistics().decode_calls == there.statistics().decode_calls
    assert isinstance(answers[1], Scored)
    assert -4 < answers[1].logprob / len(answers[1].tokens) < 0


def with_tensors(**named: Any) -> dict[str, Any]:
    """The model with other tensors; `__` stands for a dot."""
    return {"changed": {f"{name.replace('__', '.')}.weight": values for name, values in named.items()}}


ATTENTION = {f"blk__0__attn_{part}": RANDOM for part in ("q", "k", "v", "output")}
SHIFTED = np.roll(tiny.tensors()["output.weight"], 7, axis=0)
SICK: dict[str, tuple[dict[str, Any], type[EngineError], str]] = {
    "NaN weights": (
        with_tensors(output=SQUARE * np.nan),
        UnusableModel,
        "tiny computes numbers that are none",
    ),
    "NaN embedding": (with_tensors(token_embd=SQUARE * np.nan), UnusableModel, "NaN or infinite"),
    "infinite norm": (with_tensors(output_norm=ONES * np.inf), UnusableModel, "NaN or infinite"),
    "NaN setting": ({"rope": np.nan, **with_tensors(**ATTENTION)}, UnusableModel, "NaN or infinite"),
    "empty output": (with_tensors(output=SQUARE), UnusableModel, "equally likely"),
    "empty embedding": (with_tensors(token_embd=SQUARE), UnusableModel, "equally likely"),
    "untrained": (with_tensors(output=RANDOM), UnusableModel, "no better than chance"),
    "another vocabulary": (with_tensors(output=SHIFTED), UnusableModel, "another vocabulary"),
    "missing tensor": (
        with_tensors(blk__0__attn_k=None),
        CorruptModel,
        "m.gguf: tensor 'blk.0.attn_k.weight' not found",
    ),
    "wrong shape": (
        with_tensors(blk__0__attn_k=SQUARE[:9]),
        CorruptModel,
        "'blk.0.attn_k.weight' has wrong shape",
    ),
    "unknown architecture": (
        {"architecture": "mamba9"},
        CorruptModel,
        "unknown model architecture: 'mamba9'",
    ),
    "64-bit weights": (
        with_tensors(output=SQUARE.astype(float)),
        CorruptModel,
        "'output.weight' holds 64-bit",
    ),
    "a reranker": ({"extra": {"llama.pooling_type": 4}}, UnusableModel, "ranks documents"),
    "an empty embedding model": (
        {"extra": {"llama.pooling_type": 1}, **with_tensors(output_norm=ONES * 0)},
        UnusableModel,
        "the same vector for every token",
    ),
    "no template": ({"template": None}, CorruptModel, "no chat template"),
}


@pytest.mark.parametrize("isolated", [False, True], ids=["here", "isolated"])
@pytest.mark.parametrize(("made", "kind", "cause"), SICK.values(), ids=SICK.keys())
def test_a_sick_model(
    tmp_path: Path, made: dict[str, Any], kind: type[EngineError], cause: str, isolated: bool
) -> None:
    """The same error in both ways: its cause, in one line."""
    error = failure(spec(tiny.write(tmp_path / "m.gguf", **made)), isolated=isolated)
    assert type(error) is kind
    assert cause in str(error)
    assert "\n" not in str(error)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def another(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(1000))


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40:90] = b"\xff" * 50
    path.write_bytes(content)


SPOILT: tuple[tuple[Callable[[Path], object], str], ...] = (
    (cut, "cut short"),
    (emptied, "magic"),
    (another, "zip archive"),
    (garbled, "m.gguf"),
    (Path.unlink, "does not exist"),
)


@pytest.mark.parametrize(("spoil", "cause"), SPOILT)
def test_a_spoilt_file(tmp_path: Path, spoil: Callable[[Path], object], cause: str) -> None:
    """A file that is cut, empty or of another kind is refused by name, before native code sees it."""
    path = tiny.write(tmp_path / "m.gguf")
    spoil(path)
    with pytest.raises(ModelError, match=re.escape(cause)) as caught:
        open_local(spec(path))
    assert "\n" not in str(caught.value)


def test_numbers_that_go_bad_later(tmp_path: Path) -> None:
    """A model that is sound at first and has no numbers for some text fails on that text alone."""
    embedding = np.eye(tiny.WIDTH, dtype=np.float32)
    embedding[ord("~")] = np.nan
    with open_local(spec(tiny.write(tmp_path / "m.gguf", {"token_embd.weight": embedding}))) as engine:
        for text in ("x", "~", "y"):
            bundle = Bundle((Segment(text),), QUESTIONS)
            if text == "~":
                with pytest.raises(NativeFailure, match="tiny computes numbers that are none"):
                    engine.ask(bundle)
            else:
                assert len(engine.ask(bundle)) == 3
        assert engine.idle

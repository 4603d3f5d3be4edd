"""Opening a model: what happens when memory runs out although the plan said it would fit."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import tiny

from hunkwise.engine.errors import CorruptModel, DoesNotFit, InvalidQuestion, NativeFailure
from hunkwise.engine.llamacpp.card import card_of
from hunkwise.engine.llamacpp.local import open_isolated, open_local, open_pool, plan_for, shape_in, survey
from hunkwise.engine.llamacpp.native import build
from hunkwise.engine.models.sources.partial import sha256_of
from hunkwise.engine.models.store.seals import sealed
from hunkwise.engine.planning.fit import LoadOptions
from hunkwise.engine.planning.hardware import Cpu, Machine
from hunkwise.engine.planning.plan import Plan
from hunkwise.engine.types import Bundle, Choice, Choose, ModelSpec, Score, Segment, Usage

MACHINE = Machine(Cpu("invented", 4, 4), 8 << 30, 6 << 30)


def small(spec: ModelSpec) -> Plan:
    """A plan for few tokens on this machine."""
    return plan_for(spec, survey(), want=LoadOptions(n_ctx=1024))


@pytest.fixture
def spec(tmp_path: Path) -> ModelSpec:
    """A model of two tiny layers, enough for a header."""
    writer: Any = gguf.GGUFWriter(str(tmp_path / "toy.gguf"), "qwen2")
    writer.add_block_count(2)
    writer.add_context_length(8192)
    writer.add_embedding_length(32)
    writer.add_head_count(4)
    writer.add_feed_forward_length(64)
    writer.add_vocab_size(100)
    for name in ("token_embd.weight", "blk.0.attn_q.weight", "blk.1.attn_q.weight"):
        writer.add_tensor(name, np.zeros((8, 32), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return ModelSpec("toy", "0" * 64, (tmp_path / "toy.gguf",))


def test_an_adapter_is_priced(spec: ModelSpec, tmp_path: Path) -> None:
    """The tensors of a LoRA file count as weights of the layers that they change."""
    writer: Any = gguf.GGUFWriter(str(tmp_path / "adapter.gguf"), "qwen2")
    writer.add_string("general.type", "adapter")
    for part in ("lora_a", "lora_b"):
        writer.add_tensor(f"blk.1.attn_q.weight.{part}", np.zeros((8, 100), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    adapted = replace(spec, adapters=((tmp_path / "adapter.gguf", 1.0),))

    plain, priced = plan_for(spec, MACHINE), plan_for(adapted, MACHINE)

    assert priced.estimate["weights"] - plain.estimate["weights"] == 2 * 8 * 100 * 4
    assert shape_in(adapted).layer_bytes[0] == shape_in(spec).layer_bytes[0]


def test_a_draft_model_is_left_out_aloud(spec: ModelSpec) -> None:
    """A Modelfile with DRAFT loads, and says that the draft is not used."""
    said: list[str] = []
    drafted = replace(spec, draft=spec.weights[0])

    open_local(drafted, plan_for(spec, MACHINE), say=said.append, load=lambda _spec, _plan: "engine")  # type: ignore[arg-type,return-value]

    assert said == [
        "toy is used without its DRAFT model: guessing ahead cost more than it saved when measured"
    ]


def test_the_next_smaller_plan_follows_when_memory_runs_out(spec: ModelSpec) -> None:
    """Each retry is smaller and said aloud; the first that loads is taken."""
    tried: list[Plan] = []
    said: list[str] = []

    def load(spec: ModelSpec, plan: Plan) -> Any:
        tried.append(plan)
        if len(tried) < 3:
            raise NativeFailure("llama.cpp can't make a context: failed to allocate buffer for kv cache")
        return "engine"

    engine: object = open_local(spec, plan_for(spec, MACHINE), say=said.append, load=load)
    assert engine == "engine"
    assert [(plan.n_ctx, plan.kv_type) for plan in tried] == [(8192, "f16"), (8192, "q8_0"), (4096, "q8_0")]
    assert len(said) == 2
    assert all(sentence.startswith("out of memory; trying") for sentence in said)


def test_out_of_memory_to_the_end_is_one_error(spec: ModelSpec) -> None:
    """When the smallest plan fails too, the last message of llama.cpp is part of the error."""

    def load(spec: ModelSpec, plan: Plan) -> Any:
        raise CorruptModel("can't load: cudaMalloc failed: out of memory")

    with pytest.raises(DoesNotFit, match=r"smallest plan.*cudaMalloc"):
        open_local(spec, plan_for(spec, MACHINE), load=load)


def test_other_failures_are_not_retried(spec: ModelSpec) -> None:
    """A corrupt model stays a corrupt model."""
    tried = []

    def load(spec: ModelSpec, plan: Plan) -> Any:
        tried.append(plan)
        raise CorruptModel("missing tensor blk.0")

    with pytest.raises(CorruptModel, match="missing tensor"):
        open_local(spec, plan_for(spec, MACHINE), load=load)
    assert len(tried) == 1


def sealing(spec: ModelSpec) -> ModelSpec:
    """Note how the files stand, as a library does that hashed them."""
    return replace(spec, seals=tuple(sealed(path, sha256_of(path)) for path in spec.weights))


def test_a_changed_file_is_not_loaded(spec: ModelSpec) -> None:
    """What was hashed and is another file now is refused before native code sees it."""
    tried: list[Plan] = []

    def load(spec: ModelSpec, plan: Plan) -> Any:
        tried.append(plan)
        return "engine"

    known = sealing(spec)
    engine: object = open_local(known, plan_for(spec, MACHINE), load=load)
    assert engine == "engine"
    (path,) = spec.weights
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptModel, match=r"toy\.gguf was changed.*hunkwise model verify"):
        open_local(known, plan_for(spec, MACHINE), load=load)
    assert len(tried) == 1


def test_a_file_that_changes_while_it_is_loaded(spec: ModelSpec) -> None:
    """What was loaded then answers nothing, and its memory is given back."""
    (path,) = spec.weights
    closed: list[bool] = []

    class Loaded:
        def close(self) -> None:
            closed.append(True)

    def load(spec: ModelSpec, plan: Plan) -> Any:
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        return Loaded()

    with pytest.raises(CorruptModel, match="was changed"):
        open_local(sealing(spec), plan_for(spec, MACHINE), load=load)
    assert closed == [True]


def test_a_plan_is_handed_on(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who made a plan has the model loaded by it, whatever is free by then; nobody looks at the machine again."""
    plan = plan_for(spec, MACHINE)
    monkeypatch.setattr(
        "hunkwise.engine.llamacpp.local.survey", lambda: pytest.fail("a second look at the machine")
    )
    loaded: list[Plan] = []
    open_local(spec, plan, load=lambda _spec, plan: loaded.append(plan))  # type: ignore[arg-type,return-value]
    assert loaded == [plan]


def test_a_plan_crosses_the_pipe(tmp_path: Path) -> None:
    """A process of its own loads by the plan that was made here, and says so in its card."""
    model = ModelSpec("tiny", "0" * 64, (tiny.write(tmp_path / "m.gguf"),))
    plan = plan_for(model, MACHINE, want=LoadOptions(n_ctx=512, n_seq=3))
    with open_isolated(model, plan, environ=os.environ) as engine:
        assert engine.card() == card_of(model, plan, build())
    assert (plan.n_ctx, plan.n_seq, plan.n_threads) == (512, 3, 4)


def test_survey_sees_this_machine() -> None:
    """With or without llama-cpp-python there are cores and memory."""
    assert survey().memory_total > 0


@pytest.mark.model
def test_a_pool_answers_with_a_real_model(small_model: ModelSpec) -> None:
    """A model of the pool is loaded by its first question, within the machine's memory."""
    with open_pool() as pool:
        engine = pool.engine(small_model, context=1024)
        (answer,) = engine.ask(Bundle((), (Choose("q", (Segment("1 + 1 ="),), (" 2", " 3")),)))
        assert isinstance(answer, Choice)
        assert sum(answer.probabilities) == pytest.approx(1)
        assert pool.loaded() == (small_model.name,)
    assert pool.loaded() == ()


def test_plans_that_killed_a_process_are_skipped(spec: ModelSpec) -> None:
    """After a kill the next process starts with a smaller plan, and says so."""
    said: list[str] = []

    def load(spec: ModelSpec, plan: Plan) -> Any:
        return plan

    plan: Any = open_local(spec, plan_for(spec, MACHINE), load=load, say=said.append, steps=2)
    assert (plan.n_ctx, plan.kv_type) == (4096, "q8_0")
    assert len(said) == 2
    with pytest.raises(DoesNotFit, match="killed"):
        open_local(spec, plan_for(spec, MACHINE), load=load, steps=99)


@pytest.mark.model
def test_a_real_model_in_a_process_of_its_own(small_model: ModelSpec) -> None:
    """It answers as it does here, and a killed process is made good."""
    bundle = Bundle(
        (Segment("def add(a, b):\n    return a - b\n"),),
        (Choose("q", (Segment("Is this right?"),), ("Yes", "No")), Score("s", (Segment("x"),), " = 1")),
    )
    with open_local(small_model, small(small_model)) as here:
        expected = here.ask(bundle)
        told = here.statistics()
    with open_isolated(small_model, small(small_model), environ=os.environ) as engine:
        assert engine.ask(bundle) == expected
        assert replace(engine.statistics(), seconds=0, decode_seconds=0) == replace(
            told, seconds=0, decode_seconds=0
        )
        assert 0 < engine.statistics().decode_seconds < engine.statistics().seconds
        child = engine._child
        assert child is not None
        child.kill()
        assert engine.ask(bundle)[0].id == "q"


@pytest.fixture
def copied(small_model: ModelSpec, tmp_path: Path) -> ModelSpec:
    """The small model in a file that a test may spoil."""
    path = tmp_path / "copy.gguf"
    shutil.copyfile(small_model.weights[0], path)
    return sealing(replace(small_model, weights=(path,)))


def asking(text: str) -> Bundle:
    """A question about a text, so that another text is computed anew."""
    return Bundle((Segment(text),), (Choose("q", (Segment("Is this right?"),), ("Yes", "No")),))


@pytest.mark.model
def test_a_model_cut_short_while_mapped(copied: ModelSpec) -> None:
    """The process dies, the file is found to be another one, and what is left to ask fails with both said."""
    said: list[str] = []
    with open_isolated(copied, small(copied), environ=os.environ, say=said.append) as engine:
        assert engine.ask(asking("x = 1\n"))
        os.truncate(copied.weights[0], 1 << 20)
        for text in ("y = 2\n", "z = 3\n"):
            with pytest.raises(NativeFailure, match=r"can't be started again.*copy\.gguf was changed"):
                engine.ask(asking(text))
    assert any("SIGBUS" in sentence and "starting it again" in sentence for sentence in said)


@pytest.mark.model
def test_a_model_replaced_while_mapped(copied: ModelSpec) -> None:
    """A file that takes the place of the model's by its name changes no answer."""
    (path,) = copied.weights
    with open_isolated(copied, small(copied), environ=os.environ) as engine:
        expected = engine.ask(asking("x = 1\n"))
        (path.parent / "new").write_bytes(b"GGUF, but another")
        (path.parent / "new").replace(path)
        engine.ask(asking("y = 2\n"))
        again = engine.ask(asking("x = 1\n"))
    assert [replace(answer, usage=Usage()) for answer in again] == [
        replace(answer, usage=Usage()) for answer in expected
    ]


def test_special_tokens_are_read_only_where_the_author_may_use_them(tmp_path: Path) -> None:
    """The same text is letters, or one token."""
    spec = ModelSpec("tiny", "0" * 64, (tiny.write(tmp_path / "tiny.gguf"),))
    with open_local(spec, small(spec)) as engine:

        def length(segment: Segment) -> int:
            return engine.measure(Bundle((), (Choose("q", (segment,), ("a", "b")),))).questions[0]

        assert length(Segment("<|im_end|>a", "raw")) == 11
        assert length(Segment("<|im_end|>a", "raw", special=True)) == 2
        with pytest.raises(InvalidQuestion, match="special tokens need a raw segment"):
            length(Segment("<|im_end|>a", special=True))

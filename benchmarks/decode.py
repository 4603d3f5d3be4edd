"""What our scheduler adds to llama_decode: one stream beside a bare loop, and sixteen streams by themselves.

    python benchmarks/decode.py [--model NAME] [--tokens N] [--rounds N] [--gpu-layers N]

The bare loop is llama_decode through ctypes with an argmax, on the same weights, threads, context and prompt; the
two are measured in turn. Of sixteen streams it prints the time a step spends outside llama_decode.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median

import numpy as np

from hunkwise.engine import Bundle, Generate, Segment, library_from_environment
from hunkwise.engine.llamacpp.native import Batch, Context, Model
from hunkwise.engine.llamacpp.runner import LocalEngine, load
from hunkwise.engine.planning.plan import Plan

PROMPT = "A long story about a compiler, a linker and a loader, with every detail.\n"


def bare(context: Context, model: Model, prompt: str, tokens: int) -> float:
    """Decode greedily with nothing around it; give the seconds."""
    context.clear()
    batch = Batch(context.batch)
    pending = model.tokenize(prompt.encode(), special=False)
    place = 0
    started = time.perf_counter()
    for _ in range(tokens):
        batch.clear()
        batch.add(pending, place, 0, 1)
        place += len(pending)
        pending = np.array([context.decode(batch)[0].argmax()], np.int32)
    return time.perf_counter() - started


def stream(engine: LocalEngine, prompt: str, tokens: int, count: int) -> tuple[float, float, int]:
    """Write `count` texts side by side; give the seconds, those outside llama_decode, and the steps."""
    questions = tuple(Generate(str(n), (Segment(f"{prompt}{n * '!'}", "raw"),), tokens) for n in range(count))
    before, started = engine.statistics(), time.perf_counter()
    engine.ask(Bundle((), questions))
    seconds = time.perf_counter() - started
    after = engine.statistics()
    outside = seconds - (after.decode_seconds - before.decode_seconds)
    return seconds, outside, after.decode_calls - before.decode_calls


def main() -> None:
    """Measure in turn and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--gpu-layers", type=int, default=0, help="layers on GPUs; 99: all")
    asked = parser.parse_args()
    spec = library_from_environment(os.environ).ensure(asked.model)
    plan = Plan(n_ctx=4096, n_seq=16, n_threads=asked.threads, n_gpu_layers=asked.gpu_layers)
    ratios, outside = [], []
    with load(spec, plan) as engine, Model(spec.weights, gpu_layers=asked.gpu_layers) as model:
        same = {"cells": 4096, "sequences": 1, "batch": 512, "outputs": 64, "threads": asked.threads}
        context = Context(model, **same)
        for turn in range(asked.rounds):
            prompt = f"Round {turn}. {PROMPT}"
            loop = bare(context, model, prompt, asked.tokens)
            one, _, _ = stream(engine, prompt, asked.tokens, 1)
            ratios.append(one / loop)
            many, rest, steps = stream(engine, prompt, asked.tokens, 16)
            outside.append(1000 * rest / steps)
            print(
                f"round {turn + 1}: one stream {one:.2f} s, bare loop {loop:.2f} s, ratio {ratios[-1]:.3f};"
                f" sixteen: {outside[-1]:.2f} ms a step outside llama_decode, {100 * rest / many:.1f} %"
            )
        context.close()
    print(
        f"{asked.model}: median ratio {median(ratios):.3f}, sixteen streams {median(outside):.2f} ms a step"
    )


if __name__ == "__main__":
    main()

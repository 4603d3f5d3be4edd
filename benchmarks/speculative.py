"""Does guessing ahead pay? Greedy text with and without drafted tokens, checked several at once.

    python benchmarks/speculative.py [--model NAME] [--draft NAME] [--tokens N] [--rounds N] [--ahead N]
        [--gpu-layers N]

Drafts come from the prompt itself (what followed the last three tokens where they stood before), and, with
--draft, from a smaller model. Two texts: one that repeats code of the prompt with a change, which is what prompt
lookup is for, and a remark in JSON, which is what a review writes. The loops are bare: no scheduler, one stream,
argmax. First it prints what checking several tokens costs beside one, since that decides. Seconds are those of the
CPU, of all threads: on a machine that does other work they are steadier than the clock's. With layers on
a GPU the clock's are shown.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from hunkwise.engine import library_from_environment
from hunkwise.engine.llamacpp.native import Batch, Context, Model

Propose = Callable[[list[int]], list[int]]  # all tokens so far -> those that may come next
TASKS = {
    "repeats code": "Repeat this code with `self._lock` renamed to `self._guard`. Write the code only.",
    "remark": "Report the worst problem as one JSON object with line, title and message.",
}
MATCH = 3  # tokens that must stand in the text before


@dataclass
class Stream:
    """One sequence of a model, and the tokens that are computed in it."""

    model: Model
    context: Context
    held: list[int] = field(default_factory=list)
    clock: Callable[[], float] = time.process_time

    def favourites(self, tokens: list[int], count: int) -> list[int]:
        """Compute what of the tokens is not; give what the model favours after each of the last `count`."""
        pairs = zip(self.held, tokens, strict=False)
        same = next((n for n, (one, other) in enumerate(pairs) if one != other), len(self.held))
        start = min(same, len(tokens) - count)
        self.context.cut(0, start)
        batch, size = Batch(self.context.batch), self.context.batch
        for first in range(start, len(tokens), size):
            part = np.array(tokens[first : first + size], np.int32)
            batch.clear()
            batch.add(part, first, 0, count if first + size >= len(tokens) else 0)
            rows = self.context.decode(batch)
        self.held = list(tokens)
        return [int(token) for token in rows.argmax(axis=1)]


def no_draft(_tokens: list[int]) -> list[int]:
    """Guess nothing."""
    return []


def lookup(ahead: int) -> Propose:
    """Guess what followed the last tokens where they stood last."""

    def propose(tokens: list[int]) -> list[int]:
        held = np.array(tokens, np.int32)
        windows = np.lib.stride_tricks.sliding_window_view(held[:-1], MATCH)
        found = np.nonzero((windows == held[-MATCH:]).all(axis=1))[0]
        start = int(found[-1]) + MATCH if len(found) else len(held)
        return [int(token) for token in held[start : start + ahead]]

    return propose


def drafting(stream: Stream, ahead: int) -> Propose:
    """Guess what a smaller model would write."""

    def propose(tokens: list[int]) -> list[int]:
        written = list(tokens)
        for _ in range(ahead):
            written += stream.favourites(written, 1)
        return written[len(tokens) :]

    return propose


@dataclass
class Run:
    """One text: its tokens, seconds after the prompt, steps, and drafted tokens with those accepted."""

    tokens: list[int]
    seconds: float = 0.0
    steps: int = 0
    drafted: int = 0
    accepted: int = 0


def write(stream: Stream, prompt: list[int], most: int, propose: Propose) -> Run:
    """Write greedily; drafted tokens are taken as far as the model would have written them."""
    tokens = [*prompt, *stream.favourites(prompt, 1)]
    propose(tokens)  # a smaller model reads the prompt outside the time, as the larger one did
    run, started = Run([]), stream.clock()
    while len(tokens) < len(prompt) + most and not stream.model.ends_generation(tokens[-1]):
        guess = propose(tokens)[: len(prompt) + most - len(tokens) - 1]
        found = stream.favourites([*tokens, *guess], len(guess) + 1)
        right = next((n for n, token in enumerate(guess) if token != found[n]), len(guess))
        ends = [n for n in range(right + 1) if stream.model.ends_generation(found[n])]
        tokens += found[: (ends[0] if ends else right) + 1]
        run.steps, run.drafted, run.accepted = run.steps + 1, run.drafted + len(guess), run.accepted + right
    run.seconds, run.tokens = stream.clock() - started, tokens[len(prompt) :]
    return run


def step_costs(stream: Stream, prompt: list[int]) -> str:
    """Say what a step of several tokens takes, in milliseconds."""
    found = []
    for count in (1, 2, 3, 5, 9):
        taken = []
        for _ in range(5):
            stream.favourites(prompt, 1)
            started = stream.clock()
            stream.favourites([*prompt, *prompt[:count]], count)
            taken.append(stream.clock() - started)
        found.append(f"{count}: {1000 * median(taken):.1f} ms")
    return ", ".join(found)


def main() -> None:
    """Measure every way in turn, several times, and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--draft", help="a smaller model with the same vocabulary")
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ahead", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--gpu-layers", type=int, default=0, help="layers on GPUs; 99: all")
    asked = parser.parse_args()
    library = library_from_environment(os.environ)
    code = "\n".join(
        (Path(__file__).parent.parent / "engine" / "around" / "pool.py").read_text().split("\n")[60:95]
    )
    with ExitStack() as held:

        def opened(name: str) -> Stream:
            model = held.enter_context(Model(library.ensure(name).weights, gpu_layers=asked.gpu_layers))
            options = {"cells": 2048, "sequences": 1, "batch": 512, "outputs": 16, "threads": asked.threads}
            context = Context(model, **options)
            held.callback(context.close)
            return Stream(model, context, clock=time.perf_counter if asked.gpu_layers else time.process_time)

        stream = opened(asked.model)
        ways = {"one by one": no_draft, "prompt lookup": lookup(asked.ahead)}
        if asked.draft:
            ways["draft model"] = drafting(opened(asked.draft), asked.ahead // 2)
        for task, text in TASKS.items():
            chat = f"<|im_start|>user\n```python\n{code}\n```\n{text}<|im_end|>\n<|im_start|>assistant\n"
            prompt = stream.model.tokenize(chat.encode(), special=True).tolist()
            if task == next(iter(TASKS)):
                print(f"{asked.model}, a step of so many tokens: {step_costs(stream, prompt)}")
            runs: dict[str, list[Run]] = {name: [] for name in ways}
            for _ in range(asked.rounds):
                for name, propose in ways.items():
                    runs[name].append(write(stream, prompt, asked.tokens, propose))
            plain = median(run.seconds for run in runs["one by one"])
            for name, found in runs.items():
                run, seconds = found[0], median(run.seconds for run in found)
                same = "same text" if run.tokens == runs["one by one"][0].tokens else "ANOTHER TEXT"
                gain = f"{plain / seconds:.2f} times as fast"
                print(
                    f"{task}, {name}: {seconds:.2f} s for {len(run.tokens)} tokens, {gain};"
                    f" {run.steps} steps, {run.accepted} of {run.drafted} drafted were right; {same}"
                )


if __name__ == "__main__":
    main()

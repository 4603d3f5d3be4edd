"""Does it pay to hand over the evidence of all hunks at once, instead of one bundle after the other?

    python benchmarks/together.py [--model NAME] [--hunks N] [--rounds N]

The bundles are those that a review asks of a hunk. Seconds are those of the CPU, of all threads.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from hunkwise.engine import Answer, Bundle, Usage, library_from_environment, open_local
from hunkwise.reviewer.judge import prompt

Answers = tuple[Answer, ...]


def bundles(hunks: int, mark: str) -> list[Bundle]:
    """Make the evidence of as many hunks, which nobody has asked about: `mark` begins each."""
    above = "".join(f"    check_{number}(lines, number, {number})\n" for number in range(15))
    made = []
    for hunk in range(hunks):
        before = f"# {mark} {hunk}\ndef page(lines, number, size):\n{above}"
        after = "    return lines[start : start + size]\n"
        new, old = (f"    start = {how} * size\n{after}" for how in ("number", "(number - 1)"))
        made.append(prompt.likelihoods(before, new, old))
    return made


def timed(work: Callable[[], list[Answers]]) -> tuple[float, list[Answers]]:
    """Do something; gives seconds of the CPU, and the answers without what they cost."""
    began = time.process_time()
    answers = work()
    spent = time.process_time() - began
    return spent, [tuple(replace(answer, usage=Usage()) for answer in one) for one in answers]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--hunks", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args(arguments)
    with open_local(library_from_environment(os.environ).ensure(asked.model)) as engine:
        engine.ask(bundles(1, "warm")[0])
        for number in range(asked.rounds):
            one, all_ = bundles(asked.hunks, f"{number} a"), bundles(asked.hunks, f"{number} b")
            apart, _ = timed(lambda one=one: [engine.ask(each) for each in one])  # type: ignore[misc]

            def together(all_: list[Bundle] = all_) -> list[Answers]:
                return [future.result() for future in [engine.submit(each) for each in all_]]

            joined, given = timed(together)
            _, again = timed(lambda all_=all_: [engine.ask(each) for each in all_])  # type: ignore[misc]
            same = "the same" if given == again else "other"
            print(f"one by one {apart:.2f} s, together {joined:.2f} s, {same} answers", flush=True)


if __name__ == "__main__":
    main()

"""What sharing a prefill saves: one bundle of eight questions beside eight bundles of one.

    python benchmarks/fork.py [--model NAME] [--tokens N] [--questions N]

Same engine, same weights, same prompts, in turn in one run. The single bundles begin with different words, so that
the engine can't reuse one's prefix for the next: that is what asking a server question by question costs when
another client comes between. Prints the seconds and the ratio; wanted is less than a third.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from hunkwise.engine import Bundle, Choose, Engine, Segment, library_from_environment, open_local


def code(tokens: int) -> str:
    """Take real code of about so many tokens: this repository's own."""
    text = Path(__file__).with_name("engine.py").read_text("utf-8")
    return (text * (1 + 4 * tokens // len(text)))[: 4 * tokens]


def question(number: int) -> Choose:
    """Ask something short and different each time."""
    return Choose(
        str(number), (Segment(f"\nIs there a problem of kind {number}? Answer Yes or No."),), ("Yes", "No")
    )


def together(engine: Engine, text: str, count: int, turn: int) -> float:
    """Ask all questions of one bundle; give the seconds."""
    bundle = Bundle((Segment(f"Round {turn} together.\n{text}"),), tuple(map(question, range(count))))
    started = time.perf_counter()
    engine.ask(bundle)
    return time.perf_counter() - started


def apart(engine: Engine, text: str, count: int, turn: int) -> float:
    """Ask each question with a prefill of its own; give the seconds."""
    started = time.perf_counter()
    for number in range(count):
        engine.ask(Bundle((Segment(f"Round {turn}, part {number}.\n{text}"),), (question(number),)))
    return time.perf_counter() - started


def main() -> None:
    """Measure both ways in turn, three times, and print the median ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--questions", type=int, default=8)
    asked = parser.parse_args()
    spec = library_from_environment(os.environ).ensure(asked.model)
    text = code(asked.tokens)
    ratios = []
    with open_local(spec) as engine:
        together(engine, text[:400], 1, -1)  # warm up
        for turn in range(3):
            one = together(engine, text, asked.questions, turn)
            many = apart(engine, text, asked.questions, turn)
            ratios.append(one / many)
            print(
                f"one bundle {one:6.1f} s   {asked.questions} bundles {many:6.1f} s   ratio {one / many:.2f}"
            )
    print(f"{asked.model}, about {asked.tokens} tokens: median ratio {sorted(ratios)[1]:.2f}")


if __name__ == "__main__":
    main()

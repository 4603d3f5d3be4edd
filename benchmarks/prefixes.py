"""What a prefix on disk saves: the first answer of a new process, with and without the one before.

    python benchmarks/prefixes.py [--model NAME] [--rounds N]

The bundle has a system message (the project's guidelines) of so many tokens, and a few lines of code that no round
shares. In turn: an engine without a folder, one that writes to it, one that finds what was written. Seconds are
those of the CPU, of all threads: on a machine that does other work they are steadier than the clock's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

from hunkwise.engine import Bundle, Choose, ModelSpec, Segment, library_from_environment, open_local


def bundle(tokens: int, code: str) -> Bundle:
    """Ask about `code` below guidelines of about so many tokens."""
    guidelines = "Return errors, never print them. Name the unit of every number. " * (tokens // 14)
    question = Choose("q", (Segment("Is it wrong? Answer Yes or No."),), ("Yes", "No"))
    return Bundle((Segment(guidelines, "system"), Segment(code)), (question,))


def first_answer(spec: ModelSpec, asked: Bundle, folder: Path | None) -> tuple[float, int]:
    """Load, ask, and give the CPU seconds of the answer without those of the load, and the tokens reused."""
    with open_local(spec, prefixes=folder) as engine:
        started = time.process_time()
        (answer,) = engine.ask(asked)
        return time.process_time() - started, answer.usage.reused


def main() -> None:
    """Measure in turn and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    spec = library_from_environment(os.environ).ensure(asked.model)
    for tokens in (500, 2000):
        plain, writing, reading = [], [], []
        for turn in range(asked.rounds):
            with tempfile.TemporaryDirectory() as name:
                folder, code = Path(name), f"x = {turn} / 0"
                plain.append(first_answer(spec, bundle(tokens, code), None)[0])
                writing.append(first_answer(spec, bundle(tokens, f"print({turn})"), folder)[0])
                seconds, reused = first_answer(spec, bundle(tokens, code), folder)
                reading.append(seconds)
                size = sum(path.stat().st_size for path in folder.glob("*.cells"))
        print(
            f"{asked.model}, about {tokens} tokens: without {median(plain):.2f} CPU s, writing"
            f" {median(writing):.2f} s, reading {median(reading):.2f} s"
            f" ({reused} tokens reused, {size / 1e6:.1f} MB)"
        )


if __name__ == "__main__":
    main()

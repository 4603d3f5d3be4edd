"""How fast prompts are read and texts are written, by their length and by how many there are at once.

    python benchmarks/rates.py [--model NAME] [--prompts TOKENS …] [--streams COUNT …] [--rounds N]

The plan is the one that a review would get, with 32 lanes and room for the longest prompt, so layers go where
there is room for them. Prints tokens per second, medians of the rounds; every prompt is new to the engine.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median

from hunkwise.engine import (
    Bundle,
    Choose,
    Engine,
    Generate,
    LoadOptions,
    Segment,
    Usage,
    library_from_environment,
    open_local,
    plan_for,
    survey,
    total_usage,
)


def code() -> str:
    """Give code to read: this project's own."""
    folder = Path(__file__).resolve().parent.parent / "engine"
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.py")))


def timed(engine: Engine, bundle: Bundle) -> tuple[float, Usage]:
    """Ask; give the seconds, and the tokens."""
    started = time.perf_counter()
    answers = engine.ask(bundle)
    return time.perf_counter() - started, total_usage(answers)


def reading(engine: Engine, text: str, mark: str) -> float:
    """Read a prompt; give tokens per second."""
    question = Choose("q", (Segment("Is it right?"),), ("Yes", "No"))
    seconds, used = timed(engine, Bundle((Segment(f"{mark}\n{text}"),), (question,)))
    return used.prefilled / seconds


def writing(engine: Engine, count: int, mark: str) -> float:
    """Write so many texts side by side; give tokens per second of all of them."""
    story = Segment(
        f"{mark}. A long story about a compiler, a linker and a loader, with every detail.\n", "raw"
    )
    questions = (Generate(str(n), (Segment("Once" + "!" * n, "raw"),), 96) for n in range(count))
    seconds, used = timed(engine, Bundle((story,), tuple(questions)))
    return used.sampled / seconds


def main() -> None:
    """Measure each length and each number of texts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--prompts", nargs="+", type=int, default=(500, 2000, 8000), metavar="TOKENS")
    parser.add_argument("--streams", nargs="+", type=int, default=(1, 8, 32), metavar="COUNT")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    spec = library_from_environment(os.environ).ensure(asked.model)
    plan = plan_for(spec, survey(), want=LoadOptions(n_ctx=max(8192, 2 * max(asked.prompts)), n_seq=32))
    rounds, text = range(asked.rounds), code()
    with open_local(spec, plan) as engine:
        reading(engine, text[:1000], "warm")
        for tokens in asked.prompts:
            found = [reading(engine, text[: 4 * tokens], f"{tokens} {turn}") for turn in rounds]
            print(f"a prompt of about {tokens} tokens: {median(found):.0f} tokens/s", flush=True)
        for count in asked.streams:
            found = [writing(engine, count, f"{count} {turn}") for turn in rounds]
            print(f"texts side by side: {count}: {median(found):.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()

"""What a pull request of some hundred lines costs, by rules alone and with a model.

    python benchmarks/pull.py [--lines N] [--model NAME] [--rounds N]

The pull request is made of the public cases (benchmarks/cases), a file each, until it has so many changed lines.
Seconds go from the text of the diff to the report, in a process that has started. A model is loaded before, and
the cache is not used. Without --model only rules and checks read.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

from hunkwise.engine import Engine, library_from_environment, open_local
from hunkwise.reviewer.app.meters import Meter, Unasked
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.findings.suppressions import NOTHING
from hunkwise.reviewer.judge.pipeline import allowance, carry_out
from hunkwise.reviewer.judge.scope.agenda import agenda
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.types import Review

CASES = Path(__file__).parent / "cases"
FILES = ("change", "slip", "new", "cleanup")


def pull(lines: int) -> tuple[str, dict[str, str]]:
    """Put cases together until there are so many changed lines; give the diff and the files after it."""
    diffs: list[str] = []
    texts: dict[str, str] = {}
    changed = 0
    rows = [
        json.loads(line)
        for name in FILES
        for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    for number, row in enumerate(rows):
        if changed >= lines:
            break
        path = f"part{number}/{row['file_path']}"
        diffs.append(row["diff"].replace(row["file_path"], path))
        texts[path] = row["new_file"]
        changed += sum(
            line[:1] in "+-" and line[:3] not in ("+++", "---") for line in row["diff"].splitlines() if line
        )
    return "".join(diffs), texts


def reviewed(diff: str, texts: dict[str, str], engine: Engine | None) -> Review:
    """Review, without an engine by rules and checks alone."""
    config = Config()
    change = replace(parse_diff(diff.encode()), new_texts=texts)
    left = allowance(config)
    todo = agenda(change, config, left)
    return carry_out(
        todo if engine else replace(todo, asked=(), readable=()),
        config,
        engine or Unasked(),
        guidelines="",
        silence=NOTHING,
        memory=None,
        observer=lambda progress: None,
        time_left=left,
    )


def timed(diff: str, texts: dict[str, str], engine: Engine | None) -> str:
    """Say how long one review took, and what it said."""
    meter = Meter(engine) if engine else None
    started = time.perf_counter()
    made = reviewed(diff, texts, meter)
    renderer("text")(made, View())
    seconds = time.perf_counter() - started
    tokens = f", {meter.usage.prefilled:,} tokens read, {meter.usage.sampled:,} written" if meter else ""
    return f"{seconds:.1f} s: {len(made.findings)} remarks{tokens}"


def main() -> None:
    """Review the pull request again and again, and print what each round took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=400)
    parser.add_argument("--model", default="none")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    diff, texts = pull(given.lines)
    load = os.getloadavg()[0]
    print(f"{given.lines} changed lines in {len(texts)} files; {os.cpu_count()} CPUs, load {load:.1f}")
    if given.model == "none":
        for _ in range(given.rounds):
            print("rules alone:", timed(diff, texts, None))
        return
    with open_local(library_from_environment(os.environ).ensure(given.model)) as engine:
        for _ in range(given.rounds):
            print(f"{given.model}:", timed(diff, texts, engine), flush=True)


if __name__ == "__main__":
    main()

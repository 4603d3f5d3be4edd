"""A project's guidelines: does a model tell code that breaks a rule from code that keeps it, and from other code?

    .venv/bin/python benchmarks/guidelines.py --answers FILE [--model NAME] [--minutes 6]

For each rule of questions/guidelines.json there is code that breaks it, code that keeps it and code that it does
not concern, all made up. Three forms are tried. `asked`: of three statements about the code and the rule, which is
true, each at each place? `centred`: the same, less what is said of the code and other rules of the list.
`likelihood`: how much likelier is a token of the code after its rule than after another one? What was read goes
into FILE, and a second run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any, cast

from hunkwise.engine import Bundle, Choice, Choose, Engine, Score, Scored, Segment
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.meters import Meter
from hunkwise.reviewer.app.progress import Progress, wanted
from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.settings import Config

RULES = Path(__file__).parent / "questions" / "guidelines.json"
KINDS = ("breaks", "keeps", "unrelated")
STATEMENTS = {
    "breaks": "The code breaks the rule",
    "keeps": "The code does what the rule asks",
    "unrelated": "The rule is about other things than this code",
}
LETTERS = ("A", "B", "C")
OTHERS = (1, 5)  # how far down the list the other rules stand

Row = dict[str, Any]


def listed(order: Sequence[str]) -> str:
    """Write the statements in an order, each with its letter."""
    return "".join(f"{letter}: {STATEMENTS[kind]}.\n" for letter, kind in zip(LETTERS, order, strict=True))


def asked(rule: str, code: str, engine: Engine) -> dict[str, float]:
    """Give the mean log-probability of each statement over three orders, in which it stands at each place."""
    shown = (
        Segment("You review code by the rules of its project.", "system"),
        Segment(f"A rule of the project: {rule}\n\nNew code:\n```\n{code}```\n"),
    )
    orders = [KINDS[at:] + KINDS[:at] for at in range(len(KINDS))]
    questions = tuple(
        Choose(
            str(number),
            (Segment(f"Which is true?\n{listed(order)}Answer with the letter."),),
            LETTERS,
        )
        for number, order in enumerate(orders)
    )
    answers = cast("tuple[Choice, ...]", engine.ask(Bundle(shown, questions)))
    of_kind: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for order, answer in zip(orders, answers, strict=True):
        for kind, logprob in zip(order, answer.logprobs, strict=True):
            of_kind[kind].append(logprob)
    return {kind: mean(values) for kind, values in of_kind.items()}


def likelihood(rule: str, other: str, code: str, engine: Engine) -> float:
    """Give how much likelier a token of the code is after its rule than after another one, in nats."""
    found = []
    for each in (rule, other):
        shared = (Segment(f"# The rules of this project:\n# {each}\n", "raw"),)
        (answer,) = cast(
            "tuple[Scored]", engine.ask(Bundle(shared, (Score("code", (Segment("\n", "raw"),), code),)))
        )
        found.append(answer.logprob / max(1, len(answer.tokens)))
    return found[0] - found[1]


def leaning(said: dict[str, float]) -> float:
    """Tell how much likelier it is said that code breaks a rule than that it keeps it, in nats."""
    return said["breaks"] - said["keeps"]


def told(rows: Sequence[Row]) -> None:
    """Print how well each form tells the kinds apart."""
    tokens, seconds = (sum(row[what] for row in rows) for what in ("read", "seconds"))
    print(f"{len(rows) // len(KINDS)} rules, {len(rows)} pieces of code, {tokens} tokens, {seconds:.0f} s")
    scores: dict[str, Callable[[Row], float]] = {
        "asked: breaks against keeps": lambda row: leaning(row["asked"]),
        "asked: breaks against both": lambda row: (
            row["asked"]["breaks"] - max(row["asked"]["keeps"], row["asked"]["unrelated"])
        ),
        "centred: breaks against keeps": lambda row: (
            leaning(row["asked"]) - mean(map(leaning, row["others"]))
        ),
        "likelihood, negative": lambda row: -row["likelihood"],
    }
    for name, score in scores.items():
        of_kind = {kind: [score(row) for row in rows if row["kind"] == kind] for kind in KINDS}
        for other in KINDS[1:]:
            truths = [True] * len(of_kind["breaks"]) + [False] * len(of_kind[other])
            area = metrics.auroc(truths, [*of_kind["breaks"], *of_kind[other]])
            pairs = [a > b for a, b in zip(of_kind["breaks"], of_kind[other], strict=True)]
            right = f"right in {sum(pairs)} of {len(pairs)} rules"
            print(f"{name:30} breaks / {other:10} AUROC {area or 0:.2f}, {right}")
    concerned = [(row["kind"] != "unrelated", row["likelihood"]) for row in rows]
    print(f"likelihood: concerned or not   AUROC {metrics.auroc(*zip(*concerned, strict=True)) or 0:.2f}")
    for kind in KINDS:
        said = [max(KINDS, key=row["asked"].__getitem__) for row in rows if row["kind"] == kind]
        print(f"asked of code that {kind:10}: " + ", ".join(f"{said.count(each)} {each}" for each in KINDS))


def main() -> None:
    """Read on, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--model", default=Config().model)
    parser.add_argument("--minutes", type=float, default=6)
    given = parser.parse_args()
    rules = json.loads(RULES.read_text())
    rows: list[Row] = [json.loads(line) for line in given.answers.open()] if given.answers.exists() else []
    done = {(row["rule"], row["kind"]) for row in rows}
    until = time.monotonic() + 60 * given.minutes
    todo = [(number, kind) for number in range(len(rules)) for kind in KINDS if (number, kind) not in done]
    if todo and given.minutes:
        with (
            Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress,
            given.answers.open("a") as out,
        ):
            engine = open_engine(replace(Config(), model=given.model), surroundings(), progress)
            for number, kind in todo:
                if time.monotonic() > until:
                    break
                meter, start = Meter(engine), time.monotonic()
                code = rules[number][kind]
                others = [rules[(number + far) % len(rules)]["rule"] for far in OTHERS]
                row = {
                    "rule": number,
                    "kind": kind,
                    "asked": asked(rules[number]["rule"], code, meter),
                    "others": [asked(other, code, meter) for other in others],
                    "likelihood": likelihood(rules[number]["rule"], others[0], code, meter),
                    "seconds": time.monotonic() - start,
                    "read": meter.usage.prefilled,
                }
                rows.append(row)
                out.write(f"{json.dumps(row)}\n")
                out.flush()
    whole = {
        number
        for number in range(len(rules))
        if {(row["rule"], row["kind"]) for row in rows} >= {(number, kind) for kind in KINDS}
    }
    told(sorted((row for row in rows if row["rule"] in whole), key=lambda row: (row["kind"], row["rule"])))


if __name__ == "__main__":
    main()

"""Definitions in view: does likelihood tell more where the model has read what a hunk uses?

    .venv/bin/python benchmarks/definitions.py CASES... --answers FILE [--model NAME] [--minutes 6] [--budget 300]

Each hunk is read three times: as a review reads it (`alone`), after the functions, types and constants of its
file that its changed lines name and the lines in view don't show (`definitions`: heads first, then bodies, as many
as fit the budget of tokens), and after as much of what it does not name (`others`): what more text alone does.
The smallest cases come first, until the minutes are over. What was read goes into FILE, and a second run goes on
from there; `--minutes 0` only prints.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.meters import Meter
from hunkwise.reviewer.app.progress import Progress, wanted
from hunkwise.reviewer.bench import calibration, metrics
from hunkwise.reviewer.bench.labelled.cases import Case, read_cases
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.hunk import HunkTask, inquiries, read_with_context
from hunkwise.reviewer.judge.judgement import read_evidence
from hunkwise.reviewer.judge.likelihood.calibration import layer_for
from hunkwise.reviewer.judge.scope.askable import told_of
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.languages.symbols.read import language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Symbol
from hunkwise.reviewer.types import HunkContext

VIEWS = ("alone", "definitions", "others")
DRAWS = 2000  # of cases, for an interval
_WORD = re.compile(r"[^\W\d]\w*")

Row = dict[str, Any]


def in_view(context: HunkContext) -> set[int]:
    """Number the new-side lines that a hunk is read with."""
    shown = {line.new_no for line in context.hunk.lines if line.new_no is not None}
    return shown | {number for number, _ in context.before}


def split(context: HunkContext, text: str) -> tuple[list[Symbol], list[Symbol]]:
    """Give the definitions outside of view that the changed lines name, in the order of use, and the others."""
    told = symbols(language_of(context.file.path), text) if language_of(context.file.path) else None
    shown = in_view(context)
    changed = [line.text for line in context.hunk.lines if line.kind != "context"]
    used = list(dict.fromkeys(name for line in changed for name in _WORD.findall(line)))
    hidden = [each for each in (told.definitions if told else ()) if each.line not in shown]
    named = [each for name in used for each in hidden if each.name == name]
    return named, [each for each in hidden if each.name not in used]


def packed(found: Sequence[Symbol], text: str, count: Callable[[str], int], budget: int) -> str:
    """Put heads, then bodies for as many of them as fit, in the order of the file."""
    lines = text.split("\n")
    whole = {each: "\n".join(lines[each.start - 1 : each.end]) for each in found}
    said: dict[Symbol, str] = {}

    def laid(what: Mapping[Symbol, str]) -> str:
        return "".join(f"{what[each]}\n" for each in sorted(what, key=lambda one: one.at))

    for form in (lambda each: each.head, whole.__getitem__):
        for each in dict.fromkeys(found):
            longer = said | {each: form(each)}
            if (form is not whole.__getitem__ or each in said) and count(laid(longer)) <= budget:
                said = longer
    return laid(said)


def read(case: Case, config: Config, engine: Engine, budget: int) -> Iterator[Row]:
    """Read the hunks of a case in every view; of a hunk that names nothing outside of view nothing is read."""
    change = case.change()
    picked, _ = select(change, config.include, config.exclude)
    told = told_of(change.files, change.text)

    def count(text: str) -> int:
        return engine.measure(prompt.alone(text)).shared

    for pick, task in inquiries(picked, HunkTask(change, config.judging, engine), told):
        context, text = read_with_context(pick, task), change.text(pick.file)
        named, others = split(context, text) if text is not None else ([], [])
        definitions = packed(named, text or "", count, budget)
        row: Row = {"case": case.id, "named": len(named), "tokens": count(definitions), "views": {}}
        if definitions:
            random.Random(case.id).shuffle(others)
            texts = ("", definitions, packed(others, text or "", count, row["tokens"]))
            for name, more in zip(VIEWS, texts, strict=True):
                row["views"][name] = _view(case, context, more, engine)
        yield row


def _view(case: Case, context: HunkContext, more: str, engine: Engine) -> Row:
    meter = Meter(engine)
    start = time.monotonic()
    rows = tuple((0, line) for line in more.split("\n"))
    try:
        found = read_evidence(replace(context, before=(*rows, *context.before)) if more else context, meter)
    except errors.PromptTooLong:
        found = ()
    path, layer = context.file.path, layer_for(engine.card().digest)
    bugs = {number for place in case.places if place.path == path for number in place.lines}
    lines, places = [], []
    for spot in found:
        lines += [(each.line, each.line in bugs, each.surprise) for each in spot.suspects]
        wrong = calibration.label(case, path, spot.lines)
        if wrong is not None and spot.reading.sides.old.code:
            places.append(
                (wrong, layer.probability(spot.features), spot.features["gap"], spot.features["drops"])
            )
    seconds = time.monotonic() - start
    return {"lines": lines, "places": places, "read": meter.usage.prefilled, "seconds": round(seconds, 2)}


def lines_told(rows: Sequence[Row], view: str) -> dict[str, float]:
    """Give, for each case with a bug in what was read, how well its lines are told from the others of the case."""
    of_case: dict[str, list[tuple[bool, float]]] = {}
    for row in rows:
        of_case.setdefault(row["case"], []).extend(
            (bug, surprise) for _, bug, surprise in row["views"][view]["lines"]
        )
    found = {case: metrics.auroc(*zip(*each, strict=True)) for case, each in of_case.items() if each}
    return {case: value for case, value in found.items() if value is not None}


def interval(values: Sequence[float]) -> str:
    """Give the 95 % interval of a mean, by drawing cases."""
    draw = random.Random(3)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(DRAWS))
    return f"{means[DRAWS // 40]:+.2f} to {means[-DRAWS // 40]:+.2f}"


def told(rows: Sequence[Row]) -> None:
    """Print what came of the views, beside each other."""
    both = [row for row in rows if row["views"]]
    print(
        f"{len({row['case'] for row in rows})} cases, {len(rows)} hunks; {len(both)} of "
        f"{len({row['case'] for row in both})} cases name something outside of view"
    )
    alone = lines_told(both, VIEWS[0])
    for view in VIEWS:
        lines = lines_told(both, view)
        gains = [lines[case] - alone[case] for case in lines if case in alone]
        places = [place for row in both for place in row["views"][view]["places"]]
        truths = [place[0] for place in places]
        shown = [metrics.auroc(truths, [place[at] for place in places]) for at in (1, 2, 3)]
        cost = [
            sum(row["views"][view][what] for row in both) / max(1, len(both)) for what in ("read", "seconds")
        ]
        print(
            f"{view:12} lines {mean(lines.values()) if lines else 0:.2f} of {len(lines)} cases"
            f" ({mean(gains) if gains else 0:+.3f}, {interval(gains) if gains else '-'})"
            f"  places {len(places)}, {sum(truths)} wrong: "
            + ", ".join("-" if s is None else f"{s:.2f}" for s in shown)
            + f"  tokens {cost[0]:.0f}, seconds {cost[1]:.1f} a hunk"
        )


def main() -> None:
    """Read on, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--needs", nargs="+", default=())
    asked = parser.parse_args()
    known = [json.loads(line) for line in asked.answers.open()] if asked.answers.exists() else []
    cases = [
        case
        for case in read_cases(asked.files)
        if case.form == "single" and (not asked.needs or case.needs in asked.needs)
    ]
    todo = sorted(
        (case for case in cases if case.id not in {row["case"] for row in known}),
        key=lambda case: (case.changed_lines(), case.id),
    )
    until = time.monotonic() + 60 * asked.minutes
    if todo and asked.minutes:
        config = replace(Config(), model=asked.model)
        with (
            Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress,
            asked.answers.open("a") as out,
        ):
            engine = open_engine(config, surroundings(), progress)
            for case in todo:
                if time.monotonic() > until:
                    break
                rows = list(read(case, config, engine, asked.budget))
                known += rows
                out.writelines(f"{json.dumps(row)}\n" for row in rows)
                out.flush()
    wanted_ids = {case.id for case in cases}
    told([row for row in known if row["case"] in wanted_ids])


if __name__ == "__main__":
    main()

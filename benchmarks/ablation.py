"""Which evidence tells a bug from a clean change: one kind after the other, on the same labelled changes.

    python benchmarks/ablation.py CASES... [--model NAME] [--kinds ltr facts after fim ask] [--control CASES]

Prints, for each set of features, what a layer fitted on it gives in cross-validation by group, and what asking
for it costs. Answers are kept in the response cache, so an interrupted run in the same folder goes on and a
second one is free (its costs then read 0). ltr: the text scored left to right; facts: what can be told without a
model (facts.py), with how often each holds; after: with the six lines after it; fim: between what stands before
and after it; ask: questions in words, which take most of the time. The rows with a star count words and leave
the model out: what they reach comes from how such cases are made, by turning a fix round (docs/quality.md). A
control, harmless and harmful edits of other code (scripts/seed_cases.py), shows it: how much of it each layer
would remark on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from facts import facts

from hunkwise.engine import Bundle, Choice, Choose, Engine, Score, Scored, Segment, TokenScore
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.meters import Meter
from hunkwise.reviewer.app.progress import Progress, wanted
from hunkwise.reviewer.bench import calibration, held
from hunkwise.reviewer.bench.held import Example
from hunkwise.reviewer.bench.labelled.cases import Case, read_cases
from hunkwise.reviewer.bench.spots import spots
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.hunk import Candidate
from hunkwise.reviewer.judge.likelihood import evidence
from hunkwise.reviewer.judge.likelihood.evidence import Word
from hunkwise.reviewer.judge.likelihood.sides import Sides, sides_of
from hunkwise.reviewer.types import HunkContext

Features = dict[str, float]

SHARED_LINES = 2  # unchanged lines that end both middles
AFTER_LINES = 6  # unchanged lines after a block, that may fit its new text worse than the old one

EMPTY = ((None, 0),)  # the lines of a side without one

KINDS = ("ltr", "facts", "after", "fim", "ask")
FACTS = ("unknown", "undefined", "sibling", "reordered", "unreachable")
ASKED = "Is there a mistake in this code? Answer Yes or No.", "Is this code right? Answer Yes or No."
ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("asked about the new code, both polarities", "ask", ("asked",)),
    ("asked about new and old code, difference", "ask", ("differential",)),
    ("left to right: sum of the log-likelihood ratio", "ltr", ("sum",)),
    ("left to right: mean per token", "ltr", ("mean",)),
    ("left to right: first token that differs", "ltr", ("first",)),
    ("left to right: least likely token of either side", "ltr", ("peak",)),
    ("left to right: gap", "ltr", ("gap",)),
    ("left to right: drops", "ltr", ("drops",)),
    ("left to right: gap and drops (shipped)", "ltr", ("gap", "drops")),
    ("  with the first token that differs", "ltr", ("gap", "drops", "first")),
    ("  with the least likely token", "ltr", ("gap", "drops", "peak")),
    ("facts alone *", "facts", FACTS),
    ("  gap, drops and the facts but unknown", "facts", ("gap", "drops", *FACTS[1:])),
    ("  gap, drops and all facts *", "facts", ("gap", "drops", *FACTS)),
    ("the lines after the change alone", "after", ("rest",)),
    ("  with gap and drops", "after", ("gap", "drops", "rest")),
    ("gap, with the lines after the change, and drops", "after", ("whole_gap", "drops")),
    ("  with the difference of asking", "ask", ("gap", "drops", "differential")),
    ("  with length *", "ltr", ("gap", "drops", "longer")),
    ("gap, and drops of any words *", "ltr", ("gap", "counted")),
    ("drops of any words *", "ltr", ("counted",)),
    ("length alone *", "ltr", ("longer",)),
    ("fill in the middle: gap and drops", "fim", ("fim_gap", "fim_drops")),
    ("both: gap and drops of each", "fim", ("gap", "drops", "fim_gap", "fim_drops")),
    ("both: mean of the two", "fim", ("mean_gap", "mean_drops")),
)


def clipped(value: float, limit: float) -> float:
    """Keep a value within -limit..limit."""
    return max(-limit, min(limit, value))


def left_to_right(spot: Candidate) -> Features:
    """Read more off the answers of which the shipped numbers are made."""
    read = spot.reading
    new, old = evidence.changed(read.sides.new, read.new), evidence.changed(read.sides.old, read.old)
    gone, come = (tuple(replace(word, logprob=0.0) for word in words) for words in (read.gone, read.come))
    return {
        **spot.features,
        "sum": clipped(evidence.total(old) - evidence.total(new), 40),
        "mean": mean(old) - mean(new),
        "first": clipped(divergence(old, new), 8),
        "peak": least(read.gone) - least(read.come),
        "longer": clipped(len(read.come) - len(read.gone), 60) / 10,
        "counted": evidence.features(replace(read, gone=gone, come=come))["drops"],
    }


def mean(tokens: Sequence[TokenScore]) -> float:
    """Mean log-probability; 0 of nothing."""
    return evidence.total(tokens) / len(tokens) if tokens else 0.0


def least(words: Sequence[Word]) -> float:
    """Log-probability of the least likely word; 0 of nothing."""
    return min((word.logprob for word in words), default=0.0)


def divergence(old: Sequence[TokenScore], new: Sequence[TokenScore]) -> float:
    """How much likelier the old side's first differing token is than the new side's."""
    pairs = ((a, b) for a, b in zip(old, new, strict=False) if a.text != b.text)
    first = next(pairs, None)
    return first[0].logprob - first[1].logprob if first else 0.0


def following(context: HunkContext, block: range) -> list[str]:
    """Give the lines after a block, other changes taken as made."""
    own = [line.text for line in context.hunk.lines[block.stop :] if line.kind != "removed"]
    return own + [text for _, text in context.after]


def with_lines_after(context: HunkContext, block: range, count: int) -> Sides:
    """Lay out both sides of a block with the same unchanged lines at their ends."""
    read, rest = sides_of(context, block), following(context, block)[:count]
    new, old = (
        replace(
            side,
            text=side.text * bool(lines) + "".join(f"{text}\n" for text in rest),
            lines=(*lines, *((None, None) for _ in rest)),
        )
        for side in (read.new, read.old)
        for lines in [() if side.lines == EMPTY else side.lines]
    )
    return replace(read, new=new, old=old)


def with_the_rest(context: HunkContext, block: range, engine: Engine) -> Features:
    """Score the lines after the change too, if there are any: does the rest still fit?"""
    read = with_lines_after(context, block, AFTER_LINES)
    if not (read.new.text and read.old.text):
        return {"rest": 0.0, "whole_gap": 0.0}
    new, old = cast(
        "tuple[Scored, Scored]", engine.ask(prompt.likelihoods(read.before, read.new.text, read.old.text))
    )
    rest = [
        [token for _, own, token in side.tokens(scored) if not own]
        for side, scored in ((read.new, new), (read.old, old))
    ]
    difference = evidence.total(rest[1]) - evidence.total(rest[0]) if len(rest[0]) == len(rest[1]) else 0.0
    whole = evidence.features(evidence.reading(read, new, old))["gap"]
    return {"rest": clipped(difference, 5), "whole_gap": whole}


def in_the_middle(context: HunkContext, block: range, engine: Engine) -> Features:
    """Score both sides between the lines before and those after them, as the model was trained to fill in.

    Both middles end with the two lines that follow, so that a side without a line has a text too.
    """
    suffix = (
        "".join(f"{text}\n" for text in following(context, block)[SHARED_LINES : SHARED_LINES + 12]) or "\n"
    )
    read = with_lines_after(context, block, SHARED_LINES)
    shared = (Segment(read.before, "raw", "fim_prefix"), Segment(suffix, "raw", "fim_suffix"))
    question = (Segment("", "raw", "fim_middle"),)
    if not (read.new.text and read.old.text):
        return {"fim_gap": 0.0, "fim_drops": 0.0}
    asked = (Score("new", question, read.new.text), Score("old", question, read.old.text))
    new, old = cast("tuple[Scored, Scored]", engine.ask(Bundle(shared, asked)))
    found = evidence.features(evidence.reading(read, new, old))
    return {"fim_gap": found["gap"], "fim_drops": found["drops"]}


def asked_in_words(read: Sides, engine: Engine) -> Features:
    """Ask whether the code is wrong, in both polarities, after and before the change; in log-odds."""
    odds = []
    for side in (read.new, read.old):
        code = Segment(f"```\n{read.before}{side.text}```\n")
        system = Segment("You are a careful code reviewer.", "system")
        questions = tuple(Choose(str(n), (Segment(text),), prompt.YES_NO) for n, text in enumerate(ASKED))
        wrong, right = cast("tuple[Choice, Choice]", engine.ask(Bundle((system, code), questions)))
        odds.append((log_odds(wrong) - log_odds(right)) / 2)
    return {"asked": odds[0], "differential": odds[0] - odds[1]}


def log_odds(choice: Choice) -> float:
    """Log-odds of Yes."""
    return clipped(choice.logprobs[0] - choice.logprobs[1], 12)


class Bench:
    """Gathers evidence of one kind after the other and keeps count of what each cost."""

    def __init__(self, config: Config, engine: Engine, kinds: Sequence[str]) -> None:
        self._config = config
        self._meters = {kind: Meter(engine) for kind in kinds}

    def gather(self, case: Case) -> list[Example]:
        """Read all evidence of the labelled blocks of a case."""
        examples = []
        for context, spot in spots(case.change(), self._config, self._meters["ltr"]):
            wrong = calibration.label(case, context.file.path, spot.lines)
            if wrong is not None:
                found = self._read(context, spot)
                if "facts" in self._meters:
                    lines = context.hunk.lines[spot.block.start : spot.block.stop]
                    text = case.texts.get(context.file.path, "")
                    found = {**found, **facts(lines, text, context.codes)}
                examples.append(Example(case.id, case.group or case.id, wrong, found))
        return examples

    def _read(self, context: HunkContext, spot: Candidate) -> Mapping[str, float]:
        found = left_to_right(spot)
        if "after" in self._meters:
            found |= with_the_rest(context, spot.block, self._meters["after"])
        if "fim" in self._meters:
            found |= in_the_middle(context, spot.block, self._meters["fim"])
            for name in ("gap", "drops"):
                found[f"mean_{name}"] = (found[name] + found[f"fim_{name}"]) / 2
        return (
            found | asked_in_words(spot.reading.sides, self._meters["ask"])
            if "ask" in self._meters
            else found
        )

    def computed(self, kind: str) -> int:
        """Tokens computed for a kind of evidence; fill-in-the-middle rows read left to right as well."""
        meter = self._meters[kind]
        return meter.usage.prefilled + meter.usage.sampled


def line(name: str, cases: Sequence[Case], found: Gathered, weighed: tuple[str, ...]) -> str:
    """Fit and judge one set of features."""
    scores = dict.fromkeys((case.id for case in cases), 0.0)
    scores |= calibration.cross_validate(found.examples, weighed=weighed)
    notes = held.report(cases, scores)
    known = [case for case in cases if case.id in scores]
    real, textbook = ([case for case in known if case.synthetic is kind] for kind in (False, True))
    apart = [held.report(chosen, scores)["auroc"] if chosen else None for chosen in (real, textbook)]
    cells = [shown(value, 7, ".2f") for value in (notes["auroc"], *apart)]
    cells += [shown(notes[share], 7, ".0%") for share in ("false_alarm_rate", "recall", "pair_score")]
    cells.append(shown(notes["ece"], 6, ".2f"))
    if found.controls:
        layer = calibration.fit(found.examples, weighed)
        highest = {case.id: 0.0 for case in found.controls}
        for each in found.of_controls:
            highest[each.case] = max(highest[each.case], layer.probability(each.features))
        for kind in (False, True):
            said = [highest[case.id] >= notes["threshold"] for case in found.controls if case.buggy is kind]
            cells.append(shown(sum(said) / len(said) if said else None, 9, ".0%"))
    return f"{name:48}{''.join(cells)}"


def share(fact: str, wrong: bool, examples: Sequence[Example]) -> str:
    """Count the cases in which a fact holds."""
    cases = {example.case for example in examples if example.wrong is wrong}
    holding = {example.case for example in examples if example.wrong is wrong and example.features[fact]}
    return f"{len(holding)} of {len(cases)}"


def shown(value: float | None, width: int, form: str) -> str:
    """Write a number that the cases allow, and a dash for one that they don't."""
    return f"{'-' if value is None else format(value, form):>{width}}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence of the labelled cases, which layers are fitted to, and of the control, which they are not."""

    examples: Sequence[Example]
    controls: Sequence[Case]
    of_controls: Sequence[Example]


def main() -> None:
    """Gather, then print a line for each set of features."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default=Config().model)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS[:1])
    parser.add_argument("--control", nargs="+", type=Path, default=())
    asked = parser.parse_args()
    config = replace(Config(), model=asked.model)
    cases, control = (
        [case for case in read_cases(files) if case.form == "single"] if files else []
        for files in (asked.files, asked.control)
    )
    with Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress:
        engine = open_engine(config, surroundings(), progress)
        kinds = tuple(kind for kind in KINDS if kind in asked.kinds or kind == "ltr")
        bench = Bench(config, engine, kinds)

        def gather(chosen: Sequence[Case]) -> list[Example]:
            examples: list[Example] = []
            for number, case in enumerate(chosen):
                progress("cases read:", number, len(chosen), case.id)
                examples += bench.gather(case)
            return examples

        found = Gathered(gather(cases), control, gather(control))
    print(f"{engine.card().model}, {len(cases)} cases; at the least bar with at most 10 % false alarms")
    print("tokens computed: " + ", ".join(f"{kind} {bench.computed(kind)}" for kind in kinds))
    head = (
        f"{'evidence':48}{'AUROC':>7}{'real':>7}{'text':>7}{'alarms':>7}{'recall':>7}{'pairs':>7}{'ECE':>6}"
    )
    print(head + (f"{'harmless':>9}{'defects':>9}   of {len(control)} controls" if control else ""))
    for name, kind, weighed in ROWS:
        if kind in kinds:
            print(line(name, cases, found, weighed))
    if "facts" in kinds:
        held = {"bugs": (True, found.examples), "clean": (False, found.examples)}
        held |= {"defects": (True, found.of_controls), "harmless": (False, found.of_controls)}
        for fact in FACTS:
            print(f"{fact}: " + ", ".join(f"{share(fact, *each)} {name}" for name, each in held.items()))


if __name__ == "__main__":
    main()

"""Questions over five projects: is the right passage found, is what nobody wrote refused, and what is said?

    .venv/bin/python benchmarks/ask.py --project hunkwise=. --project webhook=DIR --project starlette=DIR \
        --project werkzeug=DIR --project dehydrated=DIR --model qwen2.5-coder:1.5b --answers FILE --minutes 5

Each folder is a clone that has the commit of questions/questions.json; it is read at that commit. `--no-model`
goes by words alone, `--fit` prints the layer that the calibration half gives. What a model says goes into FILE,
for reading by hand; what stands there already is not asked again, so that portions of some minutes add up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hunkwise.engine import Engine
from hunkwise.reviewer.answering import choosing, evidence, writing
from hunkwise.reviewer.answering.answer import LEAST_GAIN, WEIGHED
from hunkwise.reviewer.answering.types import Offer, Weighed
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.telling import index as indexing
from hunkwise.reviewer.app.telling.ask import PASSAGES
from hunkwise.reviewer.bench.calibration import Fit, fit
from hunkwise.reviewer.bench.held import Example
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.knowledge import fused
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.knowledge.store.index import Index

QUESTIONS = Path(__file__).parent / "questions" / "questions.json"
PLACES = (1, 3, 5, 10)
FOUND = "words, by the best line too (what ask does)"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set."""

    project: str
    half: str
    question: str
    answered_at: tuple[tuple[str, int], ...]

    def right(self, passage: Passage) -> bool:
        """Tell whether a passage holds a line that answers it."""
        return any(
            passage.path == path and passage.start <= line <= passage.end for path, line in self.answered_at
        )


def read_questions() -> tuple[dict[str, dict[str, str]], list[Asked]]:
    """Read the set."""
    told = json.loads(QUESTIONS.read_text("utf-8"))
    rows = []
    for row in told["questions"]:
        places = tuple(
            (path, int(line)) for path, _, line in (at.rpartition(":") for at in row["answered_at"])
        )
        rows.append(Asked(row["project"], row["half"], row["question"], places))
    return told["projects"], rows


def indexed(name: str, clone: Path, commit: str, work: Path) -> Index:
    """Index a project as it was at a commit."""
    folder = work / f"{name}-{commit[:12]}"
    variables = {**os.environ, "HUNKWISE_CACHE": str(work / "cache")}
    environment = Environment(
        variables, folder, lambda sentence: print(f"{name}: {sentence}", file=sys.stderr)
    )
    if not folder.exists():  # no archive: that leaves out what a project does not ship, its documents first
        subprocess.run(["git", "clone", "-q", "--no-checkout", "--shared", clone, folder], check=True)
        subprocess.run(["git", "-C", folder, "checkout", "-q", "--detach", commit], check=True)
    indexing.index([], environment)
    return indexing.open_index(folder, environment)


Rank = Callable[[Asked], Sequence[Passage]]


def rankings(indexes: dict[str, Index]) -> dict[str, Rank]:
    """Name the ways to rank passages."""
    return {
        "words, as the index ranks them": lambda asked: _passages(
            indexes[asked.project].search(asked.question, 30)
        ),
        FOUND: lambda asked: _passages(fused.search(indexes[asked.project], asked.question, 30)),
    }


def _passages(hits: Sequence[Hit]) -> list[Passage]:
    return [hit.passage for hit in hits]


def table(name: str, places: Sequence[int | None]) -> str:
    """Say how many right passages stand among the first."""
    shares = [sum(place is not None and place <= most for place in places) / len(places) for most in PLACES]
    return f"| {name} | " + " | ".join(f"{share:.0%}" for share in shares) + " |"


def place_of(asked: Asked, passages: Sequence[Passage]) -> int | None:
    """Give the place of the first passage that answers."""
    return next((place for place, passage in enumerate(passages, 1) if asked.right(passage)), None)


@dataclass(frozen=True, slots=True)
class Row:
    """What words make of a question: its first passages, and the probability that they answer it."""

    asked: Asked
    weighed: tuple[Weighed, ...]

    @property
    def features(self) -> dict[str, float]:
        """The features of the layer."""
        return {"shared": evidence.most_shared(self.weighed)}

    def example(self) -> Example:
        """Make it an example to fit by: is it answered?"""
        return Example(
            self.asked.question, self.asked.question, bool(self.asked.answered_at), self.features, False
        )


def decided(rows: Sequence[Row], probability: Callable[[Row], float]) -> str:
    """Count what is answered and what is refused."""
    answered = [probability(row) >= evidence.BAR for row in rows if row.asked.answered_at]
    refused = [probability(row) < evidence.BAR for row in rows if not row.asked.answered_at]
    return (
        f"answerable answered {sum(answered)} of {len(answered)} ({sum(answered) / len(answered):.0%}), "
        f"unanswerable refused {sum(refused)} of {len(refused)} ({sum(refused) / len(refused):.0%})"
    )


def decide(rows: Sequence[Row], again: bool) -> None:
    """Print what the shipped layer decides, and what one would that is fitted anew to the calibration half.

    It counts both kinds of questions alike, however many there are of each.
    """
    halves = {name: [row for row in rows if row.asked.half == name] for name in ("calibration", "figures")}
    for half, some in halves.items():
        if not some:
            continue
        print(f"shipped layer, {half} half: {decided(some, lambda row: evidence.probability(row.weighed))}")
    if again:
        made = fitted(halves["calibration"])
        print(f"fitted: {json.dumps(asdict(made))}")
        print(f"  figures half: {decided(halves['figures'], lambda row: made.probability(row.features))}")
        crossed: dict[Row, float] = {}
        for project in dict.fromkeys(row.asked.project for row in rows):
            of_others = fitted([row for row in rows if row.asked.project != project])
            held = (row for row in rows if row.asked.project == project)
            crossed.update((row, of_others.probability(row.features)) for row in held)
        print(f"fitted to all projects but one, counted on that: {decided(rows, crossed.__getitem__)}")


def fitted(rows: Sequence[Row]) -> Fit:
    """Fit a layer in which both kinds of questions count alike."""
    examples = [row.example() for row in rows]
    right = sum(example.wrong for example in examples)  # of these layers "wrong" is: the answer is there
    made = fit(examples, ("shared",))
    return replace(made, intercept=made.intercept - math.log(right / (len(examples) - right)))


def offers_table(rows: Sequence[Row]) -> str:
    """Say how often a quote that is the answer is among the first that words offer."""
    places = [
        next((at for at, offer in enumerate(offers(row), 1) if is_right(row.asked, offer)), None)
        for row in rows
    ]
    shares = (
        sum(place is not None and place <= most for place in places) for most in range(1, choosing.MOST + 1)
    )
    return f"the right quote is among the first: {', '.join(map(str, shares))} of {len(rows)}"


def offers(row: Row) -> tuple[Offer, ...]:
    """Give the quotes that words offer."""
    return choosing.offered(row.asked.question, [each.passage for each in row.weighed])


def is_right(asked: Asked, offer: Offer) -> bool:
    """Tell whether a quote holds a line that answers."""
    return asked.right(replace(offer.passage, start=offer.quote.start, end=offer.quote.end))


def say_all(engine: Engine, rows: Sequence[Row], target: Path, until: float, says: bool) -> None:
    """Have each question answered that is not in a file yet, in an order of no meaning, while there is time."""
    told: dict[str, Any] = json.loads(target.read_text("utf-8")) if target.exists() else {}
    wanted = [row for row in rows if evidence.probability(row.weighed) >= evidence.BAR]
    for row in sorted(wanted, key=lambda row: hashlib.sha256(row.asked.question.encode()).hexdigest()):
        known = told.get(row.asked.question)
        if (known and (not says or "written" in known)) or time.monotonic() > until:
            continue
        began = time.monotonic()
        order = choosing.chosen(engine, row.asked.question, offers(row))
        entry: dict[str, Any] = {
            "answerable": bool(row.asked.answered_at), "right": is_right(row.asked, order[0]),
            "offers": [
                {"text": each.quote.text, "score": round(each.score, 3), "gain": round(each.gain, 3),
                 "right": is_right(row.asked, each)} for each in order
            ],
        }  # fmt: skip
        if says:
            written = writing.write(engine, row.asked.question, order[0], "English")
            entry |= {"said": writing.said(written).text, "written": asdict(written)}
        told[row.asked.question] = entry | {"seconds": round(time.monotonic() - began, 1)}
        target.write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")
        print(f"\r{len(told)} of {len(wanted)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if all(row.asked.question in told for row in wanted):
        best = {name: max(offer["gain"] for offer in each["offers"]) for name, each in told.items()}
        print(decided(rows, lambda row: float(best.get(row.asked.question, 0.0) >= LEAST_GAIN)))
    count = [each for each in told.values() if each["answerable"]]
    by_words = sum(max(each["offers"], key=lambda offer: offer["score"])["right"] for each in count)
    said = [each["written"]["fault"] for each in told.values() if "written" in each]
    print(
        f"{len(told)} of {len(wanted)} answered questions; of {len(count)} answerable ones the quote is right in"
        f" {sum(each['right'] for each in count)} (by words alone {by_words}); of {len(said)} sentences"
        f" {said.count('')} are the model's own; "
        f"{sum(each['seconds'] for each in told.values()) / max(1, len(told)):.0f} s each"
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", action="append", default=[], metavar="NAME=CLONE", required=True)
    parser.add_argument("--model", default="qwen2.5-coder:1.5b")
    parser.add_argument("--work", type=Path, default=Path("~/.cache/hunkwise-benchmarks/ask").expanduser())
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--minutes", type=float, default=1e9, help="ask no further question after that")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument(
        "--choose-only", action="store_true", help="have quotes chosen, and no sentence written"
    )
    parser.add_argument("--answers", type=Path, default=Path("answers.json"))
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    clones = dict(each.split("=", 1) for each in given.project)
    projects, questions = read_questions()
    questions = [asked for asked in questions if asked.project in clones]
    given.work.mkdir(parents=True, exist_ok=True)
    indexes = {
        name: indexed(name, Path(clones[name]), row["commit"], given.work)
        for name, row in projects.items() if name in clones
    }  # fmt: skip
    answerable = [asked for asked in questions if asked.answered_at]
    ways = rankings(indexes)
    rows = [row_of(indexes[asked.project], asked) for asked in questions]
    if given.no_model:
        print(f"| ranking ({len(answerable)}) | " + " | ".join(f"among {most}" for most in PLACES) + " |")
        for name, rank in ways.items():
            print(table(name, [place_of(asked, rank(asked)) for asked in answerable]))
        print(offers_table([row for row in rows if row.asked.answered_at]))
        decide(rows, given.fit)
    else:
        variables = {**os.environ, "HUNKWISE_CACHE": str(given.work / "answers")}
        environment = Environment(variables, given.work, lambda sentence: None)
        config = replace(Config(), model=given.model, offline=True)
        with closing(open_engine(config, environment, Progress(sys.stderr, enabled=False))) as engine:
            say_all(engine, rows, given.answers, until, not given.choose_only)
    for index in indexes.values():
        index.close()
    return 0


def row_of(index: Index, asked: Asked) -> Row:
    """Weigh the first passages, as `ask` does."""
    hits = fused.search(index, asked.question, PASSAGES)
    missing = fused.unwritten(index, asked.question, hits)
    return Row(asked, evidence.weigh(asked.question, hits[:WEIGHED], missing))


if __name__ == "__main__":
    sys.exit(main())

"""Questions over five projects: is the right passage found, is what nobody wrote refused, and what is said?

    .venv/bin/python benchmarks/ask.py --project hunkwise=. --project webhook=DIR --project starlette=DIR \
        --model qwen2.5-coder:1.5b

Each folder is a clone that has the commit of questions/questions.json; it is read at that commit. `--no-model`
goes by words alone, `--fit` prints the layer that the calibration half gives, `--answers FILE` writes each answer
for reading by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from hunkwise.engine import Engine
from hunkwise.reviewer.answering import evidence, writing
from hunkwise.reviewer.answering.answer import WEIGHED
from hunkwise.reviewer.answering.types import Weighed
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.telling import index as indexing
from hunkwise.reviewer.bench.calibration import Fit, fit
from hunkwise.reviewer.bench.held import Example
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.knowledge import fused
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.knowledge.store.index import Index

QUESTIONS = Path(__file__).parent / "questions" / "questions.json"
FEATURES = ("gain", "yes", "shared")
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
    if not folder.exists():
        archive = subprocess.run(["git", "-C", clone, "archive", commit], capture_output=True, check=True)
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
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
    """What a model made of a question."""

    asked: Asked
    weighed: tuple[Weighed, ...]
    seconds: float

    @property
    def features(self) -> dict[str, float]:
        """The features of the layer."""
        return evidence.features(self.weighed)

    def example(self) -> Example:
        """Make it an example to fit by: is it answered?"""
        return Example(
            self.asked.question, self.asked.question, bool(self.asked.answered_at), self.features, False
        )


def weigh_all(
    engine: Engine, questions: Sequence[Asked], rank: Rank, weighed: int, until: float
) -> Iterator[Row]:
    """Have the model weigh the passages of each question, in an order that favours none, while there is time."""
    for number, asked in enumerate(sorted(questions, key=_shuffled), 1):
        began = time.monotonic()
        if began > until:
            break
        hits = [Hit(passage, 0.0) for passage in list(rank(asked))[:weighed]]
        yield Row(asked, evidence.weigh(engine, asked.question, hits), time.monotonic() - began)
        print(f"\r{number} of {len(questions)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _shuffled(asked: Asked) -> str:
    return hashlib.sha256(asked.question.encode()).hexdigest()


def decided(rows: Sequence[Row], layer: Fit | evidence.Layer) -> str:
    """Count what is answered and what is refused."""
    answered = [layer.probability(row.features) >= evidence.BAR for row in rows if row.asked.answered_at]
    refused = [layer.probability(row.features) < evidence.BAR for row in rows if not row.asked.answered_at]
    return (
        f"answerable answered {sum(answered)} of {len(answered)} ({sum(answered) / len(answered):.0%}), "
        f"unanswerable refused {sum(refused)} of {len(refused)} ({sum(refused) / len(refused):.0%})"
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
    parser.add_argument("--weighed", type=int, default=WEIGHED, help="passages that the model weighs")
    parser.add_argument("--minutes", type=float, default=1e9, help="ask no further question after that")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--answers", type=Path)
    given = parser.parse_args()
    clones = dict(each.split("=", 1) for each in given.project)
    projects, questions = read_questions()
    questions = [asked for asked in questions if asked.project in clones]
    given.work.mkdir(parents=True, exist_ok=True)
    indexes = {
        name: indexed(name, Path(clones[name]), row["commit"], given.work)
        for name, row in projects.items() if name in clones
    }  # fmt: skip
    answerable = [asked for asked in questions if asked.answered_at]
    print(
        f"| ranking ({len(answerable)} questions) | " + " | ".join(f"among {most}" for most in PLACES) + " |"
    )
    ways = rankings(indexes)
    for name, rank in ways.items():
        print(table(name, [place_of(asked, rank(asked)) for asked in answerable]))
    if given.no_model:
        rank = ways[FOUND]
        found = {
            asked: [Hit(passage, 0.0) for passage in rank(asked)[: given.weighed]] for asked in questions
        }
        rows = [
            Row(asked, evidence.weigh_by_words(asked.question, hits), 0.0) for asked, hits in found.items()
        ]
        decide(rows, evidence.layer_for(""), (("shared",),) if given.fit else ())
    else:
        _model(given, questions, ways[FOUND])
    for index in indexes.values():
        index.close()
    return 0


def decide(rows: Sequence[Row], layer: evidence.Layer, fits: Sequence[Sequence[str]]) -> None:
    """Print what the shipped layer decides, and what layers would that are fitted to the calibration half.

    They count both kinds of questions alike, however many there are of each.
    """
    halves = {name: [row for row in rows if row.asked.half == name] for name in ("calibration", "figures")}
    for half, some in halves.items():
        print(f"shipped layer, {half} half: {decided(some, layer)}")
    for names in fits:
        examples = [row.example() for row in halves["calibration"]]
        right = sum(example.wrong for example in examples)  # of these layers "wrong" is: the answer is there
        made = fit(examples, names)
        made = replace(made, intercept=made.intercept - math.log(right / (len(examples) - right)))
        print(f"fitted on {', '.join(names)}: {json.dumps(asdict(made))}")
        for half, some in halves.items():
            print(f"  {half} half: {decided(some, made)}")


def _model(given: Any, questions: Sequence[Asked], rank: Rank) -> None:
    environment = Environment(
        {**os.environ, "HUNKWISE_CACHE": str(given.work / "answers")}, given.work, lambda sentence: None
    )
    config = replace(Config(), model=given.model, offline=True)
    with closing(open_engine(config, environment, Progress(sys.stderr, enabled=False))) as engine:
        rows = list(weigh_all(engine, questions, rank, given.weighed, time.monotonic() + 60 * given.minutes))
        print(f"{len(rows)} of {len(questions)} questions")
        answerable = [row for row in rows if row.asked.answered_at]
        ordered = [place_of(row.asked, [each.passage for each in row.weighed]) for row in answerable]
        print(table(f"the first {given.weighed}, put in order by {given.model}", ordered))
        layer = evidence.layer_for(engine.card().digest)
        decide(rows, layer, (FEATURES, ("gain",), ("yes",), ("shared",)) if given.fit else ())
        seconds = sorted(row.seconds for row in rows)
        print(f"seconds to weigh: median {seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}")
        if given.answers:
            _write(given.answers, engine, rows, layer)


def _write(target: Path, engine: Engine, rows: Sequence[Row], layer: evidence.Layer) -> None:
    """Write what is said to each question that is thought to be answered."""
    told = []
    for row in rows:
        probability = layer.probability(row.features)
        entry: dict[str, Any] = {
            "question": row.asked.question, "half": row.asked.half, "answerable": bool(row.asked.answered_at),
            "probability": round(probability, 3), "features": {k: round(v, 3) for k, v in row.features.items()},
            "first": f"{row.weighed[0].passage.path}:{row.weighed[0].passage.start}",
            "right": row.asked.right(row.weighed[0].passage),
        }  # fmt: skip
        if probability >= evidence.BAR:
            began = time.monotonic()
            written = writing.write(engine, row.asked.question, row.weighed[0].passage, "English")
            entry["written"] = asdict(written) if written else None
            entry["seconds"] = round(row.seconds + time.monotonic() - began, 1)
        told.append(entry)
        target.write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")
    said = [entry["seconds"] for entry in told if "seconds" in entry]
    print(f"{len(said)} answers, {sum(said) / max(1, len(said)):.1f} s each, in {target}")


if __name__ == "__main__":
    sys.exit(main())

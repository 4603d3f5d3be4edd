"""Measuring what a model can be asked: each typed question on labelled changes, by group and family."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked.competence import ALL, Figures
from hunkwise.reviewer.judge.asked.questions import Question, family_of, questions
from hunkwise.reviewer.judge.asked.typed import hear, seen
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.languages.prose import is_prose

DRAWS = 400  # of groups, for an interval


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question gave at a place: the log-odds of its wrong statement, and whether there is a bug.

    `pair` names the bug that the place belongs to, in its wrong and its right version.
    """

    question: str
    family: str
    group: str
    pair: str
    wrong: bool
    odds: float


def gather(case: Case, config: Config, engine: Engine) -> tuple[Asked, ...]:
    """Ask what has a place in a case, as much as it may cost. A place beside the bug counts as right.

    Another question is the first one in each group, so that all get their turn.
    """
    change, among = case.change(), _turned(questions(), case.group or case.id)
    picked, _ = select(change, config.include, config.exclude)
    found = []
    for pick in picked:
        path = pick.file.path
        if is_prose(path) or not family_of(path):
            continue
        try:
            context = seen(pick, change, engine, config.judging)
            heard = hear(context, prompt.view(context), among, engine)
        except errors.PromptTooLong:
            continue
        for each in heard:
            wrong = any(
                place.path == path and metrics.near(each.due.line, place.lines) for place in case.places
            )
            found.append(
                Asked(
                    each.due.id,
                    family_of(path),
                    case.group or case.id,
                    case.pair_of or case.id,
                    bool(case.buggy) and wrong,
                    round(each.odds, 4),
                )
            )
    return tuple(found)


def key_of(engine: Engine, config: Config) -> str:
    """Name all that decides what a model answers to the questions: of another one a journal does not go on."""
    asked = hashlib.sha256(repr(questions()).encode()).hexdigest()[:16]
    how = (config.context_tokens, config.effort, config.language)
    return f"{engine.card().digest} {prompt.prompt_digest()} {asked} {how}"


def _turned(among: Sequence[Question], group: str) -> tuple[Question, ...]:
    first = zlib.crc32(group.encode("utf-8", "surrogateescape")) % len(among)
    return (*among[first:], *among[:first])


def gathered(
    cases: Sequence[Case], config: Config, engine: Engine, journal: Path | None
) -> Iterator[tuple[Asked, ...]]:
    """Ask of the cases in order; what a journal has is taken from it. Raises UsageError for another model's."""
    key = f"questions {key_of(engine, config)}"
    known = _read(journal, key) if journal and journal.exists() else {}
    for case in cases:
        found = known.get(case.id)
        if found is None:
            found = gather(case, config, engine)
            if journal:
                with journal.open("a", encoding="utf-8") as file:
                    row = {"key": key, "case": case.id, "asked": [asdict(each) for each in found]}
                    file.write(json.dumps(row) + "\n")
        yield found


def _read(journal: Path, key: str) -> dict[str, tuple[Asked, ...]]:
    found: dict[str, tuple[Asked, ...]] = {}
    for line in journal.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
            other, asked = row["key"], tuple(Asked(**each) for each in row["asked"])
        except (ValueError, TypeError, KeyError):
            continue
        if other != key:
            raise UsageError(f"{journal} belongs to another model or prompt; delete it or name another file")
        found[row["case"]] = asked
    return found


def measured(asked: Sequence[Asked]) -> dict[str, dict[str, Figures]]:
    """Measure each question, of all code and by family of languages."""
    found: dict[str, dict[str, Figures]] = {}
    for name in sorted({each.question for each in asked}):
        own = [each for each in asked if each.question == name]
        families = sorted({each.family for each in own})
        found[name] = {ALL: figures(own)}
        found[name] |= {
            family: figures([each for each in own if each.family == family]) for family in families
        }
    return found


def figures(asked: Sequence[Asked]) -> Figures:
    """Measure what one question gave; the interval is that of drawing whole groups anew (Efron 1979)."""
    truths, odds = [each.wrong for each in asked], [each.odds for each in asked]
    area = metrics.auroc(truths, odds)
    drawn = sorted(_drawn(asked)) if area is not None else []
    told = _pairs(asked)
    low, high = (drawn[len(drawn) * 25 // 1000], drawn[len(drawn) * 975 // 1000]) if drawn else (None, None)
    return Figures(
        defects=sum(truths),
        others=len(truths) - sum(truths),
        auroc=_rounded(area),
        low=_rounded(low),
        high=_rounded(high),
        pairs=len(told),
        told=sum(told),
        said=sum(each.odds > 0 for each in asked),
        right=sum(each.odds > 0 and each.wrong for each in asked),
    )


def _drawn(asked: Sequence[Asked]) -> Iterator[float]:
    groups: dict[str, list[Asked]] = {}
    for each in asked:
        groups.setdefault(each.group, []).append(each)
    draw, members = random.Random(0), list(groups.values())  # noqa: S311 - drawn the same every time
    for _ in range(DRAWS):
        chosen = [each for group in draw.choices(members, k=len(members)) for each in group]
        area = metrics.auroc([each.wrong for each in chosen], [each.odds for each in chosen])
        if area is not None:
            yield area


def _pairs(asked: Sequence[Asked]) -> list[bool]:
    """Tell of each bug with a right version beside it whether the wrong one had the higher odds."""
    wrong: dict[str, float] = {}
    right: dict[str, float] = {}
    for each in asked:
        side = wrong if each.wrong else right
        side[each.pair] = max(side.get(each.pair, each.odds), each.odds)
    return [wrong[pair] > right[pair] for pair in sorted(wrong.keys() & right.keys())]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

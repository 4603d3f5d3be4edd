"""Reviewing labelled cases one by one, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from hunkwise.engine import Engine
from hunkwise.reviewer.app.meters import Meter, Unasked
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.bench.spots import Suspected, suspected_lines
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.pipeline import allowance, carry_out, severities
from hunkwise.reviewer.judge.scope.agenda import Agenda, agenda
from hunkwise.reviewer.linters.analyzers import Voices, analyze
from hunkwise.reviewer.linters.claims import UNHEARD, Analysis
from hunkwise.reviewer.linters.remarks import Choice
from hunkwise.reviewer.linters.tools.programs import folders
from hunkwise.reviewer.linters.tools.workshop import Workshop
from hunkwise.reviewer.types import Finding


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark as the measures need it. `said` is False for a candidate that missed the bar.

    `witness` is what speaks for it (rule, likelihood, a tool by its name), `rule` the rule of that one.
    """

    path: str
    line: int
    confidence: float
    title: str
    said: bool = True
    witness: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one case. `score` is the highest confidence of any candidate, said or not (0 if none).

    `lines` are the most suspicious ones of each file, best first, where the method ranks lines; `changed` counts
    the lines that the change adds and removes.
    """

    id: str
    score: float
    remarks: tuple[Remark, ...]
    seconds: float
    prefilled: int
    reused: int
    sampled: int
    calls: int
    incomplete: bool = False
    lines: tuple[Suspected, ...] = ()
    changed: int = 0

    @property
    def alarm(self) -> bool:
        """True if anything was said."""
        return any(remark.said for remark in self.remarks)


Method = Callable[[Case, Engine], tuple[tuple[Remark, ...], bool]]
"""A way of reviewing: remarks (candidates included), and whether something could not be reviewed."""

Ranking = Callable[[Case, Engine], tuple[Suspected, ...]]
"""A way of ranking single lines. What it costs is no cost of the review."""


def ours(config: Config, variables: Mapping[str, str] | None = None, *, asking: bool = True) -> Method:
    """Give the product's own way as a method; without `asking` what it says where no model is asked.

    `variables` say where analyzers are found.
    """

    def reviewed(case: Case, engine: Engine) -> tuple[tuple[Remark, ...], bool]:
        left = allowance(config)
        todo = agenda(case.change(), config, left, modelled=asking)
        done = carry_out(
            todo,
            config,
            engine if asking else Unasked(),
            guidelines="",
            memory=None,
            observer=lambda progress: None,
            analysis=_heard(todo, config, Workshop(folders(variables or {}), time_left=left)),
            time_left=left,
        )
        return remarks_of(done.findings, (drop.finding for drop in done.rejected)), not done.complete

    return reviewed


def _heard(todo: Agenda, config: Config, shop: Workshop) -> Analysis:
    """Give what the analyzers of the settings say of a labelled change."""
    if "none" in config.analyzers:
        return UNHEARD
    return analyze(
        todo.open_to_others,
        todo.change.text,
        Voices(Path(), (), config.analyzers, shop),
        Choice(config.disabled_rules, severities(config), config.categories),
    )


def remarks_of(said: Iterable[Finding], unsaid: Iterable[Finding]) -> tuple[Remark, ...]:
    """Make remarks of findings that are said, and of those that are not."""
    return (
        *(_remark(found, said=True) for found in said),
        *(_remark(found, said=False) for found in unsaid),
    )


def _remark(found: Finding, *, said: bool) -> Remark:
    witness = found.witnesses[0].name if found.witnesses else "check"
    return Remark(
        found.path, found.start_line, found.confidence, found.title, said, witness, found.source.rule
    )


def our_ranking(config: Config) -> Ranking:
    """Rank lines by the evidence that the product's own way goes by."""
    return lambda case, engine: suspected_lines(case.change(), config, engine)


def unranked(case: Case, engine: Engine) -> tuple[Suspected, ...]:
    """Rank nothing."""
    del case, engine
    return ()


def run_case(case: Case, method: Method, engine: Engine, ranking: Ranking = unranked) -> Row:
    """Review one case and count what it cost."""
    meter = Meter(engine)
    started = time.monotonic()
    remarks, incomplete = method(case, meter)
    seconds = time.monotonic() - started
    return Row(
        case.id,
        max((remark.confidence for remark in remarks), default=0.0),
        remarks,
        round(seconds, 3),
        meter.usage.prefilled,
        meter.usage.reused,
        meter.usage.sampled + meter.usage.forced,
        meter.bundles,
        incomplete,
        ranking(case, engine),
        case.changed_lines(),
    )


def run(
    cases: Sequence[Case],
    method: Method,
    engine: Engine,
    journal: Path | None,
    key: str,
    ranking: Ranking = unranked,
    jobs: int = 1,
) -> Iterator[tuple[Case, Row]]:
    """Review the cases, `jobs` side by side, and give them in order.

    With a journal, finished ones are read from it and new ones added to it. `key` names all that shapes an
    answer; a journal of another key is refused with UsageError.
    """
    finished = _finished(journal, key) if journal else {}

    def row_of(case: Case) -> Row:
        return finished.get(case.id) or run_case(case, method, engine, ranking)

    with ThreadPoolExecutor(jobs) as threads:
        rows = (
            threads.map(row_of, cases) if jobs > 1 else map(row_of, cases)
        )  # one can be interrupted at once
        for case, row in zip(cases, rows, strict=True):
            if journal and case.id not in finished:
                with journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, **asdict(row)}) + "\n")
            yield case, row


def _finished(journal: Path, key: str) -> dict[str, Row]:
    """Read the rows of an earlier run; a last line that was cut off is forgotten."""
    rows: dict[str, Row] = {}
    if not journal.exists():
        return rows
    for line in journal.read_text("utf-8").splitlines():
        try:
            read = json.loads(line)
            other = read.pop("key")
            remarks = tuple(Remark(**remark) for remark in read.pop("remarks"))
            lines = tuple(Suspected(**line) for line in read.pop("lines"))
            row = Row(remarks=remarks, lines=lines, **read)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if other != key:
            raise UsageError(
                f"{journal} belongs to a run with other settings; delete it or name another file"
            )
        rows[row.id] = row
    return rows

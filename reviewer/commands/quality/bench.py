"""`hunkwise bench`: measure reviews on labelled changes, and the peers' way of asking beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.reviewer.app.meters import Unasked
from hunkwise.reviewer.commands.quality.labelled import configured, counted, engine_for, labelled
from hunkwise.reviewer.config.settings import NO_MODEL, Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.likelihood.precision import aim

if TYPE_CHECKING:
    from hunkwise.engine import Engine
    from hunkwise.reviewer.bench.labelled.cases import Case
    from hunkwise.reviewer.bench.run import Row

NAMES = ("ask-diff", "ask-hunk-json", "yes-no", "linter", "first-line", "silent")


@click.command("bench")
@click.option("--sample", "size", type=click.IntRange(1), metavar="N", help="Draw N cases.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draw.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Cases in work at a time; more pay where a server or several machines answer.")  # fmt: skip
@click.option("--form", type=click.Choice(["diff", "added"]), default="diff", show_default=True,
              help="Show each change as a diff, or as newly written code.")  # fmt: skip
@click.option("--baseline", type=click.Choice(NAMES), help="Measure this way of asking instead of ours.")
@click.option("--witness", type=click.Choice(["asked", "questions"]),
              help="Measure this witness of the model alone, whether or not a review would ask it.")  # fmt: skip
@click.option("--json", "target", type=click.Path(path_type=Path), metavar="OUT",
              help="Write metrics, groups, cases and manifest as JSON.")  # fmt: skip
@labelled
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    size: int | None,
    seed: int,
    jobs: int,
    form: str,
    baseline: str | None,
    witness: str | None,
    target: Path | None,
    journal: Path | None,
    plot: Path | None,
    **values: Any,
) -> int:
    """Measure reviews on labelled changes (JSON Lines, plain or gzipped) and print a table.

    With --model none no model is asked: checks and rules alone are measured. Other tools are heard with
    --analyzers, as in a review; where a rule says the same, the remark is counted once, as the rule's.
    """
    from hunkwise.reviewer.bench.baselines import BASELINES
    from hunkwise.reviewer.bench.labelled.cases import newly_written, read_cases, sample
    from hunkwise.reviewer.bench.reliability import page as reliability
    from hunkwise.reviewer.bench.run import our_ranking, ours, run, unranked
    from hunkwise.reviewer.bench.summary import by_group, scored, summarise
    from hunkwise.reviewer.bench.table import table
    from hunkwise.reviewer.bench.witnesses import alone

    if baseline and witness:
        raise UsageError("--baseline and --witness measure two different things; give one of them")

    draw = reliability.drawer(plot) if plot else None
    cases = read_cases(files)
    if size:
        cases = sample(cases, size, seed)
    if form == "added":
        cases = tuple(map(newly_written, cases))
    config = configured(values)
    bare = config.model == NO_MODEL
    engine = Unasked() if bare else engine_for(ctx, config)
    config = config if bare else aim(config, engine)
    if bare and witness:
        raise UsageError(f"--witness {witness} asks a model; --model {NO_MODEL} asks none")
    method = BASELINES[baseline] if baseline else ours(config, os.environ, asking=not bare)
    if witness:
        method = alone(witness, config)
    ranking = our_ranking(config) if form == "added" and not (baseline or bare or witness) else unranked
    made = _manifest(config, engine, form, baseline or witness)
    rows = list(counted(run(cases, method, engine, journal, _key(made), ranking, jobs), len(cases)))
    measured, groups = summarise(rows), by_group(rows)
    if target:
        report = {"metrics": measured, "by_group": groups, "cases": _cases(rows), "manifest": made}
        target.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    click.echo(table(measured, groups), nl=False)
    if draw:
        draw(reliability.plot(f"Reliability: {baseline or witness or made['model']}", *scored(rows)))
    return 0


def _manifest(config: Config, engine: Engine, form: str, baseline: str | None) -> dict[str, Any]:
    from hunkwise.reviewer.judge.scope.coverage import manifest

    made = dataclasses.asdict(manifest(config, engine))
    return {**made, "form": form, "baseline": baseline or "none", "analyzers": ", ".join(config.analyzers)}


def _key(made: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _cases(rows: list[tuple[Case, Row]]) -> list[dict[str, Any]]:
    return [{"buggy": case.buggy, "group": case.group, **dataclasses.asdict(row)} for case, row in rows]

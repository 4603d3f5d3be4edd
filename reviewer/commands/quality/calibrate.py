"""`hunkwise calibrate`: measure on labelled changes how far each witness of a model can be believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.reviewer.commands.quality.labelled import configured, counted, engine_for, labelled

if TYPE_CHECKING:
    from hunkwise.engine import Engine
    from hunkwise.reviewer.bench.labelled.cases import Case
    from hunkwise.reviewer.config.settings import Config

LIKELIHOOD, QUESTIONS, ASKED = "likelihood", "questions", "asked"
_TABLES = {LIKELIHOOD: "layers", QUESTIONS: "models", ASKED: "models"}


@click.command("calibrate")
@click.option("--of", "witness", type=click.Choice([LIKELIHOOD, QUESTIONS, ASKED]), default=LIKELIHOOD,
              show_default=True, help="Measure this witness of the model.")  # fmt: skip
@click.option("--write", "target", type=click.Path(path_type=Path), metavar="FILE",
              help="Put what was measured into this file, beside what it has of other models.")  # fmt: skip
@labelled
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    witness: str,
    target: Path | None,
    journal: Path | None,
    plot: Path | None,
    **values: Any,
) -> int:
    """Measure a witness of a model on labelled changes, and print how well it holds.

    Of the likelihood the probability of a finding is fitted. The figures are cross-validated: each group, a bug
    and its fix, is judged by a fit without it. Give what is as mixed as your changes are: of changes that people
    made, with their clean lines, and of commits that are right.

    Of questions, and of a free review (asked), it is counted how often they are right. The setting competence_file
    names a file with that, and a review then asks what the model has shown skill in.
    """
    from hunkwise.reviewer.bench.labelled.cases import read_cases
    from hunkwise.reviewer.bench.reliability import page as reliability

    draw = reliability.drawer(plot) if plot else None
    config = configured(values)
    cases = [case for case in read_cases(files) if case.form != "pull"]
    table = _table(target)
    engine = engine_for(ctx, config)
    rows = table.setdefault(_TABLES[witness], {})
    digest = engine.card().digest
    if witness == LIKELIHOOD:
        entry, scores = _likelihood(cases, files, config, engine, journal)
        if draw:
            from hunkwise.reviewer.bench.held import held_out

            draw(
                reliability.plot(
                    f"Reliability, cross-validated: {engine.card().model}", *held_out(cases, scores)
                )
            )
    else:
        entry = _competence(witness, cases, config, engine, journal, rows.get(digest))
    click.echo(json.dumps(entry, indent=1, sort_keys=True))
    if target:
        rows[digest] = entry
        target.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def _table(target: Path | None) -> dict[str, Any]:
    """Read the file that is to be written, if it is there."""
    if target is None or not target.exists():
        return {}
    from hunkwise.reviewer.errors import UsageError

    try:
        table: dict[str, Any] = json.loads(target.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--write {target}: holds no JSON that could be added to: {error}") from None
    if not isinstance(table, dict) or not all(isinstance(rows, dict) for rows in table.values()):
        raise UsageError(f"--write {target}: holds no table that could be added to")
    return table


def _likelihood(
    cases: list[Case], files: tuple[Path, ...], config: Config, engine: Engine, journal: Path | None
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit the layer; give it with its figures, and each change's cross-validated score."""
    from hunkwise.reviewer.bench import calibration, held
    from hunkwise.reviewer.bench.labelled.cases import read_cases

    found = counted(calibration.gathered(cases, config, engine, journal), len(cases))
    examples = [example for of_case in found for example in of_case]
    every = held.Held(tuple(cases), tuple(examples), tuple(calibration.held_apart(examples)))
    notes = every.places() | {"changes": {}}
    for file in files:
        own = every.only(case for case in read_cases([file]) if case.form != "pull")
        if own.cases:
            report = held.report(own.cases, own.scores)
            notes["changes"][file.name.split(".")[0]] = report | {
                "by_place": own.places(),
                "frontier": own.frontier(),
            }
    points = held.curve([example.wrong for example in examples], every.probabilities)
    return (
        calibration.layer_entry(engine.card().model, calibration.fit(examples), notes, points),
        every.scores,
    )


def _competence(
    witness: str,
    cases: list[Case],
    config: Config,
    engine: Engine,
    journal: Path | None,
    before: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Measure questions, or a free review; what is known of the other stays."""
    from hunkwise.reviewer.bench import skill
    from hunkwise.reviewer.bench.run import run
    from hunkwise.reviewer.bench.witnesses import alone
    from hunkwise.reviewer.bench.witnesses import counted as remarks

    nothing: dict[str, Any] = {"questions": {}, "together": None, "free": None}
    entry = {"model": engine.card().model, **nothing, **(before or {})}
    if witness == QUESTIONS:
        found = counted(skill.gathered(cases, config, engine, journal), len(cases))
        asked = [each for of_case in found for each in of_case]
        entry["together"] = asdict(skill.figures(asked))
        entry["questions"] = {
            name: {family: asdict(each) for family, each in of_question.items()}
            for name, of_question in skill.measured(asked).items()
        }
    else:
        key = f"asked {skill.key_of(engine, config)}"
        rows = counted(run(cases, alone(ASKED, config), engine, journal, key), len(cases))
        entry["free"] = asdict(remarks([(case, row.remarks) for case, row in rows]))
    return entry

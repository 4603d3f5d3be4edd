"""`hunkwise calibrate`: fit the layer that turns evidence into a probability, on labelled changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hunkwise.reviewer.commands.quality.labelled import configured, counted, engine_for, labelled


@click.command("calibrate")
@click.option("--write", "target", type=click.Path(path_type=Path), metavar="FILE",
              help="Put the layer into this calibration file, beside those of other models.")  # fmt: skip
@labelled
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    target: Path | None,
    journal: Path | None,
    plot: Path | None,
    **values: Any,
) -> int:
    """Fit the probability of a finding on labelled changes, and print how well it holds, for each file.

    The figures are cross-validated: each group, a bug and its fix, is judged by a fit without it. Give what is as
    mixed as your changes are: of changes that people made, with their clean lines, and of commits that are right.
    """
    from hunkwise.reviewer.bench import calibration, held, reliability
    from hunkwise.reviewer.bench.labelled.cases import read_cases

    draw = reliability.drawer(plot) if plot else None
    config = configured(values)
    cases = [case for case in read_cases(files) if case.form != "pull"]
    engine = engine_for(ctx, config)
    found = counted(calibration.gathered(cases, config, engine, journal), len(cases))
    examples = [example for of_case in found for example in of_case]
    card = engine.card()
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
    entry = calibration.layer_entry(card.model, calibration.fit(examples), notes, points)
    click.echo(json.dumps(entry, indent=1, sort_keys=True))
    if target:
        whole = json.loads(target.read_text("utf-8")) if target.exists() else {"layers": {}}
        whole["layers"][card.digest] = entry
        target.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if draw:
        title = f"Reliability, cross-validated: {card.model}"
        draw(reliability.plot(title, *held.held_out(cases, every.scores)))
    return 0

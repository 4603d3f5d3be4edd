"""`hunkwise calibrate`: fit the layer that turns evidence into a probability, on labelled changes."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.reviewer.commands.flags import given, setting_flags
from hunkwise.reviewer.config_files import load

if TYPE_CHECKING:
    from hunkwise.reviewer.bench.calibration import Example


@click.command("calibrate")
@click.argument(
    "files", nargs=-1, required=True, metavar="CASES...", type=click.Path(exists=True, path_type=Path)
)
@click.option("--journal", type=click.Path(path_type=Path), metavar="FILE",
              help="Keep the evidence here; an interrupted run goes on from it.")  # fmt: skip
@click.option("--write", "target", type=click.Path(path_type=Path), metavar="FILE",
              help="Put the layer into this calibration file, beside those of other models.")  # fmt: skip
@setting_flags
@click.pass_context
def command(
    ctx: click.Context, /, files: tuple[Path, ...], journal: Path | None, target: Path | None, **values: Any
) -> int:
    """Fit the probability of a finding on labelled single-file changes, and print how well it holds.

    The figures are cross-validated by group: a bug and its fix are never on both sides of a split.
    """
    from hunkwise.reviewer.bench import calibration
    from hunkwise.reviewer.bench.cases import read_cases
    from hunkwise.reviewer.commands.bench import engine_for

    config = load(flags=given(values), environ=os.environ, folder=Path.cwd(), file=None, trusted=True)
    cases = [case for case in read_cases(files) if case.form == "single"]
    engine = engine_for(ctx, config)
    known = calibration.read_journal(journal) if journal else {}
    examples: list[Example] = []
    for number, case in enumerate(cases, 1):
        found = known.get(case.id)
        if found is None:
            found = calibration.gather(case, config, engine)
            if journal:
                row = {"case": case.id, "examples": [asdict(example) for example in found]}
                with journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
        examples += found
        if sys.stderr.isatty():
            click.echo(f"\r{number}/{len(cases)} {case.id[:50]:50}", err=True, nl=False)
    card = engine.card()
    notes = calibration.report(cases, calibration.cross_validate(examples))
    entry = calibration.layer_entry(card.model, calibration.fit(examples), notes)
    click.echo(json.dumps(entry, indent=1, sort_keys=True))
    if target:
        whole = json.loads(target.read_text("utf-8")) if target.exists() else {"layers": {}}
        whole["layers"][card.digest] = entry
        target.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0

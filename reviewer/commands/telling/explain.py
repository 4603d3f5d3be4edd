"""`hunkwise explain`: why a remark of a report was made, and how to have it said no more."""

from __future__ import annotations

import click

from hunkwise.reviewer.app.post import read_findings
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.findings.explaining import Explanation, chosen, explain
from hunkwise.reviewer.report.remark import facts, page
from hunkwise.reviewer.text.visible import visible, visible_line


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("wanted", metavar="FINGERPRINT|PATH:LINE")
@click.option(
    "--findings",
    "report",
    default="report.json",
    show_default=True,
    metavar="REPORT.json",
    help="The report, made by `review --format json`.",
)
def command(wanted: str, report: str) -> int:
    """Explain a remark: what was seen, by which witness, how sure that is, and how to silence it.

    No model is asked. The beginning of a fingerprint is enough, four digits at least. Remarks that were held back
    are explained too.

    Exit codes: 0 explained; 2 no such remark, or the report can't be read.
    """
    found = chosen(read_findings(report), wanted)
    if not found:
        raise UsageError(
            f"{report} has no remark {visible_line(wanted)[:200]!r}; give path:line, or the fingerprint as its "
            "JSON has it"
        )
    told = [explain(finding, report, held_back) for finding, held_back in found]
    click.echo("\n\n".join(map(_text, told)))
    return 0


def _text(told: Explanation) -> str:
    finding = told.finding
    place = visible_line(f"{finding.path}:{finding.start_line}")
    rows = [f"{place}: {finding.severity}: {visible_line(finding.title)} [{facts(finding)}]"]
    rows += [f"fingerprint {finding.fingerprint}"]
    if told.held_back:
        rows.append(f"It was not said: {visible_line(told.held_back)}.")
    rows += ["", "What was seen", *(f"  | {visible_line(line)}" for line in finding.code)]
    rows += [f"  {visible(told.seen)}"]
    rows += [f"  {address}"] if (address := page(finding)) else []
    rows += ["", "Who says so", *(f"  {visible_line(witness)}" for witness in told.witnesses)]
    rows += ["", "How sure that is", f"  {visible_line(told.sure)}"]
    rows += ["", "How to have it said no more"]
    for way in told.silence:
        rows += [f"  {visible_line(way.what)}:", f"    {visible_line(way.text)}"]
    return "\n".join(rows)

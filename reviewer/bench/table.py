"""The benchmark's table for people."""

from __future__ import annotations

from typing import Any

_ROWS = (
    ("AUROC, bug against clean", "auroc"),
    ("average precision", "average_precision"),
    ("recall on bug diffs", "recall"),
    ("false-alarm rate on clean diffs", "false_alarm_rate"),
    ("balanced accuracy", "balanced_accuracy"),
    ("pair score (chance 25 %)", "pair_score"),
    ("line precision", "line_precision"),
    ("line recall", "line_recall"),
    ("line F1", "line_f1"),
    ("bug line among its file's first three", "first_three"),
    ("reference comments found", "reference_recall"),
    ("comments per clean diff", "comments_per_clean_diff"),
    ("comments per diff", "comments_per_diff"),
    ("comments per diff that hit no label", "noise_per_diff"),
    ("Brier score", "brier"),
    ("expected calibration error", "ece"),
    ("seconds per diff", "seconds_per_diff"),
    ("tokens prefilled per diff", "tokens_prefilled_per_diff"),
    ("tokens reused per diff", "tokens_reused_per_diff"),
    ("tokens generated per diff", "tokens_generated_per_diff"),
    ("model calls per diff", "model_calls_per_diff"),
)


def table(measured: dict[str, Any], groups: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Lay the metrics out in lines, with intervals where they are shares, and the main ones by group."""
    lines = []
    for label, key in _ROWS:
        value = measured[key]
        if value is None:
            continue
        interval = measured.get(f"{key}_interval")
        shown = f"{value:10.3f}"
        if interval:
            shown += f"   {interval[0]:.2f} to {interval[1]:.2f}, {measured[f'{key}_cases']} cases"
        lines.append(f"{label:38}{shown}")
    for name, values in groups.items():
        if values:
            lines += [
                "",
                f"by {name:25}{'cases':>6}{'AUROC':>8}{'recall':>8}{'false':>8}{'pairs':>8}{'top 3':>8}",
            ]
            lines += [_group(value, row) for value, row in values.items()]
    return "\n".join(lines) + "\n"


def _group(name: str, row: dict[str, Any]) -> str:
    keys = ("auroc", "recall", "false_alarm_rate", "pair_score", "first_three")
    cells = "".join("       –" if row[key] is None else f"{row[key]:8.2f}" for key in keys)
    return f"  {name[:26]:26}{row['cases']:6}{cells}"

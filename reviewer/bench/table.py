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
    ("pairs told apart at the bug's line", "told_apart"),
    ("remarks at a bug (line precision)", "line_precision"),
    ("bugs remarked on (line recall)", "line_recall"),
    ("line F1", "line_f1"),
    ("bug line among its file's first three", "first_three"),
    ("the same by chance", "first_three_by_chance"),
    ("reference comments found", "reference_recall"),
    ("comments per 100 changed lines", "comments_per_100_lines"),
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

_COLUMNS = (
    ("AUROC", "auroc"),
    ("recall", "recall"),
    ("false", "false_alarm_rate"),
    ("pairs", "pair_score"),
    ("apart", "told_apart"),
    ("bugs", "line_recall"),
    ("at bug", "line_precision"),
    ("per 100", "comments_per_100_lines"),
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
            heads = "".join(f"{head:>8}" for head, _ in _COLUMNS)
            lines += ["", f"by {name:25}{'cases':>6}{heads}"]
            lines += [_group(value, row) for value, row in values.items()]
    return "\n".join(lines) + "\n"


def _group(name: str, row: dict[str, Any]) -> str:
    cells = "".join("       –" if row[key] is None else f"{row[key]:8.2f}" for _, key in _COLUMNS)
    return f"  {name[:26]:26}{row['cases']:6}{cells}"

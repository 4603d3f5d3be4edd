"""From rows to metrics, by group and as a whole. Keys are part of the documented format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import comb
from statistics import fmean
from typing import Any

from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.labelled.cases import Case, Place
from hunkwise.reviewer.bench.metrics import Share
from hunkwise.reviewer.bench.run import Row

Pair = tuple[Case, Row]


def summarise(rows: Sequence[Pair]) -> dict[str, Any]:
    """Compute every metric that the cases allow; the others are None."""
    return {**_diff_level(rows), **_line_level(rows), **_calibration(rows), **_cost(rows)}


def by_group(rows: Sequence[Pair]) -> dict[str, dict[str, dict[str, Any]]]:
    """Compute the metrics by what the cases are, and by witness: what would be said if it alone spoke."""
    keys: dict[str, Callable[[Case], str]] = {
        "language": lambda case: case.language,
        "category": lambda case: case.category,
        "source": lambda case: "synthetic" if case.synthetic else "real",
        "year": lambda case: str(case.year) if case.year and case.year >= 2024 else "",
        "needs": lambda case: case.needs,
        "defect_form": lambda case: case.defect_form,
        "severity": lambda case: case.severity,
        "pattern": lambda case: case.pattern,
    }
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for name, key in keys.items():
        values = sorted({key(case) for case, _ in rows} - {""})
        groups[name] = {
            value: {"cases": len(chosen), **summarise(chosen)}
            for value in values
            if (chosen := [(case, row) for case, row in rows if key(case) == value])
        }
    witnesses = sorted({remark.witness for _, row in rows for remark in row.remarks} - {""})
    groups["witness"] = {
        name: {"cases": len(rows), **summarise([(case, _alone(row, name)) for case, row in rows])}
        for name in witnesses
    }
    return groups


def _alone(row: Row, witness: str) -> Row:
    """Leave the remarks of one witness."""
    remarks = tuple(remark for remark in row.remarks if remark.witness == witness)
    score = max((remark.confidence for remark in remarks), default=0.0)
    return replace(row, remarks=remarks, score=score)


def scored(rows: Iterable[Pair]) -> tuple[list[bool], list[float]]:
    """Give truth and score of each change that is labelled as buggy or clean."""
    labelled = _labelled(rows)
    return [true for true, _, _ in labelled], [row.score for _, _, row in labelled]


def _labelled(rows: Iterable[Pair]) -> list[tuple[bool, Case, Row]]:
    return [(case.buggy, case, row) for case, row in rows if case.buggy is not None]


def _diff_level(rows: Sequence[Pair]) -> dict[str, Any]:
    labelled = [entry for entry in _labelled(rows) if entry[1].form == "single"] or _labelled(rows)
    truths = [true for true, _, _ in labelled]
    scores = [row.score for _, _, row in labelled]
    recall = _share(row.alarm for true, _, row in labelled if true)
    false_alarms = _share(row.alarm for true, _, row in labelled if not true)
    balanced = None
    if recall.value is not None and false_alarms.value is not None:
        balanced = (recall.value + 1 - false_alarms.value) / 2
    counted, apart = _pairs(rows), _told_apart(rows)
    return {
        "auroc": metrics.auroc(truths, scores),
        "average_precision": metrics.average_precision(truths, scores),
        **_interval("recall", recall),
        **_interval("false_alarm_rate", false_alarms),
        "balanced_accuracy": balanced,
        **_interval("pair_score", counted.share),
        **_interval("told_apart", apart),
        "pairs": {
            "right": counted.right,
            "both": counted.both,
            "neither": counted.neither,
            "reversed": counted.reversed,
        },
    }


def _pairs(rows: Sequence[Pair]) -> metrics.Pairs:
    return metrics.pairs([(bug.alarm, right.alarm) for _, bug, right in _paired(rows)])


def _told_apart(rows: Sequence[Pair]) -> Share:
    """Count the bugs remarked on at their line of whose right version nothing is said."""
    return _share(
        not right.alarm and any(r.said and _hits(case, r.path, r.line) for r in bug.remarks)
        for case, bug, right in _paired(rows)
    )


def _paired(rows: Sequence[Pair]) -> Iterator[tuple[Case, Row, Row]]:
    """Give each bug whose right version is there too: the case, its row, and that of the right version."""
    by_id = {case.id: (case, row) for case, row in rows}
    return ((*by_id[case.pair_of], row) for case, row in rows if case.pair_of in by_id)


def _line_level(rows: Sequence[Pair]) -> dict[str, Any]:
    labelled = [(case, row) for case, row in rows if case.form != "pull"]
    precision = _share(
        _hits(case, remark.path, remark.line)
        for case, row in labelled
        for remark in row.remarks
        if remark.said
    )
    recall = _found(labelled)
    clean = [row for case, row in rows if case.buggy is False]
    pulls = [(case, row) for case, row in rows if case.form == "pull"]
    reference = _found(pulls)
    return {
        **_interval("line_precision", precision),
        **_interval("line_recall", recall),
        "line_f1": metrics.f1(precision.value, recall.value),
        "comments_per_100_lines": _density([row for _, row in rows]),
        "comments_per_clean_diff": _mean([sum(r.said for r in row.remarks) for row in clean]),
        "comments_per_diff": _mean([sum(r.said for r in row.remarks) for _, row in rows]),
        "noise_per_diff": _mean([_noise(case, row) for case, row in rows]),
        **_interval("reference_recall", reference),
        "references": {
            "hits": reference.hits,
            "misses": reference.of - reference.hits,
            "extra": sum(_noise(case, row) for case, row in pulls),
        },
        **_interval("first_three", _first_three(rows)),
        "first_three_by_chance": _mean([_by_chance(case) for case, _ in rows if case.buggy]),
    }


def _density(rows: Sequence[Row]) -> float | None:
    """Count the remarks for each hundred lines that the changes add and remove."""
    changed = sum(row.changed for row in rows)
    return 100 * sum(r.said for row in rows for r in row.remarks) / changed if changed else None


def _found(rows: Sequence[Pair]) -> Share:
    """Count the labelled places that a remark is on or near."""
    return _share(
        any(r.said and r.path == place.path and metrics.near(r.line, place.lines) for r in row.remarks)
        for case, row in rows
        for place in case.places
    )


def _noise(case: Case, row: Row) -> int:
    """Count the remarks that are near no labelled place."""
    return sum(r.said and not _hits(case, r.path, r.line) for r in row.remarks)


def _first_three(rows: Sequence[Pair]) -> Share:
    """Count the bugs with a labelled line, exactly, among the three first candidates of its file."""
    return _share(any(_first(row, place) for place in case.places) for case, row in rows if case.buggy)


def _first(row: Row, place: Place) -> bool:
    """Tell whether one of the lines is a first candidate: of those ranked, else of the remarks, the surest."""
    lines = [each.line for each in row.lines if each.path == place.path]
    surest = sorted(row.remarks, key=lambda remark: -remark.confidence)
    lines = lines or [remark.line for remark in surest if remark.path == place.path]
    return any(line in place.lines for line in lines[:3])


def _by_chance(case: Case) -> float:
    """Tell how likely three lines drawn from each file's new ones, blank ones aside, have a labelled one.

    A ranking has to beat that: in a small change any three lines are near the bug.
    """
    missed = 1.0
    for place in case.places:
        files = [file for file in case.change().files if file.path == place.path]
        lines = [
            line.new_no for file in files for hunk in file.hunks for line in hunk.added if line.text.strip()
        ]
        others = [line for line in lines if line not in place.lines]
        drawn = min(len(lines), 3)
        missed *= comb(len(others), drawn) / comb(len(lines), drawn)
    return 1 - missed


def _hits(case: Case, path: str, line: int) -> bool:
    return any(place.path == path and metrics.near(line, place.lines) for place in case.places)


def _calibration(rows: Sequence[Pair]) -> dict[str, Any]:
    truths, scores = scored(rows)
    return {
        "brier": metrics.brier(truths, scores),
        "ece": metrics.expected_calibration_error(truths, scores),
        "reliability": [
            {"low": b.low, "high": b.high, "count": b.count, "confidence": b.confidence, "true": b.true}
            for b in metrics.reliability(truths, scores)
        ],
        "precision_curve": [
            {
                "threshold": point.threshold,
                "precision": point.precision.value,
                "recall": point.recall.value,
                "said": point.precision.of,
            }
            for point in metrics.precision_curve(truths, scores)
        ],
    }


def _cost(rows: Sequence[Pair]) -> dict[str, Any]:
    return {
        "seconds_per_diff": _mean([row.seconds for _, row in rows]),
        "tokens_prefilled_per_diff": _mean([row.prefilled for _, row in rows]),
        "tokens_reused_per_diff": _mean([row.reused for _, row in rows]),
        "tokens_generated_per_diff": _mean([row.sampled for _, row in rows]),
        "model_calls_per_diff": _mean([row.calls for _, row in rows]),
        "incomplete": sum(row.incomplete for _, row in rows),
    }


def _share(hits: Iterable[bool]) -> Share:
    listed = list(hits)
    return Share(sum(listed), len(listed))


def _interval(name: str, share: Share) -> dict[str, Any]:
    return {name: share.value, f"{name}_interval": list(share.interval), f"{name}_cases": share.of}


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None

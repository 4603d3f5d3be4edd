"""The reliability plot as a PNG: the only file that imports matplotlib."""

from __future__ import annotations

from pathlib import Path

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.bench.reliability.page import Plot

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise MissingExtra("matplotlib", "plot") from error

PAPER, INK, FAINT, BLUE = "#ffffff", "#1c2024", "#5c656e", "#3b5bb5"


def draw(plot: Plot, path: Path) -> None:
    """Draw the plot at 1280 by 1520 pixels, dark on light. No clock and no window is asked."""
    figure = Figure(figsize=(6.4, 7.6), dpi=200, facecolor=PAPER, layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(5, 1))
    figure.suptitle(plot.title, fontsize=11, color=INK, parse_math=False)
    upper.plot((0, 1), (0, 1), linestyle="--", color=FAINT, linewidth=1)
    across = [dot.confidence for dot in plot.dots]
    shares = [dot.right.hits / dot.right.of for dot in plot.dots]
    reach = [dot.right.interval for dot in plot.dots]
    upper.errorbar(
        across,
        shares,
        yerr=(
            [share - low for share, (low, _) in zip(shares, reach, strict=True)],
            [high - share for share, (_, high) in zip(shares, reach, strict=True)],
        ),
        fmt="o-",
        color=BLUE,
        ecolor=FAINT,
        elinewidth=1,
        capsize=3,
        clip_on=False,
    )
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="share with a bug, 95 % interval")
    lower.bar(
        [dot.low for dot in plot.dots],
        [dot.right.of for dot in plot.dots],
        width=[(dot.high - dot.low) * 0.94 for dot in plot.dots],
        align="edge",
        color=BLUE,
        alpha=0.5,
    )
    for dot in plot.dots:
        middle = (dot.low + dot.high) / 2
        lower.annotate(str(dot.right.of), (middle, dot.right.of), ha="center", va="bottom", fontsize=8)
    lower.set(ylim=(0, plot.most * 1.3), ylabel="changes", xlabel=f"confidence\n\n{plot.caption}")
    figure.savefig(path, metadata={"Software": None})

"""The reliability plot: how often a confidence is right, as a PNG or as a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.metrics import Share
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.report.html import environment
from hunkwise.reviewer.text.visible import visible_line


@dataclass(frozen=True, slots=True)
class Dot:
    """One bin of confidences, `low`..`high`. `right` is the share of its changes that are wrong."""

    low: float
    high: float
    confidence: float  # mean
    right: Share


@dataclass(frozen=True, slots=True)
class Plot:
    """A reliability plot; `title` is of one line and may hold what a file said."""

    title: str
    caption: str
    dots: tuple[Dot, ...]

    @property
    def most(self) -> int:
        """The largest number of changes in a bin."""
        return max(dot.right.of for dot in self.dots)


Draw = Callable[[Plot], None]


def plot(title: str, truths: Sequence[bool], confidences: Sequence[float]) -> Plot:
    """Bin the confidences by tenths. Raises UsageError where no change is labelled as buggy or clean."""
    error = metrics.expected_calibration_error(truths, confidences)
    score = metrics.brier(truths, confidences)
    if error is None or score is None:
        raise UsageError(
            "--plot: none of the cases is labelled as buggy or clean, so there is nothing to plot"
        )
    dots = tuple(
        Dot(found.low, found.high, found.confidence, Share(round(found.true * found.count), found.count))
        for found in metrics.reliability(truths, confidences)
    )
    told = f"{len(truths)} changes, {sum(truths)} with a bug"
    measured = f"Brier score {score:.3f}, expected calibration error {error:.3f}"
    return Plot(visible_line(title), f"{measured}; {told}", dots)


def drawer(path: Path) -> Draw:
    """Give what draws into `path`, by its suffix: asked for before the work, so that it is not done in vain.

    Raises UsageError for another suffix or a folder that is not there, and MissingExtra where a PNG lacks
    matplotlib.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise UsageError(f"--plot {path}: the folder does not exist, or this is one")
    if path.suffix == ".png":
        from hunkwise.reviewer.bench.reliability.png import draw

        return lambda drawn: draw(drawn, path)
    if path.suffix == ".html":
        return lambda drawn: _write(page(drawn), path)
    raise UsageError(f"--plot {path}: the name must end in .png or .html")


def page(drawn: Plot) -> str:
    """Write the plot as an HTML page, with the numbers as a table for those who can't see it."""
    source = (resources.files("hunkwise.reviewer.bench.reliability") / "page.html.j2").read_text("utf-8")
    return environment().from_string(source).render(plot=drawn)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")

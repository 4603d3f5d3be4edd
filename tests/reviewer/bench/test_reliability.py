"""The plot says how often a confidence is right, in a picture and in numbers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.bench.reliability.page import drawer, page, plot
from hunkwise.reviewer.errors import UsageError

TRUTHS = [True, True, True, False, False, False, False, True]
SCORES = [0.95, 0.93, 0.91, 0.97, 0.05, 0.03, 0.02, 0.5]


def test_bins_carry_their_counts_and_the_caption_the_errors() -> None:
    """Four changes at about 0.94, three of them wrong; the scores stand below the picture."""
    drawn = plot("t", TRUTHS, SCORES)

    assert [(dot.low, dot.right.hits, dot.right.of) for dot in drawn.dots] == [
        (0, 0, 3),
        (0.5, 1, 1),
        (0.9, 3, 4),
    ]
    assert drawn.caption.startswith(
        "Brier score 0.151, expected calibration error 0.170; 8 changes, 4 with a bug"
    )


def test_the_page_needs_nothing_and_draws_every_bin() -> None:
    """Dots are where the numbers say, text is escaped, and no address is named."""
    text = page(plot("a <b> & \x1b", TRUTHS, SCORES))
    (drawing,) = re.findall(r"<svg.*</svg>", text, re.DOTALL)
    svg = ET.fromstring(drawing)

    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in svg.iter("circle")]
    assert dots == [(13.3, 400.0), (200.0, 0.0), (376.0, 100.0)]
    assert [bar.get("height") for bar in svg.iter("rect") if bar.get("class") == "bar"] == [
        "52.5",
        "17.5",
        "70.0",
    ]
    assert "<h1>a &lt;b&gt; &amp; &lt;U+001B&gt;</h1>" in text
    assert "//" not in text
    assert "light dark" in text


def test_a_png_is_drawn(tmp_path: Path) -> None:
    """The file is a PNG of the promised size, and the same one each time; dollars are no formula."""
    pytest.importorskip("matplotlib")
    drawn = plot("costs $5 or $6_", TRUTHS, SCORES)
    for name in ("a.png", "b.png"):
        drawer(tmp_path / name)(drawn)
    data = (tmp_path / "a.png").read_bytes()

    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1280, 1520)
    assert data == (tmp_path / "b.png").read_bytes()


def test_a_png_without_matplotlib_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before any work what to install; a page needs nothing."""
    monkeypatch.delitem(sys.modules, "hunkwise.reviewer.bench.reliability.png", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(
        MissingExtra, match=r"matplotlib is not installed; run: pip install 'hunkwise\[plot\]'"
    ):
        drawer(tmp_path / "a.png")
    drawer(tmp_path / "a.html")


@pytest.mark.parametrize("name", ["a.jpg", "none/a.png", "a"])
def test_a_name_that_can_not_be_drawn_into_is_refused(tmp_path: Path, name: str) -> None:
    """Another suffix, or a folder that is not there."""
    with pytest.raises(UsageError, match="--plot"):
        drawer(tmp_path / name)


def test_nothing_labelled_is_nothing_to_plot() -> None:
    """Pull requests alone have no truth to compare with."""
    with pytest.raises(UsageError, match="nothing to plot"):
        plot("t", [], [])

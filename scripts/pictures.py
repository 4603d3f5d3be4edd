"""Draw the README's pictures from a real review of an example: `.venv/bin/python scripts/pictures.py`.

Needs the default model (or its cached answers) and Chromium.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
EXAMPLE = "examples/python-pages.patch"
OPTIONS = ("--min-confidence", "0.7")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGE = "900,690"  # ends below the first remark
SCALE = 1.25
STYLES = {
    "1": 'font-weight="bold"',
    "2": 'fill="#59636e"',
    "31": 'fill="#b3261e"',
    "32": 'fill="#1a7f37"',
    "33": 'fill="#8a5a00"',
    "34": 'fill="#0550ae"',
    "36": 'fill="#0b7285"',
}
PAINTED = re.compile(r"\x1b\[(\d+)m(.*?)\x1b\[0m|([^\x1b]+)")
WORDS = re.compile(r"\S+(?: \S+)*")  # SVG shows several blanks as one
LETTER, ROW, EDGE = 8.4, 19, 16  # pixels: a letter's width at 14 pixels, a row's height, the margin


def review(*options: str) -> str:
    """Review the example and give what is printed."""
    command = [str(Path(sys.executable).parent / "review"), EXAMPLE, *OPTIONS, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def terminal(printed: str) -> str:
    """Draw coloured output as SVG: each piece of text lies where a terminal has it, whatever the font."""
    rows = [f"\x1b[2m$\x1b[0m review {EXAMPLE} {' '.join(OPTIONS)}", *printed.rstrip("\n").split("\n")]
    texts, widest = [], 0
    for number, row in enumerate(rows, 1):
        column = 0
        for style, painted, plain in PAINTED.findall(row):
            piece = painted or plain
            for word in WORDS.finditer(piece):
                at = EDGE + (column + word.start()) * LETTER
                texts.append(
                    f'<text x="{at:.1f}" y="{EDGE + number * ROW - 5}" '
                    f'textLength="{len(word[0]) * LETTER:.1f}" {STYLES.get(style, "")}>'
                    f"{html.escape(word[0], quote=False)}</text>"
                )
            column += len(piece)
        widest = max(widest, column)
    width, height = round(widest * LETTER) + 2 * EDGE, len(rows) * ROW + 2 * EDGE
    body = "\n".join(texts).replace(" >", ">")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" \
font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#1f2328">
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" fill="#ffffff" stroke="#d1d9e0"/>
{body}
</svg>
"""


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of the top of a page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"scripts/pictures.py: none of {', '.join(BROWSERS)} is here")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    size = (f"--force-device-scale-factor={SCALE}", f"--window-size={PAGE}")
    command = [browser, *options, *size, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def main() -> None:
    """Write both pictures."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "terminal.svg").write_text(terminal(review("--color", "always")), "utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "review.html"
        review("--output", f"html={page}")
        photograph(page, IMAGES / "report.png")


if __name__ == "__main__":
    main()

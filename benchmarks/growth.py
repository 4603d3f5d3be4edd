"""How the cost of a review grows with the change, all but the model's part: an engine without opinions answers.

    python benchmarks/growth.py [--kinds files,hunks,…] [--steps N] [--most SECONDS]

Each kind of input comes in sizes that double. Seconds are those of the CPU: reading the diff, the review, and four
reports. `growth` is the exponent between the last two sizes: 1 is linear, 2 the square. Ends with 1 if one is
above 1.5.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.config.path_rules import Rule
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.types import Severity

SECRET = "AKIA" + "ABCDEFGH23456723"
WORST = 1.5
UNLIMITED = Limits(bytes=1 << 30, files=10**9, hunks=10**9, lines=10**9, line_length=10**9)
CONFIG = Config(
    rules=(Rule(("src/**",), min_severity=Severity.LOW), Rule(("*.md",), min_severity=Severity.LOW))
)


def section(path: str, *hunks: str) -> str:
    """A file of a diff."""
    return f"--- a/{path}\n+++ b/{path}\n{''.join(hunks)}"


def replaced(at: int, old: str, new: str) -> str:
    """A hunk that replaces a line."""
    return f"@@ -{at},3 +{at},3 @@\n first = start({at})\n-{old}\n+{new}\n last = end({at})\n"


def added(lines: list[str], at: int = 1) -> str:
    """A hunk of new lines."""
    return f"@@ -{at},1 +{at},{1 + len(lines)} @@\n first = 1\n" + "".join(f"+{line}\n" for line in lines)


def change(n: int) -> str:
    """A changed line."""
    return replaced(9, f"x = a({n})", f"x = b({n})")


KINDS: dict[str, tuple[int, Callable[[int], str]]] = {
    "changed files": (625, lambda n: "".join(section(f"src/f{i}.py", change(i)) for i in range(n))),
    "documents": (1250, lambda n: "".join(section(f"docs/f{i}.md", change(i)) for i in range(n))),
    "patches of one file": (625, lambda n: "".join(section("a.py", change(i)) for i in range(n))),
    "hunks of a file": (
        625,
        lambda n: section("a.py", *(replaced(9 * i + 1, f"x = a({i})", f"x = b({i})") for i in range(n))),
    ),
    "renamed in so many hunks": (
        625,
        lambda n: section(
            "a.py", *(replaced(9 * i + 1, f"use(old, {i})", f"use(new, {i})") for i in range(n))
        ),
    ),
    "new lines of a hunk": (2500, lambda n: section("a.py", added([f"x{i} = f(x, {i})" for i in range(n)]))),
    "changed lines of a hunk": (
        2500,
        lambda n: section(
            "a.js",
            f"@@ -1,{n} +1,{n} @@\n"
            + "".join(f"-let x{i} = f(y{i}, z);\n" for i in range(n))
            + "".join(f"+let x{i} = g(y{i}, z);\n" for i in range(n)),
        ),
    ),
    "secrets of a file": (
        1000,
        lambda n: section("a.py", added([f'k = "{SECRET[:-4]}{_letters(i)}"' for i in range(n)])),
    ),
    "files with a secret": (
        625,
        lambda n: "".join(section(f"f{i}.pem", added([f"{SECRET[:-4]}{_letters(i)}"])) for i in range(n)),
    ),
    "characters of a line": (
        1_000_000,
        lambda n: section("a.py", replaced(9, "x = 1", "x = " + "a1 " * (n // 3))),
    ),
    "unseen characters of a line": (
        125_000,
        lambda n: section("a.py", replaced(9, "x = 1", "x = " + "a\u200b\u00a0" * (n // 3))),
    ),
    "blanks of a line": (
        1_000_000,
        lambda n: section("a.py", replaced(9, "x = 1", f"# hunkwise: ignore{' ' * n}y")),
    ),
}


def _letters(number: int) -> str:
    return "".join(chr(ord("A") + number // 26**place % 26) for place in range(4))


def seconds(text: str) -> tuple[float, float, float]:
    """CPU seconds of reading, reviewing and reporting."""
    started = time.process_time()
    change = parse_diff(text.encode(), UNLIMITED)
    read = time.process_time()
    made = review(change, CONFIG, ScriptedEngine())
    done = time.process_time()
    for name in ("text", "json", "html", "sarif"):
        renderer(name)(made, View(change=change))
    return read - started, done - read, time.process_time() - done


def main() -> int:
    """Measure each kind and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--most", type=float, default=120.0, help="stop a kind once a size took so long")
    asked = parser.parse_args()
    worst = 0.0
    print("| kind | size | read | review | report | growth |\n| --- | --- | --- | --- | --- | --- |")
    for kind in asked.kinds.split(","):
        first, make = KINDS[kind]
        before = 0.0
        for step in range(asked.steps):
            parts = seconds(make(first << step))
            total = sum(parts)
            growth = math.log2(total / before) if before > 0.2 else 0.0
            shown = " | ".join(f"{part:.1f}" for part in parts)
            print(
                f"| {kind} | {first << step:,} | {shown} | {f'{growth:.1f}' if growth else ''} |", flush=True
            )
            before = total
            if total > asked.most:
                break
        worst = max(worst, growth)
    return int(worst > WORST)


if __name__ == "__main__":
    sys.exit(main())

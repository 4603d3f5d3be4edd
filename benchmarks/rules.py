"""Where rules match in real code, to be read: `python benchmarks/rules.py FOLDER...`.

A FOLDER is a project. Precision is told by reading what is printed: write what you found of each hit into a
file, a line each (`rule<TAB>project/path:line<TAB>right`, or `wrong`). `--judged FILE` counts it into the
`measured.json` beside the rules, of all rules anew, and prints the table that docs/rules.md shows; what is no hit
any more does not count. `--time` prints what each file costs instead.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.pack import rules_for
from hunkwise.reviewer.source.provenance import is_test

RULES = Path(__file__).resolve().parent.parent / "reviewer" / "checks" / "rules"
LONGEST = 400_000  # characters of a file; generated ones are longer
NOT_THEIRS = re.compile(r"vendor/|node_modules/|third[_-]party/|/dist/|\.min\.|/deps/")
NAMES = {
    "python": "Python", "javascript": "JavaScript, TypeScript", "java": "Java", "go": "Go", "c": "C", "cpp": "C++",
    "rust": "Rust", "bash": "shell", "csharp": "C#", "kotlin": "Kotlin", "php": "PHP",
    "ruby": "Ruby",
}  # fmt: skip
READ_BY = {
    "python": "python",
    "typescript": "javascript",
    "tsx": "javascript",
}  # languages, and whose rules read them


def texts(folder: Path, language: str, most: int = 0) -> Iterator[tuple[Path, str, str]]:
    """Give the files that rules can read, their text and their language; with `most` drawn until so many lines."""
    found = [each for path in sorted(folder.rglob("*")) if (each := read(path))]
    if most:
        random.Random(13).shuffle(found)
    lines = 0
    for path, text, known in found:
        if NOT_THEIRS.search(str(path.relative_to(folder))) or language not in ("", known):
            continue
        lines += text.count("\n")
        yield path, text, known
        if most and lines > most:
            return


def read(path: Path) -> tuple[Path, str, str] | None:
    """Read a file, if rules can."""
    if not path.suffix or not path.is_file() or path.is_symlink() or not language_of(path.name):
        return None
    text = path.read_text("utf-8", "replace")
    return (path, text, language_of(path.name, text)) if len(text) <= LONGEST else None


@dataclass
class Seen:
    """What was read of a folder of rules: projects, lines, hits of each rule, and where they are."""

    projects: set[str] = field(default_factory=set)
    lines: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    places: set[tuple[str, str]] = field(default_factory=set)


def folders_of(language: str) -> tuple[str, ...]:
    """Name the folders whose rules read a language."""
    return ("c", "cpp") if language == "cpp" else (READ_BY.get(language, language),)


def record(judged: Path, seen: Mapping[str, Seen]) -> Iterator[str]:
    """Count what was read into each folder's measured.json; gives the lines of the table of docs/rules.md."""
    read: dict[str, Counter[str]] = {}
    for line in judged.read_text("utf-8").splitlines():
        rule, place, said = line.split("\t")
        if (rule, place) in seen.get(rule.partition("-")[0], Seen()).places:
            read.setdefault(rule, Counter())[said] += 1
    for folder, name in NAMES.items():
        here, ids = seen.get(folder, Seen()), sorted(path.stem for path in (RULES / folder).glob("*.yml"))
        rules = {}
        for rule in ids:
            right, wrong = (read.get(rule, Counter())[said] for said in ("right", "wrong"))
            rules[rule] = {"hits": here.hits[rule], "read": right + wrong, "right": right}
        rows = ",\n".join(f'  "{rule}": {json.dumps(counts)}' for rule, counts in rules.items())
        head = json.dumps({"projects": len(here.projects), "lines": here.lines})
        (RULES / folder / "measured.json").write_text(f'{head[:-1]}, "rules": {{\n{rows}\n}}}}\n', "utf-8")
        told = [sum(bool(counts["hits"]) for counts in rules.values())]
        told += [sum(counts[key] for counts in rules.values()) for key in ("read", "right")]
        share = f"{told[2]} ({100 * told[2] / told[1]:.0f} %)" if told[1] else "–"
        yield f"| {name} | {len(ids)} | {len(here.projects)} | {here.lines:,} | {told[0]} | {told[1]} | {share} |"


def main() -> None:
    """Print every hit with its line, and the counts by rule."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folders", nargs="+", type=Path)
    asked.add_argument("--rule", action="append", default=[], help="only this one (repeatable)")
    asked.add_argument("--language", default="")
    asked.add_argument("--most", type=int, default=10, help="hits printed of one rule in one folder")
    asked.add_argument("--lines", type=int, default=0, help="files drawn of each folder until so many lines")
    asked.add_argument("--judged", type=Path, help="what was read of hits, to be counted")
    asked.add_argument("--time", action="store_true")
    options = asked.parse_args()
    counts: Counter[str] = Counter()
    projects: dict[str, set[str]] = {}
    seen: dict[str, Seen] = {}
    files = lines = 0
    spent = 0.0
    for folder in options.folders:
        said: Counter[str] = Counter()
        for path, text, language in texts(folder, options.language, options.lines):
            rules = [rule for rule in rules_for(language) if not options.rule or rule.id in options.rule]
            rules = [rule for rule in rules if rule.tests or not is_test(str(path.relative_to(folder)))]
            for name in folders_of(language):
                here = seen.setdefault(name, Seen())
                here.projects.add(folder.name)
                here.lines += text.count("\n")
            started = time.process_time()
            found = hits(rules, language, text)
            took = time.process_time() - started
            spent, files, lines = spent + took, files + 1, lines + text.count("\n")
            if options.time and took > 0.2:
                print(f"{took:.2f} s  {text.count(chr(10))} lines  {path}")
            code = text.split("\n")
            for hit in found:
                counts[hit.rule] += 1
                here = seen[hit.rule.partition("-")[0]]
                here.hits[hit.rule] += 1
                here.places.add((hit.rule, f"{folder.name}/{path.relative_to(folder)}:{hit.start}"))
                said[hit.rule] += 1
                projects.setdefault(hit.rule, set()).add(folder.name)
                if said[hit.rule] <= options.most and not options.time:
                    print(
                        f"{hit.rule}  {path}:{hit.start}\n    " + "\n    ".join(code[hit.start - 1 : hit.end])
                    )
    if options.judged:
        print("\n".join(record(options.judged, seen)))
    print(f"\n{files} files, {lines:,} lines, {spent:.1f} s of CPU time")
    for rule, count in counts.most_common():
        print(f"{count:6} hits in {len(projects[rule]):3} folders  {rule}")


if __name__ == "__main__":
    main()

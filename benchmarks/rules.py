"""Where rules match in real code, to be read: `python benchmarks/rules.py FOLDER...`.

A FOLDER is a project. Precision is told by reading what is printed: write what you found of each hit into a
file, a line each (`rule<TAB>project/path:line<TAB>right`, or `wrong`). `--judged FILE` counts it into the
`measured.json` beside the rules, of all rules anew, and prints the table that docs/rules.md shows; what is no hit
any more does not count; with `--rule` the counts of the other rules stay. `--time` prints what each file
costs instead. `--before REVISION` runs the rules that have changed as they were packed then and as they are now,
text by text in turn, both by this code, and prints what each costs and the hits that came and went.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.pack import read_pack, rules_for
from hunkwise.reviewer.checks.rule import Rule
from hunkwise.reviewer.languages.syntax import tree
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


def record(judged: Path, seen: Mapping[str, Seen], only: Collection[str]) -> Iterator[str]:
    """Count what was read into each folder's measured.json; gives the lines of the table of docs/rules.md.

    With `only` the counts of other rules, and those of projects and lines, stay.
    """
    read: dict[str, Counter[str]] = {}
    for line in judged.read_text("utf-8").splitlines():
        rule, place, said = line.split("\t")
        if (rule, place) in seen.get(rule.partition("-")[0], Seen()).places:
            read.setdefault(rule, Counter())[said] += 1
    for folder, name in NAMES.items():
        here, ids = seen.get(folder, Seen()), sorted(path.stem for path in (RULES / folder).glob("*.yml"))
        file = RULES / folder / "measured.json"
        counted = json.loads(file.read_text("utf-8"))
        rules = {}
        for rule in ids:
            if only and rule not in only:
                rules[rule] = counted["rules"].get(rule, {"hits": 0, "read": 0, "right": 0})
                continue
            right, wrong = (read.get(rule, Counter())[said] for said in ("right", "wrong"))
            rules[rule] = {"hits": here.hits[rule], "read": right + wrong, "right": right}
        rows = ",\n".join(f'  "{rule}": {json.dumps(counts)}' for rule, counts in rules.items())
        projects, lines = len(here.projects), here.lines
        if only:
            projects, lines = counted["projects"], counted["lines"]
        head = json.dumps({"projects": projects, "lines": lines})
        file.write_text(f'{head[:-1]}, "rules": {{\n{rows}\n}}}}\n', "utf-8")
        told = [sum(bool(counts["hits"]) for counts in rules.values())]
        told += [sum(counts[key] for counts in rules.values()) for key in ("read", "right")]
        share = f"{told[2]} ({100 * told[2] / told[1]:.0f} %)" if told[1] else "–"
        yield f"| {name} | {len(ids)} | {projects} | {lines:,} | {told[0]} | {told[1]} | {share} |"


def beside(options: argparse.Namespace) -> Iterator[str]:
    """Compare the rules that have changed since a revision: what each costs alone, and what it finds."""
    cost: dict[str, list[float]] = {}
    came: list[str] = []
    lines, reading = 0, 0.0
    for folder in options.folders:
        for path, text, language in texts(folder, options.language, options.lines):
            lines += text.count("\n")
            place = str(path.relative_to(folder))
            started = time.process_time()
            tree(language, text)
            reading += time.process_time() - started
            for then, now in changed(options.before, language):
                if not now.tests and is_test(place):
                    continue
                spent = cost.setdefault(now.id, [0.0, 0.0])
                found = []
                for which, rule in enumerate((then, now)):
                    started = time.process_time()
                    found.append({(hit.start, hit.end) for hit in hits([rule], language, text)})
                    spent[which] += time.process_time() - started
                for sign, some in (("-", found[0] - found[1]), ("+", found[1] - found[0])):
                    came += [f"{sign} {now.id}  {path}:{start}" for start, _ in sorted(some)]
    yield f"{lines:,} lines, read in {reading:.3f} s; CPU time of each rule alone, then and now, reading included"
    for named, (old, new) in sorted(cost.items(), key=lambda each: -each[1][0]):
        yield f"{old:8.3f} s {new:8.3f} s  {named}"
    yield from came


@cache
def changed(revision: str, language: str) -> tuple[tuple[Rule, Rule], ...]:
    """Pair the rules of a language that are not as they were packed at a revision."""
    then: dict[str, Rule] = {}
    for name in folders_of(language):
        shown = ["git", "show", f"{revision}:reviewer/checks/packs/{name}.json"]
        text = subprocess.run(shown, cwd=RULES, check=True, capture_output=True, text=True).stdout
        then.update((rule.id, rule) for rule in read_pack(text))
    pairs = ((then[rule.id], rule) for rule in rules_for(language) if rule.id in then)
    return tuple((old, rule) for old, rule in pairs if _looks(old) != _looks(rule))


def _looks(rule: Rule) -> tuple[object, ...]:
    return rule.find, rule.within, rule.flow, rule.check, rule.file, rule.not_file, rule.tests


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
    asked.add_argument("--before", default="", help="a revision of this repository")
    options = asked.parse_args()
    if options.before:
        print("\n".join(beside(options)))
        return
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
        print("\n".join(record(options.judged, seen, options.rule)))
    print(f"\n{files} files, {lines:,} lines, {spent:.1f} s of CPU time")
    for rule, count in counts.most_common():
        print(f"{count:6} hits in {len(projects[rule]):3} folders  {rule}")


if __name__ == "__main__":
    main()

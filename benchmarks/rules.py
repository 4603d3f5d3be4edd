"""Where rules match in real code, to be read: `python benchmarks/rules.py FOLDER...`.

A FOLDER is a project. Precision is told by reading what is printed: write what you found of each hit into a file,
a line each (`rule<TAB>project/path:line<TAB>right`, or `wrong`), and `--judged FILE` counts it into the
`measured.json` of those rules. `--time` prints what each file costs instead.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.pack import rules_for
from hunkwise.reviewer.source.provenance import is_test

RULES = Path(__file__).resolve().parent.parent / "reviewer" / "checks" / "rules"
LONGEST = 400_000  # characters of a file; generated ones are longer


def texts(folder: Path, language: str) -> Iterator[tuple[Path, str, str]]:
    """Give the files that rules can read, their text and their language."""
    for path in sorted(folder.rglob("*")):
        if path.suffix and path.is_file() and not path.is_symlink() and language_of(path.name):
            text = path.read_text("utf-8", "replace")
            found = language_of(path.name, text)
            if len(text) <= LONGEST and language in ("", found):
                yield path, text, found


def record(judged: Path, hits_of: Counter[str], places: set[tuple[str, str]]) -> None:
    """Count what was read of these rules into their files; only what is still a hit counts."""
    read: dict[str, Counter[str]] = {}
    for line in judged.read_text("utf-8").splitlines():
        rule, place, said = line.split("\t")
        read.setdefault(rule, Counter())[said] += (rule, place) in places
    for rule, told in read.items():
        file = RULES / rule.partition("-")[0] / "measured.json"
        measured = json.loads(file.read_text("utf-8"))
        right = told["right"]
        measured["rules"][rule] = {"hits": hits_of[rule], "read": right + told["wrong"], "right": right}
        lines = ",\n".join(
            f'  "{name}": {json.dumps(measured["rules"][name])}' for name in sorted(measured["rules"])
        )
        head = {key: value for key, value in measured.items() if key != "rules"}
        file.write_text(f'{json.dumps(head)[:-1]}, "rules": {{\n{lines}\n}}}}\n', "utf-8")


def main() -> None:
    """Print every hit with its line, and the counts by rule."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folders", nargs="+", type=Path)
    asked.add_argument("--rule", action="append", default=[], help="only this one (repeatable)")
    asked.add_argument("--language", default="")
    asked.add_argument("--most", type=int, default=10, help="hits printed of one rule in one folder")
    asked.add_argument("--judged", type=Path, help="what was read of hits, to be counted")
    asked.add_argument("--time", action="store_true")
    options = asked.parse_args()
    counts: Counter[str] = Counter()
    projects: dict[str, set[str]] = {}
    places: set[tuple[str, str]] = set()
    files = lines = 0
    spent = 0.0
    for folder in options.folders:
        said: Counter[str] = Counter()
        for path, text, language in texts(folder, options.language):
            rules = [rule for rule in rules_for(language) if not options.rule or rule.id in options.rule]
            rules = [rule for rule in rules if rule.tests or not is_test(str(path.relative_to(folder)))]
            started = time.process_time()
            found = hits(rules, language, text)
            took = time.process_time() - started
            spent, files, lines = spent + took, files + 1, lines + text.count("\n")
            if options.time and took > 0.2:
                print(f"{took:.2f} s  {text.count(chr(10))} lines  {path}")
            code = text.split("\n")
            for hit in found:
                counts[hit.rule] += 1
                places.add((hit.rule, f"{folder.name}/{path.relative_to(folder)}:{hit.start}"))
                said[hit.rule] += 1
                projects.setdefault(hit.rule, set()).add(folder.name)
                if said[hit.rule] <= options.most and not options.time:
                    print(
                        f"{hit.rule}  {path}:{hit.start}\n    " + "\n    ".join(code[hit.start - 1 : hit.end])
                    )
    if options.judged:
        record(options.judged, counts, places)
    print(f"\n{files} files, {lines:,} lines, {spent:.1f} s of CPU time")
    for rule, count in counts.most_common():
        print(f"{count:6} hits in {len(projects[rule]):3} folders  {rule}")


if __name__ == "__main__":
    main()

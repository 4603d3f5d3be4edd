"""How descriptions compare with what people wrote: `python benchmarks/describe.py --clones FOLDER`.

The commits are those of `cases/describe.jsonl`, each with the kind that its real message tells, read by hand.
FOLDER has the projects' repositories as OWNER+NAME, bare or not. Without `--model NAME` no model is asked; with it
the model writes the title. Titles are printed beside the real ones, to be read: what was found of each stands in
`cases/describe.tsv` (a commit, "right", "vague" or "wrong", the title), and is counted as far as the titles are
still the same.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from hunkwise.engine import library_from_environment, open_local
from hunkwise.reviewer.describing.describe import NOTHING, described
from hunkwise.reviewer.describing.description import Description, Kind
from hunkwise.reviewer.describing.facts import Facts
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.describing.writer import Words, Writer
from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.source import local
from hunkwise.reviewer.types import Change

CASES = Path(__file__).resolve().parent / "cases" / "describe.jsonl"
JUDGED = CASES.with_suffix(".tsv")


def repository(clones: Path, project: str) -> Path | None:
    """Find a project's repository."""
    folder = clones / project.replace("/", "+")
    return next(
        (each for each in (folder / ".git", folder / "repo", folder) if (each / "HEAD").exists()), None
    )


def invented(made: Description, change: Change) -> Iterator[str]:
    """Give what a description names between backticks that stands nowhere in the change or its files."""
    texts = [line.text for file in change.files for hunk in file.hunks for line in hunk.lines]
    texts += [*change.new_texts.values(), *change.old_texts.values()]
    texts += [path for file in change.files for path in (file.old_path, file.new_path) if path]
    whole = " ".join("\n".join(texts).split()).replace("`", "'")
    said = [made.title, *made.look_first, made.risk, made.changelog, *(note.says for note in made.files)]
    for name in (name.removesuffix("…") for text in said for name in text.split("`")[1::2]):
        if (
            any(part not in whole for part in re.split(r"\.(?=[A-Za-z_~])", name) if part)
            and name not in whole
        ):
            yield name


def main() -> None:
    """Describe each commit, and print the counts."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--clones", type=Path, required=True)
    asked.add_argument("--model", default="", help="have the title written by this one")
    asked.add_argument("--most", type=int, default=60, help="commits, spread over the projects")
    given = asked.parse_args()
    cases = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    spread = [case for start in range(5) for case in cases[(start + 1) % 5 :: 5]]
    judged = dict(_judged(JUDGED))
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        ask: Callable[[Facts], Words] = _unasked
        if given.model:
            spec = library_from_environment(os.environ).ensure(given.model)
            writer = Writer(stack.enter_context(open_local(spec)))
            ask = writer.words
        for case in spread[: given.most]:
            _one(case, given.clones, ask, judged, counts)
    for name, count in sorted(counts.items()):
        print(f"{count:5}  {name}")


def _unasked(_: Facts) -> Words:
    return NOTHING


def _judged(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    for line in path.read_text("utf-8").splitlines():
        commit, verdict, title = line.split("\t")
        yield (commit[:9], title), verdict


def _one(
    case: dict[str, str],
    clones: Path,
    ask: Callable[[Facts], Words],
    judged: dict[tuple[str, str], str],
    counts: Counter[str],
) -> None:
    folder = repository(clones, case["project"])
    if folder is None:
        counts["not here"] += 1
        return
    change = local.commit(folder, case["commit"], Limits(), os.environ)
    start = time.monotonic()
    facts = gather(change)
    made = described(facts, ask(facts))
    seconds = time.monotonic() - start
    real = subprocess.run(
        ["git", "--git-dir", folder, "show", "-s", "--format=%s", case["commit"]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    unknown = sorted(set(invented(made, change)))
    right = "right" if made.kind == case["kind"] else "not said" if made.kind is Kind.CHANGE else "wrong"
    counts["commits"] += 1
    counts[f"kind told by {made.told}, {right}"] += 1
    counts[f"title by {made.title_by}"] += 1
    counts["files"] += len(change.files)
    counts["files accounted for"] += len({note.path for note in made.files} & {f.path for f in change.files})
    counts["names that are not there"] += len(unknown)
    verdict = judged.get((case["commit"][:9], made.title), "not judged")
    counts[f"title {verdict}"] += 1
    print(f"{case['commit'][:9]}  {real}\n{verdict:>9}  {made.title}")
    print(
        f"{'':9}  {made.kind} by {made.told}, {right}; {seconds:.1f} s{f'; UNKNOWN {unknown}' if unknown else ''}"
    )


if __name__ == "__main__":
    main()

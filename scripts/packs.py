"""Write the rules and tables as the program reads them: `scripts/packs.py [--check]`.

People write YAML (reviewer/checks/rules/ and flow/); the program reads JSON (reviewer/checks/packs/), which is
read thirty times as fast. With --check nothing is written, and the exit code is 1 if a file is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml

from hunkwise.reviewer.checks.rule import Rule, parse, read_rule

CHECKS = Path(__file__).resolve().parent.parent / "reviewer" / "checks"


def packs() -> Iterator[tuple[Path, str]]:
    """Give each file of packs/ and what should be in it: the rules of a folder, or the tables of the flow."""
    for folder in sorted(path for path in (CHECKS / "rules").iterdir() if path.is_dir()):
        rules = (
            read_rule(parse(file.read_text("utf-8"), str(file)), str(file))
            for file in sorted(folder.glob("*.yml"))
        )
        lines = ",\n".join(json.dumps(_plain(rule), ensure_ascii=False) for rule in rules)
        yield _file(folder.name), f"[\n{lines}\n]\n"
    tables = {
        file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted((CHECKS / "flow").glob("*.yml"))
    }
    yield _file("flow"), json.dumps(tables, ensure_ascii=False, indent=0) + "\n"


def _file(name: str) -> Path:
    return CHECKS / "packs" / f"{name}.json"


def _plain(rule: Rule) -> dict[str, Any]:
    """Give what of a rule is not as it is by default."""
    defaults = {each.name: each.default for each in fields(Rule)}
    return {
        name: value
        for name, value in asdict(rule).items()
        if value not in ({}, ()) and value != defaults[name]
    }


def main() -> None:
    """Write the files, or tell which are out of date."""
    stale = [(path, text) for path, text in packs() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(path.name for path, _ in stale)
            print(f"out of date in reviewer/checks/packs/: {names}; run: .venv/bin/python scripts/packs.py")
        sys.exit(bool(stale))
    for path, text in stale:
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

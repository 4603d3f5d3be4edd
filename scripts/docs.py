"""Write what the documentation takes from the program: `scripts/docs.py [--check]`.

docs/cli.md is the help of every command; in docs/configuration.md and analyzers.md the tables between marks;
docs/config.schema.json is the JSON Schema of `.hunkwise.toml`. With --check nothing is written, and the exit
code is 1 if a file is not what it should be.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from hunkwise.reviewer.cli import hunkwise
from hunkwise.reviewer.commands.flags import HELP_ALL
from hunkwise.reviewer.config.settings import Config, keys, plain, schema, settings
from hunkwise.reviewer.config.variables import OTHER_VARIABLES
from hunkwise.reviewer.linters.tools.table import TOOLS

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH = 100  # columns of help texts


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """List a command and all below it with their full help."""
    context = click.Context(command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)
    context.meta[HELP_ALL] = True
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            below = command.get_command(context, verb)
            assert below is not None
            yield from helps(below, f"{name} {verb}")


def cli() -> str:
    """Write the page of all commands."""
    parts = [
        "# The commands",
        "Written by `scripts/docs.py` from the program itself. `review` is `hunkwise review`.",
    ]
    for name, text in helps(hunkwise, "hunkwise"):
        parts.append(f"## {name}\n\n```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def settings_table() -> str:
    """Write the table of the settings."""
    described, defaults = settings(), Config()
    rows = ["| key | default | what it is | what it may be |", "| --- | --- | --- | --- |"]
    for key, name in keys().items():
        default = json.dumps(plain(getattr(defaults, name)))
        if len(default) > 60:
            default = "all"
        allowed = _allowed(described[name].kind.schema())
        rows.append(f"| `{key}` | `{default}` | {described[name].help} | {allowed} |")
    return "\n".join(rows)


def _allowed(kind: dict[str, object]) -> str:
    match kind:
        case {"enum": list(words)}:
            return ", ".join(f"`{word}`" for word in words)
        case {"examples": list(words)}:
            return f"{', '.join(f'`{word}`' for word in words)}, or one that a package adds"
        case {"type": "array", "items": {"type": "object"}}:
            return "tables, see below"
        case {"type": "array", "items": dict(item)}:
            return f"list: {_allowed(item)}"
        case {"type": "integer" | "number" as number, "minimum": low, "maximum": high}:
            return f"{'whole ' if number == 'integer' else ''}number, {low:,} to {high:,}"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case _:
            return "text"


def variables_table() -> str:
    """Write the table of the variables that are no settings."""
    rows = ["| variable | what it is |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| `{name}` | {about} |" for name, about in OTHER_VARIABLES.items())])


def analyzers_table() -> str:
    """Write the table of the other tools: what each reads, how it is run, and why that is safe or is not done."""
    rows = ["| tool | reads | run as | why that is safe, or why it is not run |", "| --- | --- | --- | --- |"]
    for tool in TOOLS.values():
        reads = ", ".join(f"`{glob}`" for glob in tool.files if not glob.startswith("!"))
        shown = (_shown(argument) for argument in tool.arguments if argument != "{strict}")
        call = f"`{' '.join((tool.name, *shown))}`" if tool.arguments else ""
        if tool.strict:
            call += f"; with `{' '.join(tool.strict)}` where the change is not trusted"
        why = tool.safe or f"**not run**: {tool.unsafe}"
        if tool.trusted_only:
            why += f". **Not with `--untrusted`**: {tool.unsafe}"
        rows.append(f"| {tool.name} | {reads or '–'} | {call or '–'} | {why} |")
    return "\n".join(rows)


def _shown(argument: str) -> str:
    """Write an argument as people would type it."""
    argument = {"{files}": "FILES", "{empty}": "EMPTY"}.get(argument, argument)
    return "'…'" if "{" in argument and len(argument) > 20 else argument


def marked(page: str, **tables: str) -> str:
    """Put tables between their marks."""
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        parts = pattern.split(page)
        assert len(parts) == 4, f"the page must have the marks <!-- {name} --> and <!-- /{name} -->"
        page = "".join((parts[0], parts[1], table, "\n", parts[2], parts[3]))
    return page


def pages() -> dict[Path, str]:
    """Give each generated file's text."""
    page, others = DOCS / "configuration.md", DOCS / "analyzers.md"
    return {
        DOCS / "cli.md": cli(),
        page: marked(page.read_text("utf-8"), settings=settings_table(), variables=variables_table()),
        others: marked(others.read_text("utf-8"), tools=analyzers_table()),
        DOCS / "config.schema.json": json.dumps(schema(), indent=2) + "\n",
    }


def main() -> int:
    """Write the files, or compare them."""
    check, stale = "--check" in sys.argv[1:], []
    for path, text in pages().items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(path.name)
        if not check:
            path.write_text(text, "utf-8", newline="\n")
    if check and stale:
        print(f"out of date in docs/: {', '.join(stale)}; run: .venv/bin/python scripts/docs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`hunkwise rules`: the rules that need no model: which there are, what they say, do their examples hold."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

import click

from hunkwise.reviewer.checks.examples import MARK, faults
from hunkwise.reviewer.checks.pack import all_rules, is_ours, measured, own_rules
from hunkwise.reviewer.checks.rule import LANGUAGES, Rule, parse, read_rule
from hunkwise.reviewer.config.own_rules import read_own_rules
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.types import Category


@click.group()
def command() -> None:
    """List, show and test the rules that find known kinds of defects without a model."""


_named = click.argument("names", nargs=-1, metavar="[ID|FILE]...")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@command.command("list")
@click.option("--language", type=click.Choice(LANGUAGES), help="Rules for one language.")
@click.option("--dimension", type=click.Choice([*Category]), help="Rules of one dimension.")
@_json
def list_rules(language: str | None, dimension: str | None, as_json: bool) -> None:
    """List the rules, a line each."""
    rules = [
        rule
        for rule in (*all_rules(), *_own())
        if language in (None, *rule.languages) and dimension in (None, rule.dimension)
    ]
    if as_json:
        click.echo(
            json.dumps([{**asdict(rule), "measured": asdict(measured(rule.id))} for rule in rules], indent=2)
        )
        return
    width = max((len(rule.id) for rule in rules), default=0)
    for rule in rules:
        click.echo(f"{rule.id:{width}}  {rule.severity:8}  {rule.title}")
    counts = Counter(str(rule.dimension) for rule in rules)
    click.echo(f"\n{len(rules)} rules: {', '.join(f'{n} {name}' for name, n in counts.most_common())}")


@command.command()
@click.argument("name", metavar="ID")
def show(name: str) -> None:
    """Show what a rule finds, when that goes wrong, and how to mend it."""
    (rule,) = _picked([name])
    wrong = MARK.sub("", rule.bad[0])
    cwe = f"\nCWE-{rule.cwe}: https://cwe.mitre.org/data/definitions/{rule.cwe}.html" if rule.cwe else ""
    click.echo(
        f"{rule.id}: {rule.title}\n{rule.severity}, {rule.dimension}, {', '.join(rule.languages)}{cwe}\n"
    )
    click.echo(f"{rule.message}\n{rule.advice}\n")
    click.echo(f"Worth: {measured(rule.id) if rule.ours else 'a rule of the project, not measured'}\n")
    click.echo(f"Wrong:\n{_indented(wrong)}\nRight:\n{_indented(rule.good[0])}\n")
    click.echo(f"Silence it on a line:  hunkwise: ignore[{rule.id}] -- why")


@command.command()
@_named
def test(names: Sequence[str]) -> None:
    """Try rules on their own examples: all, those named, or those in files."""
    rules = _picked(names) if names else [*all_rules(), *_own()]
    wrong = [(rule, fault) for rule in rules for fault in faults(rule)]
    for rule, fault in wrong:
        click.echo(f"{rule.id}: {fault}")
    click.echo(
        f"{len(rules)} rules tried, {len({rule.id for rule, _ in wrong})} do not hold on their examples"
    )
    if wrong:
        click.get_current_context().exit(1)


def _picked(names: Sequence[str]) -> list[Rule]:
    known = {rule.id: rule for rule in (*all_rules(), *_own())}
    picked: list[Rule] = []
    for name in names:
        if name.endswith((".yml", ".yaml")):
            picked.append(read_rule(parse(_text(name), name), name, ours=is_ours(Path(name))))
        elif name in known:
            picked.append(known[name])
        else:
            near = get_close_matches(name, known, n=1)
            raise UsageError(f"no rule {name!r:.60}{f'; did you mean {near[0]}?' if near else ''}")
    return picked


def _text(name: str) -> str:
    try:
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: the rule can't be read: {error}") from None


def _own() -> tuple[Rule, ...]:
    """Read the project's own rules."""
    return _rules(read_own_rules(Path.cwd(), os.environ))


def _rules(texts: Iterable[tuple[str, str]]) -> tuple[Rule, ...]:
    return tuple(read_rule(data, "own", ours=False) for data in own_rules(texts))


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.rstrip("\n").split("\n"))

"""The flags of a review: one for each setting of the configuration, few on `--help`, all on `--help-all`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.config.about import About
from hunkwise.reviewer.config.kinds import Kind, ListOf, Number, OneOf, Registered, Switch
from hunkwise.reviewer.config.settings import settings

HELP_ALL = "hunkwise.help-all"  # key in a context's meta: show the rare options too
F = TypeVar("F", bound=Callable[..., Any])


class RareOption(click.Option):
    """An option that only `--help-all` shows."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Stay silent on `--help`."""
        return super().get_help_record(ctx) if ctx.meta.get(HELP_ALL) else None


def _reader(kind: Kind) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Make a callback that reads text as the setting does; a usage error says what may be."""

    def read(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if isinstance(value, tuple):  # a list's flag may be given again and again
            value = ",".join(value) if value else None
        if not isinstance(value, str):
            return value
        try:
            return kind.parse(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} must be {error}", ctx, param) from None

    return read


def _metavar(kind: Kind) -> str:
    match kind:
        case OneOf(values=values) if len(values) <= 6:
            return "|".join(values)
        case OneOf() | Registered():
            return "NAME"
        case Number():
            return "N"
        case ListOf():
            return "LIST"
        case _:
            return "TEXT"


def _option(name: str, about: About) -> Callable[[F], F]:
    flag = "--" + name.replace("_", "-")
    kind = about.kind
    cls = click.Option if about.common else RareOption
    if isinstance(kind, Switch):
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, cls=cls, help=_sentence(about))
    attributes: dict[str, Any] = {"callback": _reader(kind), "metavar": _metavar(kind), "cls": cls}
    return click.option(
        flag, name, multiple=isinstance(kind, ListOf), help=_sentence(about, kind), **attributes
    )


def _sentence(about: About, kind: Kind | None = None) -> str:
    text = about.help[:1].upper() + about.help[1:]
    if isinstance(kind, OneOf) and len(kind.values) > 6:
        text += f": {', '.join(kind.values)}"
    if isinstance(kind, Registered):
        text += f": {', '.join(kind.registry.rows)}, or one that a package adds"
    return text + "."


def setting_flags(command: F) -> F:
    """Add a flag for every setting, in the order of the configuration."""
    for name, about in reversed(settings().items()):
        if about.flag:
            command = _option(name, about)(command)
    return command


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the settings that were given as flags."""
    return {name: values[name] for name in settings() if values.get(name) is not None}


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[HELP_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


def help_all(command: F) -> F:
    """Add `--help-all`."""
    return click.option(
        "--help-all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_all,
        help="Show all options and exit.",
    )(command)


def rare(*names: str, **attributes: Any) -> Callable[[F], F]:
    """Declare an option that only `--help-all` shows."""
    return click.option(*names, cls=RareOption, **attributes)


def coverage_flag(command: F) -> F:
    """Add the flag that names coverage reports."""
    return rare(
        "--coverage",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Say which new lines no test runs, by a report of lcov or Cobertura; repeatable.",
    )(command)


def change_flags(verb: str, posting: str = "") -> Callable[[F], F]:
    """Make what adds the flags that name the change; `verb` is what is done with it, `posting` what else."""

    def add(command: F) -> F:
        for option in reversed(_change_flags(verb, posting)):
            command = option(command)
        return command

    return add


def _change_flags(verb: str, posting: str) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.argument("paths", nargs=-1, metavar="[DIFF|-]"),
        click.option("--staged", is_flag=True, help=f"{verb} what is staged for the next commit."),
        click.option("--working", is_flag=True, help=f"{verb} what differs from the last commit."),
        click.option("--commit", metavar="SHA", help=f"{verb} one commit."),
        click.option(
            "--from",
            "starts",
            multiple=True,
            metavar="A",
            help=f"{verb} what changed since A and --to parted; given again, what is in none of them.",
        ),
        click.option("--to", "end", metavar="B", help="End of the range; HEAD if not given."),
        rare(
            "--scan",
            is_flag=True,
            help=f"{verb} whole files or folders, named as arguments, as if newly written.",
        ),
        rare("--pr", "pull", metavar="URL", help=f"{verb} a pull request{posting}."),
        rare("--mr", "merge", metavar="URL", help=f"{verb} a merge request{posting}."),
    )


def named_source(values: Mapping[str, Any]) -> Source:
    """Read these flags."""
    names = ("paths", "staged", "working", "commit", "starts", "end", "scan", "pull", "merge")
    return Source(**{name: values[name] for name in names})

"""`hunkwise token`: who may ask the server."""

from __future__ import annotations

from pathlib import Path

import click

from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.server.guard.tokens import SCOPES, new_token, read_tokens, write_tokens
from hunkwise.reviewer.server.settings import server_settings


@click.group("token")
def command() -> None:
    """Make, list and revoke the tokens of `hunkwise serve`."""


@command.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may do; infer and review by default. May be given more than once.",
)
def add(name: str, scopes: tuple[str, ...]) -> int:
    """Make a token and print it. It is kept nowhere; a running server knows it at once."""
    path = _path()
    tokens = read_tokens(path)
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise UsageError("a token's name is one line of at most 100 characters")
    if any(token.name == name for token in tokens):
        raise UsageError(f"there is a token {name!r} already; revoke it first: hunkwise token revoke {name}")
    text, token = new_token(name, scopes or ("infer", "review"))
    write_tokens(path, (*tokens, token))
    click.echo(text)
    return 0


@command.command("list")
def listed() -> int:
    """List the tokens by name, with what they may do."""
    for token in read_tokens(_path()):
        click.echo(f"{token.name}\t{', '.join(token.scopes)}")
    return 0


@command.command()
@click.argument("name")
def revoke(name: str) -> int:
    """Take a token back. A running server refuses it from now on."""
    path = _path()
    tokens = read_tokens(path)
    kept = tuple(token for token in tokens if token.name != name)
    if kept == tokens:
        raise UsageError(f"there is no token {name!r}; hunkwise token list names those there are")
    write_tokens(path, kept)
    return 0


def _path() -> Path:
    path = server_settings({}, surroundings().variables).tokens
    if path is None:
        raise UsageError("no home to keep tokens in; name a file by HUNKWISE_TOKENS")
    return path

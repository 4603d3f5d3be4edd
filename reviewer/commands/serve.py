"""`hunkwise serve`: the engine and the reviewer as a service."""

from __future__ import annotations

from pathlib import Path

import click

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.commands.surroundings import surroundings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=11435,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
@click.option("--model", default="", help="Model for requests that name none.")
@click.option("--preload", is_flag=True, help="Load the model before the first request.")
@click.option(
    "--grace",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, 86400),
    help="Seconds that running requests get when the server is told to end.",
)
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A repository whose commits reviews may name. May be given more than once.",
)
def command(
    host: str, port: int, model: str, preload: bool, grace: float, repositories: tuple[str, ...]
) -> int:
    """Serve models and reviews over HTTP."""
    try:
        from hunkwise.reviewer.server import run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hunkwise"):
            raise
        raise MissingExtra(error.name or "starlette", "serve") from None
    from hunkwise.reviewer.server.models import open_models
    from hunkwise.reviewer.server.settings import Settings
    from hunkwise.reviewer.server.state import Server

    environment = surroundings()
    settings = Settings(host, port, model, preload, grace, repositories=_folders(repositories))
    listener = run.listen(settings)
    server = Server(settings, open_models(settings, environment), environment)
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    environment.say(f"listening on http://{shown}:{port}")
    return run.run(server, listener)


def _folders(named: tuple[str, ...]) -> dict[str, Path]:
    """Read NAME=FOLDER. Raises UsageError."""
    found = {}
    for each in named:
        name, mark, folder = each.partition("=")
        if not mark or not name or not Path(folder).is_dir():
            raise click.UsageError(
                f"--repository {each}: give NAME=FOLDER, the folder of a repository that is there"
            )
        found[name] = Path(folder).resolve()
    return found

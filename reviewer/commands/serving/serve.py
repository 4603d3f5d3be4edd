"""`hunkwise serve`: the engine and the reviewer as a service."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.app.cache import caches_for_strangers
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.server.settings import LOOPBACK, PORT, Settings, server_settings

if TYPE_CHECKING:
    from hunkwise.reviewer.app.environment import Environment
    from hunkwise.reviewer.bot.receiving import Receiver


@click.command()
@click.option("--host", help=f"Address to listen on, {LOOPBACK} by default.")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Port, {PORT} by default; 0 takes a free one.")
@click.option("--model", help="Model for requests that name none.")
@click.option("--preload", is_flag=True, default=None, help="Load that model before the first request.")
@click.option(
    "--grace",
    type=click.FloatRange(0, 86400),
    help=f"Seconds that running requests get when the server is told to end; {Settings().grace:g} by default.",
)
@click.option(
    "--engine",
    multiple=True,
    metavar="URL",
    help="A server that has the model; this one then has none. May be given more than once.",
)
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A repository whose commits reviews may name. May be given more than once.",
)
@click.option("--bot", is_flag=True, help="Attend to pull and merge requests too; see docs/bot.md.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Reviews of the bot side by side.",
)
def command(
    host: str | None,
    port: int | None,
    model: str | None,
    preload: bool | None,
    grace: float | None,
    engine: tuple[str, ...],
    repositories: tuple[str, ...],
    *,
    bot: bool,
    at_once: int,
) -> int:
    """Serve models and reviews over HTTP.

    What OLLAMA_HOST and Ollama's other variables say is done here too; HUNKWISE_HOST and the like go before them.
    """
    flags: dict[str, object] = {
        "host": host,
        "port": port,
        "model": model,
        "preload": preload,
        "grace": grace,
        "engine": engine or None,
    }
    if repositories:
        flags["repositories"] = _folders(repositories)
    settings, environment = server_settings(flags, os.environ), surroundings()
    if not bot:
        return served(settings, environment)
    from hunkwise.reviewer.bot.receiving import together
    from hunkwise.reviewer.server.guard.tokens import Tokens

    if Tokens(settings.tokens).any and not os.environ.get("HUNKWISE_ENGINE_TOKEN"):
        raise UsageError(
            "this server wants tokens, and its bot has none: make one (hunkwise token add bot --scope infer) and "
            "set HUNKWISE_ENGINE_TOKEN to it"
        )

    with together(environment, settings.model, at_once) as beside:
        return served(settings, environment, receiver=beside.receiver, listening=beside.begin)


def served(
    settings: Settings,
    environment: Environment,
    *,
    receiver: Receiver | None = None,
    alone: bool = False,
    listening: Callable[[str], None] = lambda url: None,
) -> int:
    """Run a server until it is told to end, and give the exit code.

    `receiver` takes in webhooks; `alone`: there is nothing else. `listening` is told where it can be reached from
    this machine.
    """
    try:
        from hunkwise.reviewer.server import run
        from hunkwise.reviewer.server.guard.gate import check_start
        from hunkwise.reviewer.server.guard.tokens import Tokens
        from hunkwise.reviewer.server.models import open_models
        from hunkwise.reviewer.server.observe.faults import log_all
        from hunkwise.reviewer.server.observe.metrics import Metrics
        from hunkwise.reviewer.server.state import Models, Server
        from hunkwise.reviewer.server.upstream import NoModels, upstream
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hunkwise"):
            raise
        raise MissingExtra(error.name or "starlette", "serve") from None
    if not alone and (why := check_start(settings.host, Tokens(settings.tokens))):
        raise UsageError(why)
    log_all()
    metrics = Metrics()
    if alone:
        models: Models = NoModels()
    elif settings.engine:
        models = upstream(settings, environment)
    else:
        models = open_models(settings, environment, metrics.count_load)
    listener = run.listen(settings)
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    with nullcontext() if alone else caches_for_strangers(environment.variables, environment.say) as caches:
        server = Server(settings, models, environment, metrics, caches, alone=alone)
        if receiver is not None:
            server.mounted, server.jobs = receiver.routes, receiver.queue
        environment.say(f"listening on http://{shown}:{port}")
        listening(f"http://{_here(shown)}:{port}")
        return run.run(server, listener)


def _here(address: str) -> str:
    """Name an address as this machine reaches it."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(address, address)  # noqa: S104 - all addresses


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

"""`hunkwise bot`: what takes in webhooks, and what does the work, each as a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.commands.surroundings import surroundings

if TYPE_CHECKING:
    from hunkwise.reviewer.config.settings import Config

_AT_ONCE = 2


@click.group()
def command() -> None:
    """Attend to the pull and merge requests of a forge; see docs/bot.md."""


@command.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--grace", type=click.FloatRange(0, 86400), help="Seconds that running requests get at the end."
)
def receive(host: str | None, port: int | None, grace: float | None) -> int:
    """Take in webhooks at /hooks/github, /hooks/gitlab and /hooks/gitea, and put what they tell into the queue.

    It needs the webhooks' secrets (HUNKWISE_GITHUB_WEBHOOK_SECRET and so on), and no token.
    """
    from hunkwise.reviewer.bot.receiving import receiver
    from hunkwise.reviewer.commands.serving.serve import served
    from hunkwise.reviewer.server.settings import server_settings

    environment = surroundings()
    settings = server_settings({"host": host, "port": port, "grace": grace}, os.environ)
    return served(settings, environment, receiver=receiver(environment.variables), alone=True)


@command.command()
@click.option("--engine", multiple=True, metavar="URL", help="A server that has the model.")
@click.option("--model", help="The model to review with.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=_AT_ONCE,
    show_default=True,
    help="How many reviews are made side by side.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Where changes are fetched to, and thrown away after.",
)
@click.option("--attached", is_flag=True, hidden=True, help="End where standard input does.")
def work(
    engine: tuple[str, ...], model: str | None, at_once: int, folder: Path | None, *, attached: bool
) -> int:
    """Take jobs from the queue: fetch, review in a child without tokens, post.

    It needs tokens (HUNKWISE_GITHUB_APP_ID and HUNKWISE_GITHUB_APP_KEY, HUNKWISE_GITLAB_TOKEN,
    HUNKWISE_GITEA_TOKEN), and no secret of a webhook.
    """
    from hunkwise.reviewer.app.engines import check_remote

    options = [f"--engine={url}" for url in engine] + ([f"--model={model}"] if model else [])
    environment = surroundings()
    check_remote(_config(environment, engine, model), environment)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    if attached:
        threading.Thread(target=_until_end, args=(stopping,), daemon=True).start()
    return _worked(environment, options, at_once, folder, stopping)


def _until_end(stopping: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    stopping.set()


@command.command(hidden=True)
@click.option("--engine", multiple=True, metavar="URL", help="A server that has the model.")
@click.option("--model", help="The model to ask.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def answer(engine: tuple[str, ...], model: str | None, folder: Path) -> None:
    """Answer a question that the worker left in a FOLDER: its child, without tokens."""
    from hunkwise.reviewer.app.engines import open_engine
    from hunkwise.reviewer.app.progress import Progress
    from hunkwise.reviewer.bot.asked import answer_in
    from hunkwise.reviewer.config.settings import NO_MODEL

    environment = surroundings()
    config = _config(environment, engine, model)
    quiet = Progress(sys.stderr, enabled=False)
    opened = None if config.model == NO_MODEL else lambda: open_engine(config, environment, quiet)
    answer_in(folder, environment, opened, config.language)


def _config(environment: Environment, engine: tuple[str, ...], model: str | None) -> Config:
    from hunkwise.reviewer.config.files import load

    given: dict[str, object] = {"engine": engine, "model": model}
    flags = {name: value for name, value in given.items() if value}
    return load(flags=flags, environ=environment.variables, folder=environment.folder)


def _worked(
    environment: Environment,
    options: list[str],
    at_once: int,
    folder: Path | None,
    stopping: threading.Event,
) -> int:
    from hunkwise.reviewer.bot.access import keys_of
    from hunkwise.reviewer.bot.asking import Asking
    from hunkwise.reviewer.bot.fetching import Fetching, swept
    from hunkwise.reviewer.bot.queue.place import open_queue
    from hunkwise.reviewer.bot.reviewing import ChildReviewer
    from hunkwise.reviewer.bot.talking import Talking, name_of
    from hunkwise.reviewer.bot.worker import Worker

    variables = dict(environment.variables)
    keys = keys_of(variables)
    with closing(open_queue(variables)) as queue:
        if left := swept(folder):
            environment.say(f"folders of killed workers that were removed: {left}")
        environment.say(f"working for {', '.join(keys)}, {at_once} reviews at once")
        reviewer = ChildReviewer(variables, options)
        fetching = Fetching(keys, variables, folder, stopping)
        talk = Talking(name_of(variables), Asking(fetching, options), fetching.change)
        worker = Worker(
            queue, keys, reviewer, variables, environment.say, talk, folder=folder, stopping=stopping
        )
        worker.run(at_once)
    return 0

"""`hunkwise ask`: questions to a repository's code and documents, answered from them alone."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.knowledge.port import Filter, PassageKind

if TYPE_CHECKING:
    from hunkwise.engine import Engine
    from hunkwise.reviewer.answering.types import Answer, Sentence
    from hunkwise.reviewer.config.settings import Config

_MOST_PASSAGES = 50


@click.command()
@click.argument("question")
@click.option(
    "--index",
    "place",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="FOLDER|FILE",
    help="A folder that was indexed, the current one by default; or an index's own file.",
)
@click.option("--in", "paths", multiple=True, metavar="GLOB", help="Look in these paths alone; repeatable.")
@click.option("--kind", type=click.Choice(get_args(PassageKind)), help="Look in code or in documents alone.")
@click.option(
    "--written-in",
    "languages",
    multiple=True,
    metavar="LANGUAGE",
    help="Look in files of this language alone, such as python or markdown; repeatable.",
)
@click.option(
    "--since", metavar="DAY|30d", help="Look in files that changed since a day, or in the last days, alone."
)
@click.option(
    "--passages",
    type=click.IntRange(1, _MOST_PASSAGES),
    default=8,
    show_default=True,
    help="How many passages to find.",
)
@click.option("--model", help="Model that answers, by name or path.")
@click.option(
    "--embed",
    metavar="MODEL",
    help="Find passages by vectors of this model too; those that have none are embedded first.",
)
@click.option("--no-model", is_flag=True, help="Show the passages that were found, and ask no model.")
@click.option(
    "--offline", is_flag=True, default=None, help="Use no network: a model that is not here is an error."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
@click.pass_obj
def command(
    injected: Any,
    question: str,
    *,
    place: Path,
    paths: tuple[str, ...],
    kind: PassageKind | None,
    languages: tuple[str, ...],
    since: str | None,
    passages: int,
    model: str | None,
    embed: str | None,
    no_model: bool,
    offline: bool | None,
    form: str,
) -> int:
    """Answer a QUESTION from what `hunkwise index` has read: each sentence with the words that it stands on.

    Exit codes: 0 answered, or passages were found; 1 the documents don't say; 2 usage or tool error.
    """
    from hunkwise.reviewer.app import engines
    from hunkwise.reviewer.app.progress import Progress, wanted
    from hunkwise.reviewer.app.telling.ask import Question, ask
    from hunkwise.reviewer.app.telling.embedding import ByVectors
    from hunkwise.reviewer.config.files import load
    from hunkwise.reviewer.config.settings import NO_MODEL
    from hunkwise.reviewer.knowledge.ages import moment

    environment = surroundings()
    flags = {name: value for name, value in (("model", model), ("offline", offline)) if value is not None}
    config = load(flags=flags, environ=environment.variables, folder=environment.folder)
    late = moment(since, time.time()) if since else 0.0
    part = Filter(paths, languages, (kind,) if kind else (), late)
    asked = Question(question, place, part, passages, config.language)
    began = time.monotonic()
    with Progress(sys.stderr, enabled=wanted(sys.stderr, environment.variables)) as progress:

        def opened(what: Config) -> Engine:
            engine: Engine = (injected or engines.open_engine)(what, environment, progress)
            progress("reading passages")
            return engine

        def hear(sentence: Sentence) -> None:
            if form == "text":
                _print(sentence)

        near = None
        if embed:
            plain = replace(config, model=embed, writer=(), engine=(), remember=False)
            near = ByVectors(lambda: opened(plain), lambda *at: progress("embedding", *at))
        answer = ask(
            asked,
            environment,
            None if no_model or config.model == NO_MODEL else lambda: opened(config),
            by_vectors=near,
            heard=hear,
        )
    if form == "json":
        from hunkwise.reviewer.answering.telling import told

        click.echo(json.dumps({**told(answer), "seconds": round(time.monotonic() - began, 1)}, indent=2))
    else:
        _finish(answer)
    return 1 if answer.verdict == "not in the documents" else 0


def _print(sentence: Sentence) -> None:
    from hunkwise.reviewer.answering.telling import sentence_lines

    for line in sentence_lines(sentence):
        click.echo(line)
    sys.stdout.flush()


def _finish(answer: Answer) -> None:
    from hunkwise.reviewer.answering.telling import rest_lines

    for line in rest_lines(answer):
        click.echo(line)

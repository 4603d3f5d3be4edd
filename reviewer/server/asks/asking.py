"""What a client asks: the body of `POST /api/ask`, checked, and carried out with a model that is lent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hunkwise.engine import Engine
from hunkwise.reviewer.answering.types import Answer, Heard, Weighed
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.ask import MOST_PASSAGES, PASSAGES, Question, ask, checked
from hunkwise.reviewer.app.telling.index import index_file
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import settings
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.ages import moment
from hunkwise.reviewer.knowledge.port import Filter
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.reviews.asking import folder_of, placeless
from hunkwise.reviewer.server.reviews.working import cache_for, lent
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.text.checked_json import Form, read_as

_LONGEST = 4000  # characters of any text in the body


@dataclass(frozen=True, slots=True)
class Body:
    """A question to one repository of the server's; `passages_only` asks no model."""

    question: str
    repository: str = ""
    model: str = ""
    language: str = "English"
    paths: tuple[str, ...] = ()
    written_in: tuple[str, ...] = ()
    since: str = ""
    passages: int = PASSAGES
    passages_only: bool = False


def read_body(value: Mapping[str, Any], server: Server) -> Body:
    """Read the body; where the server has one repository, it may go without saying. Raises Refused, FormError."""
    body = read_as(Form(partial=True, longest_text=_LONGEST), Body, value)
    try:
        checked(body.question)
        settings()["language"].kind.check(body.language)
    except UsageError as error:
        raise Refused(400, str(error), param="question") from None
    except ValueError as error:
        raise Refused(400, f"language must be {error}", param="language") from None
    if not 1 <= body.passages <= MOST_PASSAGES:
        raise Refused(400, f"passages must be between 1 and {MOST_PASSAGES}", param="passages")
    try:
        late(body)
    except UsageError as error:
        raise Refused(400, str(error), param="since") from None
    known = server.settings.repositories
    if not known:
        raise Refused(
            404, "this server has no repository to ask about; start it with --repository NAME=FOLDER"
        )
    if not body.repository and len(known) > 1:
        raise Refused(400, f"name the repository; one of {', '.join(known)}", param="repository")
    named = body.repository or next(iter(known))
    folder_of(server, named)
    return replace(body, repository=named)


def late(body: Body) -> float:
    """Give the time since which files that are looked in changed; 0 for any. Raises UsageError."""
    return moment(body.since, time.time()) if body.since else 0.0


def repositories(server: Server) -> list[dict[str, Any]]:
    """List the repositories that may be named, and whether they are indexed."""
    return [
        {"name": name, "indexed": index_file(folder, server.environment).exists()}
        for name, folder in server.settings.repositories.items()
    ]


def carry_out(
    server: Server,
    body: Body,
    caller: str,
    stopped: threading.Event,
    *,
    found: Callable[[Sequence[Weighed]], object],
    heard: Heard,
) -> Answer:
    """Answer. Raises Refused, KnowledgeError, EngineError, Cancelled."""
    folder = folder_of(server, body.repository)
    environment = Environment(server.environment.variables, folder, lambda sentence: None)

    def open_engine() -> Engine:
        config = load(flags={}, environ=environment.variables, folder=folder, trusted=False)
        cache = cache_for(server, caller, body.repository, config)
        return lent(server, body.model, config.model, caller, stopped, cache)

    wanted = Filter(body.paths, body.written_in, since=late(body))
    with placeless(folder, body.repository):
        return ask(
            Question(body.question, folder, wanted, body.passages, body.language),
            environment,
            None if body.passages_only else open_engine,
            refresh=False,
            found=found,
            heard=heard,
        )

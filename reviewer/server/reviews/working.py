"""Carrying a review out: in a thread, with a model of the server's that is lent when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager
from dataclasses import replace
from io import StringIO

from hunkwise.engine import Answer, Around, Bundle, Cache, CachedEngine, Capability, Engine, OnText
from hunkwise.engine.errors import Cancelled
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.review import Outcome, review_change
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.server.reviews.asking import Body, prepared
from hunkwise.reviewer.server.state import Lease, Server
from hunkwise.reviewer.types import Finding

Answers = tuple[Answer, ...]
_TAKEN_BACK = "nobody waits for it any more"
_LOOK = 0.2  # seconds between two looks at whether anybody still waits


class Lent(Around):
    """A lent model, which goes back when the review closes it. Each bundle can be taken back.

    With a `cache` what was answered before is not asked again.
    """

    def __init__(
        self,
        lease: AbstractContextManager[Lease],
        caller: str,
        stopped: threading.Event,
        cache: Cache | None = None,
    ) -> None:
        lent = lease.__enter__().engine
        card = lent.card()
        settled = cache is not None and Capability.DETERMINISTIC in card.capabilities
        super().__init__(CachedEngine(lambda: lent, card, cache) if cache and settled else lent)
        self._lease, self._caller, self._stopped = lease, caller, stopped

    def before(self, bundle: Bundle) -> Bundle:
        """Name the review, for fairness between reviews, and so that it stays on one server."""
        if self._stopped.is_set():
            raise Cancelled(_TAKEN_BACK)
        return replace(bundle, caller=bundle.caller or self._caller)

    def ask(self, bundle: Bundle) -> Answers:
        """Ask, and look now and then whether anybody still waits."""
        return _waited(self.submit(bundle), self._stopped)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[Answers]:
        """Pass on."""
        return self.inner.submit(self.before(bundle), on_text)

    def close(self) -> None:
        """Give the model back."""
        self._lease.__exit__(None, None, None)


def cache_for(server: Server, client: str, repository: str, config: Config) -> Cache | None:
    """Give what was answered before to the same client on the same repository, if that is kept."""
    if server.caches is None or not config.remember:
        return None
    folder = server.settings.repositories.get(repository, "")
    return server.caches.of(f"serve\0{client}\0{folder}")


def lent(
    server: Server, named: str, own: str, caller: str, stopped: threading.Event, cache: Cache | None
) -> Lent:
    """Lend the model that the client names, or the server's, or else `own`."""
    if server.settings.engine:
        own = ""  # the engine of other servers has one model
    return Lent(server.lend(named or server.settings.model or own), caller, stopped, cache)


def _waited(future: Future[Answers], stopped: threading.Event) -> Answers:
    while True:
        try:
            return future.result(_LOOK)
        except CancelledError:
            raise Cancelled(_TAKEN_BACK) from None
        except TimeoutError:
            if future.done():
                raise
            if stopped.is_set():
                future.cancel()


def carry_out(
    server: Server,
    body: Body,
    caller: str,
    client: str,
    stopped: threading.Event,
    found: Callable[[Finding], None],
    step: Callable[[int, int], None],
) -> Outcome:
    """Review, and tell of findings and of how far it is. Raises Refused, ReviewError, Cancelled.

    `caller` names the review and `client` who asked for it.
    """

    def open_engine(config: Config, environment: Environment, progress: Progress) -> Engine:
        cache = cache_for(server, client, body.repository, config)
        return lent(server, body.model, config.model, caller, stopped, cache)

    with prepared(server, body, server.settings.request_timeout) as (request, environment):
        outcome = review_change(request, environment, _Steps(step), open_engine=open_engine, found=found)
    if stopped.is_set():
        raise Cancelled(_TAKEN_BACK)
    return outcome


class _Steps(Progress):
    """Progress that is told and not drawn."""

    def __init__(self, step: Callable[[int, int], None]) -> None:
        super().__init__(StringIO(), enabled=False)
        self._step_to = step

    def __call__(self, phase: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Tell."""
        if total:
            self._step_to(done, total)

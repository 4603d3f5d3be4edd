"""`Balanced`: several servers of one model as one engine.

What shares a prefix stays on one server, whose cache then has it: servers are ranked for each caller, or else for
each shared text, by rendezvous hashing, so one that goes or comes moves only its own share. A server whose line is
long is passed over for the next; one that breaks off is left alone for a while, and its bundle goes to another.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hunkwise.engine.errors import EngineError, InvalidQuestion, NativeFailure, QueueFull, Unreachable
from hunkwise.engine.http.remote import Far
from hunkwise.engine.port import Answers, Engine, EngineCard, OnText, wait
from hunkwise.engine.types import Bundle, BundleSize, Piece

T = TypeVar("T")
LEFT_ALONE = 10.0  # seconds after a server broke off
SPILL = 4  # bundles that a server may have more than the idlest one
_ELSEWHERE = (Unreachable, QueueFull, NativeFailure)  # what another server may do better


@dataclass(eq=False)
class Member:
    """One server: its address, how it is connected to, and how it is."""

    url: str
    connect: Callable[[], Engine]
    engine: Engine | None = None
    flying: int = 0
    alone_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def connected(self) -> Engine:
        """Connect, unless that is done. Raises EngineError."""
        with self.lock:
            if self.engine is None:
                self.engine = self.connect()
            return self.engine


class Balanced(Far):
    """One engine of several. Thread-safe."""

    def __init__(
        self,
        members: Sequence[Member],
        say: Callable[[str], None] = lambda sentence: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to all; those that can't be reached are tried again later. Raises EngineError if none can."""
        self._members, self._say, self._clock = tuple(members), say, clock
        self._lock = threading.Lock()
        cards: list[tuple[Member, EngineCard]] = []
        failure: EngineError = InvalidQuestion("no server was named")
        for member in self._members:
            try:
                cards.append((member, member.connected().card()))
            except (Unreachable, QueueFull) as error:
                failure = error
                self._rest(member, error)
        if not cards:
            raise failure
        first = cards[0][1]
        super().__init__(first)
        for member, card in cards[1:]:
            self._check(member, card)
        common = tuple(
            each for each in first.capabilities if all(each in card.capabilities for _, card in cards)
        )
        context = min(card.context for _, card in cards)
        self._card = replace(first, capabilities=common, context=context)

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count by the tokenizer of whichever server is there."""
        return self._elsewhere(bundle, lambda engine: engine.measure(bundle))

    def leave(self) -> None:
        """Close all connections."""
        for member in self._members:
            if member.engine is not None:
                member.engine.close()

    def reply(self, bundle: Bundle, on_text: OnText | None, stopped: Callable[[], bool]) -> Answers:
        """Ask one server after the other; who takes the bundle back takes it from the one that has it."""
        told: dict[str, int] = {}
        started = time.monotonic()

        def tell(name: str, piece: Piece) -> None:
            """Tell only what was not told before another server began anew."""
            heard[name] = heard.get(name, "") + piece
            fresh = heard[name][told.get(name, 0) :]
            if fresh and on_text:
                told[name] = len(heard[name])
                on_text(name, Piece(fresh, piece.tokens))

        def once(engine: Engine) -> Answers:
            heard.clear()
            passed = time.monotonic() - started
            left = None if bundle.deadline is None else max(0.0, bundle.deadline - passed)
            part = replace(bundle, deadline=left)
            return wait(engine.submit(part, tell if on_text else None), part)

        heard: dict[str, str] = {}
        return self._elsewhere(bundle, once)

    def _elsewhere(self, bundle: Bundle, ask: Callable[[Engine], T]) -> T:
        """Ask one server after the other, until one answers. Raises what the last one raised."""
        self.check_open()
        failure: EngineError | None = None
        for member in self._order(bundle):
            try:
                with self._flying(member):
                    fresh = member.engine is None
                    engine = member.connected()
                    if fresh:
                        self._check(member, engine.card())
                    return ask(engine)
            except _ELSEWHERE as error:
                failure = error
                self._rest(member, error)
        assert failure is not None
        raise failure

    def _order(self, bundle: Bundle) -> list[Member]:
        """Rank the servers for a bundle; those left alone come last."""
        key = bundle.caller or repr(bundle.shared)
        ranked = sorted(self._members, key=lambda member: _weight(member.url, key), reverse=True)
        with self._lock:
            now, idlest = self._clock(), min(member.flying for member in ranked)
            return sorted(
                ranked, key=lambda member: (member.alone_until > now, member.flying > idlest + SPILL)
            )

    @contextmanager
    def _flying(self, member: Member) -> Iterator[None]:
        with self._lock:
            member.flying += 1
        try:
            yield
        finally:
            with self._lock:
                member.flying -= 1

    def _rest(self, member: Member, error: EngineError) -> None:
        wait_for = error.retry_after if isinstance(error, QueueFull) else LEFT_ALONE
        with self._lock:
            first = member.alone_until <= self._clock()
            member.alone_until = self._clock() + wait_for
        if first and not isinstance(error, QueueFull):
            self._say(f"{error}; the others go on")

    def _check(self, member: Member, card: EngineCard) -> None:
        """Refuse a server that answers with another model: one review has one."""
        mine = self._card
        same = card.identity == mine.identity or (
            card.model == mine.model and type(card.identity) is type(mine.identity)
        )
        if not same:
            raise InvalidQuestion(
                f"{member.url} answers with {card.model} and the others with {mine.model}; "
                "servers of one engine must have the same model"
            )


def _weight(url: str, key: str) -> bytes:
    return hashlib.sha256(f"{url}\0{key}".encode("utf-8", "replace")).digest()

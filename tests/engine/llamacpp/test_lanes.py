"""The step that moves all lanes on, with the small model's own context."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from hunkwise.engine import Answer, Generated, LocalEngine, Usage
from hunkwise.engine.llamacpp.decoding.lanes import Lanes, Sequences, Trunk
from hunkwise.engine.llamacpp.decoding.works.work import NOTHING, Feed, Work
from hunkwise.engine.llamacpp.native import Context, Row

pytestmark = pytest.mark.model


@pytest.fixture
def context(engine: LocalEngine) -> Iterator[Context]:
    made = Context(engine._model, cells=256, sequences=4, batch=128, outputs=8, threads=1)
    yield made
    made.close()


class Watched:
    """A work of one token that notes what happens to it, and in which thread."""

    cells = 1
    vectors = False

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self._feed: Feed = (np.array([7], np.int32), 1)

    def next(self) -> Feed:
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        self.seen.append(("foresee", threading.get_ident()))

    def take(self, row: Row) -> None:
        self.seen.append(("take", threading.get_ident()))

    def branches(self) -> Sequence[Work]:
        return ()

    def answer(self, usage: Usage) -> Answer:
        return Generated("", "", "stop", usage)


def test_what_needs_no_logits_runs_beside_the_decode(context: Context) -> None:
    """A work looks ahead in another thread, and has done so before it gets its logits."""
    sequences, work = Sequences(4), Watched()
    done: list[object] = []
    lanes = Lanes(context, sequences)

    lanes.start(work, Trunk(sequences.take(), np.empty(0, np.int32)), done.append)
    lanes.step()

    (first, thread), (second, owner) = work.seen
    assert (first, second, owner) == ("foresee", "take", threading.get_ident())
    assert thread != owner
    assert len(done) == 1

"""`/metrics` of who takes in webhooks: how many jobs there are, how long they waited, how they ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import listening, make_server

from hunkwise.reviewer.bot.port import ChangeId, Pushed
from hunkwise.reviewer.bot.queue.port import Queue, QueueError
from hunkwise.reviewer.bot.receiving import receiver
from hunkwise.reviewer.server.asgi import make_app

OpenQueue = Callable[..., Queue]
HOOK = {"HUNKWISE_GITHUB_WEBHOOK_SECRET": "s"}


def push(number: int) -> Pushed:
    return Pushed(ChangeId("github", "https://github.com", "octo/repo", number), "a" * 40)


def measured(queue: Any, *, alone: bool, times: int = 1) -> dict[tuple[str, str], float]:
    """What a server tells of a queue at the last of some visits, by name and by label."""
    server = make_server()
    server.jobs, server.alone = queue, alone
    with listening(make_app(server)) as client:
        text = [client.get("/metrics").text for _ in range(times)][-1]
    return {
        (sample.name, sample.labels.get("queue") or sample.labels.get("outcome", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


@pytest.mark.parametrize("alone", [False, True])
def test_jobs_are_told_once_by_whom_asks(open_queue: OpenQueue, alone: bool) -> None:
    """Though others do them; a second visit counts nothing twice."""
    queue, worker = open_queue(), open_queue()
    for number in range(1, 6):
        queue.accept(f"d{number}", push(number))
    ends: list[Callable[[Any], object]] = [
        worker.done,
        lambda lease: worker.done(lease, superseded=True),
        lambda lease: worker.fail(lease, "soon"),
        lambda lease: worker.bury(lease, "never"),
    ]
    for end in ends:
        end(worker.claim())

    found = measured(queue, alone=alone, times=2)

    outcomes = {name: found["hunkwise_jobs_total", name] for name in ("done", "superseded", "failed", "dead")}
    assert outcomes == dict.fromkeys(outcomes, 1)
    depths = {name: found["hunkwise_queue_depth", f"bot_{name}"] for name in ("waiting", "running", "dead")}
    assert depths == {"waiting": 1, "running": 1, "dead": 1}
    assert found["hunkwise_queue_wait_seconds_count", "bot"] == 4
    assert found["hunkwise_queue_wait_seconds_sum", "bot"] >= 0


def test_a_queue_out_of_reach_costs_no_other_figure() -> None:
    class Gone:
        def news(self) -> Any:
            raise QueueError("gone")

    found = measured(Gone(), alone=True)

    assert found["hunkwise_queue_depth", "requests"] == 1
    assert ("hunkwise_queue_depth", "bot_waiting") not in found


def test_who_takes_in_webhooks_has_the_queue(tmp_path: Path) -> None:
    """That of the environment, in which its deliveries end."""
    made = receiver({**HOOK, "HUNKWISE_QUEUE": str(tmp_path / "q")})
    made.queue.accept("d1", push(1))

    assert measured(made.queue, alone=True)["hunkwise_queue_depth", "bot_waiting"] == 1

"""Whoever dies, and whenever: each change has one review in the end, and nothing is posted twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest
from botkilled import STEPS, opened, work_until
from botredis import RedisServer
from botworld import drained, forge, is_up_to_date, remarks, reviewed, worker

from hunkwise.reviewer.bot.port import ForgeName
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.types import Review

REPO: dict[ForgeName, str] = {"github": "octo/repo", "gitlab": "group/sub/project", "gitea": "octo/repo"}


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that begin with all modules imported."""
    context = multiprocessing.get_context("forkserver")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # Python 3.11 preloads by nothing else
        context.set_forkserver_preload(["botkilled"])
        forkserver.ensure_running()
    return context


@pytest.mark.parametrize("store", ["sqlite", "redis"])
@pytest.mark.parametrize("point", STEPS)
def test_a_worker_killed_at_any_step_costs_nothing(
    store: str,
    point: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    processes: multiprocessing.context.ForkServerContext,
) -> None:
    place = request.getfixturevalue("redis_server").url if store == "redis" else str(tmp_path / "q")
    prefix = f"killed-{point}:"
    kind = list(REPO)[STEPS.index(point) % 3]
    queue, other = opened(place, prefix, lease=0), opened(place, prefix)
    with forge(kind) as world:
        fake = world.add(REPO[kind])
        queue.accept("d1", world.pushed(fake.name))
        dying = processes.Process(target=work_until, args=(point, kind, world.url, place, prefix))
        dying.start()
        dying.join()
        assert dying.exitcode == -signal.SIGKILL

        drained([worker(queue, world), worker(other, world)])

        assert is_up_to_date(fake)
        assert queue.entries() == ()
    for each in (queue, other):
        each.close()


@pytest.fixture
def shaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that a test may kill."""
    server = RedisServer(tmp_path_factory.mktemp("k"))
    yield server
    server.kill()


@pytest.mark.parametrize("when", ["while it reviews", "before it is done"])
def test_a_redis_that_is_killed_in_mid_job_loses_nothing(shaky: RedisServer, when: str) -> None:
    queue = opened(shaky.url, "shaky:", lease=0)
    with forge("gitea") as world:
        fake = world.add("octo/repo")

        def outlived(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
            if when == "while it reviews":
                shaky.kill()
                assert wanted(), "what was begun goes on"
                shaky.start()
            return remarks(commits.head)

        def reached(step: str) -> None:
            if step == "shown" and when == "before it is done":
                shaky.kill()

        queue.accept("d1", world.pushed("octo/repo"))
        worker(queue, world, review=outlived, reached=reached).step()
        if when == "before it is done":
            shaky.start()
            drained([worker(queue, world, review=reviewed)])

        assert is_up_to_date(fake)
        assert queue.entries() == ()
    queue.close()


def test_a_worker_that_lost_its_job_posts_nothing(tmp_path: Path) -> None:
    """It hung for longer than its lease, and another one has the job."""
    slow, quick = opened(str(tmp_path / "q"), ""), opened(str(tmp_path / "q"), "", lease=0)
    with forge("github") as world:
        fake = world.add("octo/repo")

        def hangs(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
            drained([worker(quick, world)])
            return remarks("0" * 40)

        slow.accept("d1", world.pushed("octo/repo"))
        worker(slow, world, review=hangs).step()

        assert is_up_to_date(fake)
    for queue in (slow, quick):
        queue.close()


def test_the_worker_of_a_server_ends_with_it_however_that_dies(tmp_path: Path) -> None:
    """Else it would have jobs reviewed by an engine that is gone."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HUNKWISE_GITLAB_TOKEN": "t"}
    environ["TMPDIR"] = str(tmp_path)  # elsewhere there may be folders of workers that other tests killed
    program = [sys.executable, "-c", "from hunkwise.reviewer.cli import main; main()"]
    with subprocess.Popen(
        [*program, "bot", "work", "--attached", "--model=none"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=tmp_path,
    ) as process:
        assert process.stderr is not None
        assert b"working for gitlab" in process.stderr.readline()
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(60) == 0

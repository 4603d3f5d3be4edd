"""An engine in a process of its own: what happens when that process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import tiny

from hunkwise.engine import (
    Bundle,
    Choice,
    Choose,
    Generate,
    ModelSpec,
    Plan,
    ScriptedEngine,
    Segment,
    Statistics,
    open_isolated,
)
from hunkwise.engine.errors import (
    Cancelled,
    Closed,
    DeadlineExceeded,
    InvalidQuestion,
    NativeFailure,
    PromptTooLong,
)
from hunkwise.engine.worker import child, isolation
from hunkwise.engine.worker.isolation import IsolatedEngine
from hunkwise.engine.worker.process import scrubbed
from hunkwise.engine.worker.wire import BadMessage, pack, unpack_error

FRAGILE = "hunkwise.engine.testing:fragile"
SPEC = ModelSpec("fake", "0" * 64, (Path("/nowhere.gguf"),))


def asking(*names: str, deadline: float | None = None) -> Bundle:
    return Bundle(
        (), tuple(Choose(name, (Segment("?"),), ("yes", "no")) for name in names), deadline=deadline
    )


def isolated(
    say: Callable[[str], None] = lambda sentence: None, patience: float = 60.0, **options: Any
) -> IsolatedEngine:
    return IsolatedEngine(SPEC, FRAGILE, environ=os.environ, options=options, patience=patience, say=say)


def test_answers_are_those_of_the_engine_itself() -> None:
    """The same answers, counts and card come from the child as from the engine in this process."""
    here = ScriptedEngine(model="fake")
    said: list[str] = []
    with isolated(said.append) as engine:
        assert engine.ask(asking("a", "b")) == here.ask(asking("a", "b"))
        assert engine.measure(asking("a")) == here.measure(asking("a"))
        assert engine.card() == here.card()
    assert said == ["loading, killed 0 times before"]


def test_statistics_come_along() -> None:
    """What was asked is counted as here, over processes that died and after the last one was ended."""
    with isolated(ends={"bad": "exit"}) as engine:
        assert engine.statistics() == Statistics()
        engine.ask(asking("a", "b"))
        engine.ask(asking("c"))
        assert engine.statistics() == Statistics(bundles=2, questions=3)
        with pytest.raises(NativeFailure):
            engine.ask(asking("bad"))
        engine.ask(asking("d"))
        assert engine.statistics() == Statistics(bundles=3, questions=4)
    assert engine.statistics() == Statistics(bundles=3, questions=4)


def test_errors_of_the_engine_are_raised_here() -> None:
    """With type and numbers; the child lives on."""
    with isolated(error="long") as engine:
        with pytest.raises(PromptTooLong) as caught:
            engine.ask(asking("long"))
        assert (caught.value.tokens, caught.value.limit) == (5000, 4096)
        assert engine.ask(asking("a"))


@pytest.mark.parametrize(
    ("way", "sentence", "kills"),
    [
        ("abort", "SIGABRT", 0),
        ("full", r"SIGABRT \(CUDA error: out of memory\): most likely memory ran out", 2),
        ("kill", "SIGKILL.*memory ran out", 2),
        ("exit", "exit code 7", 0),
    ],
)
def test_a_bundle_that_kills_twice_fails_alone(way: str, sentence: str, kills: int) -> None:
    """It raises a NativeFailure that says how the process ended; what comes after it is answered.

    Where memory ran out, a GPU's too, the next process learns of it, so that it can take less.
    """
    said: list[str] = []
    with isolated(said.append, ends={"bad": way}) as engine:
        assert engine.ask(asking("a"))
        with pytest.raises(NativeFailure, match=sentence):
            engine.ask(asking("b", "bad"))
        assert engine.ask(asking("c"))
    assert sum("starting it again" in sentence for sentence in said) == 1
    assert said[-1] == f"loading, killed {kills} times before"


def test_kills_that_are_far_apart_are_not_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has answered for long was not too large, so the next one takes hardly less."""
    monkeypatch.setattr(isolation, "_SEASONED", 2)
    said: list[str] = []
    with isolated(said.append, ends={"bad": "kill"}) as engine:
        for _ in range(2):
            engine.ask(asking("a"))
            engine.ask(asking("b"))
            with pytest.raises(NativeFailure, match="SIGKILL"):
                engine.ask(asking("bad"))
    told = [sentence for sentence in said if sentence.startswith("loading")]
    assert told == [f"loading, killed {count} times before" for count in (0, 1, 2, 1)]


def test_an_accident_is_made_good(tmp_path: Path) -> None:
    """A process that dies once is replaced, and all that had no answer is asked again: nothing is lost."""
    with (
        isolated(ends={"bad": "abort"}, once=str(tmp_path / "once")) as engine,
        ThreadPoolExecutor(8) as threads,
    ):
        names = [*"abcdefgh", "bad", *"ijklmnop"]
        answers = list(threads.map(lambda name: engine.ask(asking(name)), names))
    assert [answer[0].id for answer in answers] == names
    assert (tmp_path / "once").exists()


def test_a_hang_is_ended() -> None:
    """A process that says nothing for too long is stopped, and that is said."""
    with isolated(patience=2, ends={"bad": "hang"}) as engine:
        assert engine.ask(asking("a"))
        with pytest.raises(NativeFailure, match="said nothing for"):
            engine.ask(asking("bad"))
        assert engine.ask(asking("b"))


def test_a_deadline_frees_the_caller() -> None:
    """Who set a deadline does not wait for a child that hangs; others are still answered by it."""
    with isolated(ends={"bad": "hang"}) as engine:
        with pytest.raises(DeadlineExceeded):
            engine.ask(asking("bad", deadline=0.2))
        assert engine.ask(asking("a"))


def test_a_load_that_dies_once_is_repeated(tmp_path: Path) -> None:
    """The second load knows that the first was killed, so that it can take less memory."""
    said: list[str] = []
    with isolated(said.append, ends={"load": "kill"}, once=str(tmp_path / "once")) as engine:
        assert engine.ask(asking("a"))
    assert said[-1] == "loading, killed 1 times before"


def test_a_load_that_always_dies_is_an_error() -> None:
    """Nobody waits for ever."""
    with pytest.raises(NativeFailure, match="SIGABRT"):
        isolated(ends={"load": "abort"})


def test_a_process_that_only_dies_is_given_up() -> None:
    """After four deaths in a row no more processes are started."""
    with isolated(ends={"bad": "exit"}) as engine:
        for _ in range(2):
            with pytest.raises(NativeFailure, match="exit code"):
                engine.ask(asking("bad"))
        with pytest.raises(NativeFailure, match="4 times in a row"):
            engine.ask(asking("a"))


def test_killed_from_outside() -> None:
    """A child that the system ends in the middle of a bundle is replaced."""
    with isolated(ends={"slow": "hang"}) as engine, ThreadPoolExecutor() as threads:
        slow = threads.submit(engine.ask, asking("slow"))
        for _ in range(2):
            time.sleep(0.3)
            child = engine._child
            assert child is not None
            child._loading.result(10)
            os.kill(child._process.pid, signal.SIGKILL)
        with pytest.raises(NativeFailure, match="SIGKILL"):
            slow.result(10)


def test_closing_ends_the_child_and_frees_who_waits() -> None:
    """What is being asked raises Cancelled, and what comes later Closed."""
    engine = isolated(ends={"slow": "hang"})
    child = engine._child
    assert child is not None
    threading.Timer(0.2, engine.close).start()
    with pytest.raises(Cancelled):
        engine.ask(asking("slow"))
    with pytest.raises(Closed):
        engine.ask(asking("a"))
    assert child._process.poll() is not None


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even when the parent is killed in the middle of a bundle."""
    script = f"""
        import os
        from pathlib import Path
        from hunkwise.engine import Bundle, Choose, ModelSpec, Segment
        from hunkwise.engine.worker.isolation import IsolatedEngine
        spec = ModelSpec("fake", "", (Path("/nowhere"),))
        engine = IsolatedEngine(spec, "{FRAGILE}", environ=os.environ, options={{"ends": {{"q": "hang"}}}})
        Path("{tmp_path}/pid").write_text(str(engine._child._process.pid))
        engine.ask(Bundle((), (Choose("q", (Segment("?"),), ("a", "b")),)))
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    until = time.monotonic() + 120
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    pid = int((tmp_path / "pid").read_text())
    while _lives(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_the_environment_is_scrubbed() -> None:
    """Tokens stay here; what finds libraries and devices goes along."""
    given = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "1",
        "GITHUB_TOKEN": "x",
        "HF_TOKEN": "y",
        "PYTHONPATH": ".",
    }
    assert scrubbed(given) == {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "GGML_NO_BACKTRACE": "1"}


def test_what_is_too_large_is_refused_before_it_is_sent() -> None:
    """The child hears nothing of it and lives on."""
    with isolated() as engine:
        huge = Bundle((), (Choose("q", (Segment("?"),), ("x" * (65 << 20), "y")),))
        with pytest.raises(Exception, match="can't be handed"):
            engine.ask(huge)
        (answer,) = engine.ask(asking("a"))
        assert isinstance(answer, Choice)


def test_answers_that_are_too_large_to_be_sent_are_the_questions_fault() -> None:
    """Vectors of thousands of texts: who asked is told to ask for fewer, and nothing is called a defect."""
    told: SimpleQueue[Any] = SimpleQueue()

    def reply(message: Any) -> None:
        if "value" in message:
            raise BadMessage("a message of 9 bytes, more than 8")
        if "error" in message:
            told.put(message)

    loading: Future[Any] = Future()
    loading.set_result(ScriptedEngine())
    with ThreadPoolExecutor(2) as threads:
        child._Work(loading, threads, reply).take({"id": 1, "verb": "ask", "bundle": pack(asking("a"))})
        error = unpack_error(told.get(timeout=60)["error"])
    assert isinstance(error, InvalidQuestion)
    assert "ask for fewer" in str(error)


def test_texts_come_as_they_are_written_and_end_when_taken_back(tmp_path: Path) -> None:
    """Piece by piece from the other process; what is taken back is written no further there."""
    spec = ModelSpec("tiny", "0" * 64, (tiny.write(tmp_path / "m.gguf", context=4096),))
    asked = Bundle((Segment("def add("),), (Generate("q", (Segment("?"),), 3000),))
    with open_isolated(spec, Plan(n_ctx=4096, n_seq=2, n_threads=1), environ=os.environ) as engine:
        pieces: list[str] = []
        begun = threading.Event()

        def hear(_: str, piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 3:
                begun.set()

        future = engine.submit(asked, hear)
        assert begun.wait(60)
        assert future.cancel()

        short = Bundle((Segment("x"),), (Generate("q", (Segment("?"),), 3),))
        assert engine.ask(
            short
        )  # one bundle runs at a time: had the other gone on, this would have waited for it
        assert len(pieces) < 2900


def test_a_death_in_the_middle_of_a_text_is_an_error(tmp_path: Path) -> None:
    """What was told can't be unsaid, so it is not begun anew; the next bundle is answered."""
    spec = ModelSpec("tiny", "0" * 64, (tiny.write(tmp_path / "m.gguf", context=4096),))
    asked = Bundle((Segment("def add("),), (Generate("q", (Segment("?"),), 3000),))
    with open_isolated(spec, Plan(n_ctx=4096, n_seq=2, n_threads=1), environ=os.environ) as engine:
        begun = threading.Event()
        future = engine.submit(asked, lambda _id, _piece: begun.set())
        assert begun.wait(60)
        assert engine._child
        os.kill(engine._child._process.pid, signal.SIGKILL)
        with pytest.raises(NativeFailure, match="in the middle of a text"):
            future.result(60)
        assert engine.alive
        assert engine.measure(asked).fits

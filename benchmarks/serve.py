"""`hunkwise serve` beside llama-server of the same llama.cpp, with the same model, on this machine.

    python benchmarks/serve.py [--build FOLDER] [--model NAME] [--rounds N] [--lanes N] [--questions N]
    python benchmarks/serve.py --only http

(a) different chats at once; (b) many questions about one prefix; (c) reviews at once; (d) what HTTP adds to an
answer. Both servers stand at the same time and are asked in turns, each first every other round. Rates are per
second of the clock, and per second of CPU time, which other work on the machine does not change. llama-server is
built once, in FOLDER, from the sources inside llama-cpp-python: cmake, ninja, ten minutes or so on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine_peers import build_server
from served import Peer, server

from hunkwise.engine import Bundle, Choose, Segment, connect, library_from_environment

Work = Callable[[], tuple[int, float]]  # does something; gives how often, and seconds to a first token
CONTEXT, WORDS, REVIEWS = 2048, 32, 4
HERE = Path(__file__).parent
SILENT: list[object] = [sys.executable, HERE / "silent.py", "--port", "PORT"]
CODE = (HERE / "engine_peers.py").read_text("utf-8")
CHANGE = (HERE.parent / "examples" / "clean-simplify.patch").read_text("utf-8")


@dataclass(frozen=True)
class Rate:
    """How many of something a second, by the clock and by CPU time, and the median time to a first token."""

    clock: float
    cpu: float
    first: float = 0.0


def rated(peer: Peer, work: Work) -> Rate:
    """Time some work, which says how many it did."""
    cpu, started = peer.cpu(), time.perf_counter()
    count, first = work()
    seconds = time.perf_counter() - started
    return Rate(count / seconds, count / max(peer.cpu() - cpu, 0.01), first)


def chat(peer: Peer, prompt: str, words: int = WORDS) -> tuple[int, float]:
    """Stream a chat over OpenAI's API, which both have; gives its tokens, and seconds to the first."""
    body = {
        "model": peer.model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": words,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    started, first, tokens = time.perf_counter(), 0.0, 0
    with peer.client.stream("POST", "/v1/chat/completions", json=body) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line[6:])
            if not first and any((each.get("delta") or {}).get("content") for each in event["choices"]):
                first = time.perf_counter() - started
            tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
    return tokens, first


def chats(peer: Peer, count: int, number: int) -> tuple[int, float]:
    """Ask different things at once."""
    prompts = [f"Case {number}-{n}. What does this do?\n{CODE[n * 500 :][:700]}" for n in range(count)]
    with ThreadPoolExecutor(count) as threads:
        done = list(threads.map(lambda prompt: chat(peer, prompt), prompts))
    return sum(tokens for tokens, _ in done), statistics.median(first for _, first in done)


def prefix_of(number: int) -> str:
    """Make a prefix of about six hundred tokens that nobody has seen."""
    return f"Round {number}.\n{CODE[:2000]}\n"


def questions(count: int) -> list[str]:
    """Make questions about it."""
    return [f"Does line {n} hold a mistake? Answer Yes or No:" for n in range(1, count + 1)]


def questions_there(peer: Peer, prefix: str, count: int, *, primed: bool) -> tuple[int, float]:
    """Ask llama-server all at once; `primed`, it is asked one first, and has the prefix for the others."""

    def one(question: str) -> None:
        body: dict[str, Any] = {"prompt": prefix + question, "n_predict": 1, "temperature": 0}
        body |= {"cache_prompt": True, "n_probs": 10}
        peer.client.post("/completion", json=body).raise_for_status()

    asked = questions(count)
    if primed:
        one(asked[0])
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(one, asked[primed:]))
    return count, 0.0


def questions_here(peer: Peer, prefix: str, count: int) -> tuple[int, float]:
    """Ask hunkwise all of them as one bundle."""
    parts = tuple(
        Choose(str(n), (Segment(question, "raw"),), (" Yes", " No"))
        for n, question in enumerate(questions(count))
    )
    engine = connect(f"hunkwise+{peer.url}", peer.model)
    try:
        engine.ask(Bundle((Segment(prefix, "raw"),), parts))
    finally:
        engine.close()
    return count, 0.0


def reviews(peer: Peer, count: int, number: int) -> tuple[int, float]:
    """Review changes at once, each a little different, so that no answer is kept of another."""

    def one(n: int) -> None:
        diff = CHANGE.replace("total", f"total_{number}_{n}").replace("result", f"result_{number}_{n}")
        done = peer.client.post("/api/review", json={"diff": diff, "model": peer.model})
        assert done.raise_for_status().json()["status"] == "done", done.text

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(one, range(count)))
    return count, 0.0


def overhead(peer: Peer, times: int = 200) -> tuple[list[float], float]:
    """Time requests to a server whose engine answers at once; gives milliseconds in order, and those of CPU."""
    body = {"model": peer.model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}

    def one() -> float:
        started = time.perf_counter()
        peer.client.post("/v1/chat/completions", json=body).raise_for_status()
        return (time.perf_counter() - started) * 1000

    for _ in range(20):
        one()
    before = peer.cpu()
    took = sorted(one() for _ in range(times))
    return took, (peer.cpu() - before) / times * 1000


def row(name: str, here: list[Rate], there: list[Rate]) -> None:
    """Print medians, and the median of the ratios of each round."""
    for what in ("clock", "cpu"):
        ours, theirs = ([getattr(rate, what) for rate in rates] for rates in (here, there))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        per = f"{name}/{'s' if what == 'clock' else 'CPU s'}"
        print(f"{per:34}{statistics.median(ours):10.2f}{statistics.median(theirs):14.2f}{ratio:8.2f}")
    if here[0].first:
        ours, theirs = ([rate.first for rate in rates] for rates in (here, there))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"{'first token, s':34}{statistics.median(ours):10.2f}{statistics.median(theirs):14.2f}{ratio:8.2f}"
        )


def main() -> None:
    """Compare, and print what was compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=Path.home() / ".cache" / "hunkwise-bench")
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lanes", type=int, default=8, help="requests side by side, and chats at once")
    parser.add_argument("--primed", action="store_true", help="ask llama-server one question first, too")
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument(
        "--only", choices=["http"], help="measure (d) alone, without another server or its build"
    )
    given = parser.parse_args()
    if given.only:
        alone(given.model)
        return
    weights = library_from_environment(os.environ).ensure(given.model, lambda *_: None).weights[0]
    threads = os.cpu_count() or 1
    python = Path(sys.executable)
    theirs: list[object] = [
        build_server(given.build), "-m", weights, "-c", CONTEXT * given.lanes, "-np", given.lanes, "-kvu",
        "-fa", "on", "-t", threads, "-tb", threads, "-b", 512, "-ub", 512, "--cache-ram", 8192,
        "--no-repack",  # as ours loads; repacked for AMX, kernels of GCC 12 end in SIGILL
        "--host", "127.0.0.1", "--port", "PORT", "--no-webui",
    ]  # fmt: skip
    ours: list[object] = [python.with_name("hunkwise"), "serve", "--port", "PORT", "--model", given.model]
    print(f"{given.model}, {given.lanes} lanes of {CONTEXT} tokens, {threads} threads, {given.rounds} rounds")
    with tempfile.TemporaryDirectory() as kept, server("silent.py", SILENT, "/healthz", given.model) as mute:
        waiting = {
            "OMP_WAIT_POLICY": "passive"
        }  # which hunkwise sets by itself: else threads spin at barriers
        own = {
            "HUNKWISE_NUM_PARALLEL": str(given.lanes),
            "HUNKWISE_CONTEXT_LENGTH": str(CONTEXT),
            "XDG_CACHE_HOME": kept,
        }
        with (
            server("hunkwise", ours, "/healthz", given.model, **own) as here,
            server("llama-server", theirs, "/health", given.model, **waiting) as there,
        ):
            compare(here, there, given)
        tell_overhead(mute)


def alone(model: str) -> None:
    """Measure what HTTP adds, and nothing else."""
    with server("silent.py", SILENT, "/healthz", model) as mute:
        tell_overhead(mute)


def tell_overhead(mute: Peer) -> None:
    """Print what HTTP adds."""
    took, cpu = overhead(mute)
    print(
        f"HTTP, ms a request: median {statistics.median(took):.2f}, a tenth under {took[len(took) // 10]:.2f}, "
        f"fastest {took[0]:.2f}; {cpu:.2f} of CPU time in the server"
    )


def compare(here: Peer, there: Peer, given: argparse.Namespace) -> None:
    """Ask both in turns."""
    for peer in (here, there):
        chat(peer, "Warm up.", 2)
    table: dict[str, tuple[list[Rate], list[Rate]]] = {}

    def both(name: str, ours: Work, theirs: Work, number: int) -> None:
        mine, other = table.setdefault(name, ([], []))
        print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
        asked = [(here, ours, mine), (there, theirs, other)]
        for peer, work, rates in reversed(asked) if number % 2 else asked:
            rates.append(rated(peer, work))

    count = given.questions
    for number in range(given.rounds):
        both(
            "tokens",
            partial(chats, here, given.lanes, number),
            partial(chats, there, given.lanes, number),
            number,
        )
        for primed in (False, True) if given.primed else (False,):
            prefix = prefix_of(2 * number + primed)
            both(
                "questions" + (", one asked first" if primed else ""),
                partial(questions_here, here, prefix, count),
                partial(questions_there, there, prefix, count, primed=primed),
                number,
            )
    print(f"{'':34}{'hunkwise':>10}{'llama-server':>14}{'ratio':>8}")
    for name, (mine, other) in table.items():
        row(name, mine, other)
    rates = [rated(here, partial(reviews, here, REVIEWS, n)) for n in range(given.rounds)]
    print(f"reviews an hour, {REVIEWS} at once: {3600 * statistics.median(rate.clock for rate in rates):.0f}")


if __name__ == "__main__":
    main()

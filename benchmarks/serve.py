"""`hunkwise serve` beside llama-server of the same llama.cpp, with the same model, on this machine.

    python benchmarks/serve.py [--folder FOLDER] [--model NAME] [--rounds N]

(a) as many chats at once as there are lanes, all different; (b) many questions about one prefix; (c) what HTTP
adds to an answer of the engine. Both servers stand at the same time and are asked in turns, so that both meet the
same machine. llama-server is built once from the sources inside llama-cpp-python (ten minutes on two cores).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from engine_peers import build_server

from hunkwise.engine import Bundle, Choose, Generate, Segment, connect, library_from_environment

LANES, CONTEXT, WORDS, QUESTIONS = 4, 2048, 32, 24
CODE = Path(__file__).read_text("utf-8")


@dataclass
class Chat:
    """One streamed answer."""

    first: float  # seconds to the first token
    seconds: float
    tokens: int


def free_port() -> int:
    """Find a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[object], port: int, path: str, **environment: str) -> Iterator[str]:
    """Run a server until it is no longer needed; gives its address once it answers."""
    started = subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                if httpx.get(url + path, timeout=5).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        else:
            raise SystemExit(f"{command[0]} does not start")
        yield url
    finally:
        started.terminate()
        started.wait(60)


def chat(url: str, model: str, prompt: str) -> Chat:
    """Stream a chat over OpenAI's API, which both have."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": WORDS,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    started, first, tokens = time.perf_counter(), 0.0, 0
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=600) as answer:
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line[6:])
            if not first and any((choice.get("delta") or {}).get("content") for choice in event["choices"]):
                first = time.perf_counter() - started
            tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
    return Chat(first, time.perf_counter() - started, tokens)


def chats(url: str, model: str, round_: int) -> tuple[float, float]:
    """Ask different things at once; gives tokens a second of all, and the median time to the first token."""
    prompts = [
        f"Case {round_}-{n}. What does this do?\n{CODE[n * 700 : n * 700 + 700]}" for n in range(LANES)
    ]
    started = time.perf_counter()
    with ThreadPoolExecutor(LANES) as threads:
        done = list(threads.map(lambda prompt: chat(url, model, prompt), prompts))
    seconds = time.perf_counter() - started
    return sum(each.tokens for each in done) / seconds, statistics.median(each.first for each in done)


def asked(round_: int) -> tuple[str, list[str]]:
    """Make a prefix, and questions about it."""
    prefix = f"Round {round_}.\n{CODE[:3000]}\n"
    return prefix, [f"Does line {n} hold a mistake? Answer Yes or No:" for n in range(1, QUESTIONS + 1)]


def questions_there(url: str, round_: int) -> float:
    """Ask llama-server all questions at once, over its own prefix cache; gives questions a second."""
    prefix, questions = asked(round_)

    def one(question: str) -> None:
        body = {
            "prompt": prefix + question,
            "n_predict": 1,
            "temperature": 0,
            "cache_prompt": True,
            "n_probs": 10,
        }
        httpx.post(f"{url}/completion", json=body, timeout=600).raise_for_status()

    started = time.perf_counter()
    one(questions[0])  # else each lane computes the prefix for itself
    with ThreadPoolExecutor(LANES) as threads:
        list(threads.map(one, questions[1:]))
    return len(questions) / (time.perf_counter() - started)


def questions_here(url: str, model: str, round_: int) -> float:
    """Ask hunkwise all questions as one bundle; gives questions a second."""
    prefix, questions = asked(round_)
    parts = tuple(
        Choose(str(n), (Segment(question, "raw"),), (" Yes", " No")) for n, question in enumerate(questions)
    )
    engine = connect(f"hunkwise+{url}", model)
    try:
        started = time.perf_counter()
        engine.ask(Bundle((Segment(prefix, "raw"),), parts))
        return len(questions) / (time.perf_counter() - started)
    finally:
        engine.close()


def overhead(url: str, model: str) -> tuple[float, float]:
    """Give the median seconds of a request that computes nothing, and of the shortest one that does."""
    engine = connect(f"hunkwise+{url}", model)
    short = Bundle((), (Generate("g", (Segment("Hi", "raw"),), 1),))

    def median(call: Callable[[], object], times: int) -> float:
        found = []
        for _ in range(times):
            started = time.perf_counter()
            call()
            found.append(time.perf_counter() - started)
        return statistics.median(found)

    try:
        with httpx.Client(base_url=url) as client:
            return median(lambda: client.get("/api/version"), 200), median(lambda: engine.ask(short), 30)
    finally:
        engine.close()


def main() -> None:
    """Compare, and print what was compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "hunkwise-bench")
    parser.add_argument("--model", default="qwen2.5-coder:0.5b")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    binary = build_server(given.folder)
    weights = library_from_environment(os.environ).ensure(given.model, lambda *_: None).weights[0]
    threads, ours, theirs = os.cpu_count() or 1, free_port(), free_port()
    peer = [
        binary, "-m", weights, "-c", CONTEXT * LANES, "-np", LANES, "-kvu", "-fa", "on",
        "-t", threads, "-tb", threads,
        "--cache-ram", 8192, "--host", "127.0.0.1", "--port", theirs, "--no-webui",
    ]  # fmt: skip
    serve = [Path(sys.executable).with_name("hunkwise"), "serve", "--port", ours, "--model", given.model]
    parallel = {"OLLAMA_NUM_PARALLEL": str(LANES), "OLLAMA_CONTEXT_LENGTH": str(CONTEXT)}
    with process(peer, theirs, "/health") as there, process(serve, ours, "/healthz", **parallel) as here:
        chat(here, given.model, "Warm up."), chat(there, given.model, "Warm up.")
        table: dict[str, list[tuple[float, float]]] = {
            "tokens/s": [],
            "first token, s": [],
            "questions/s": [],
        }
        for n in range(given.rounds):
            mine, other = chats(here, given.model, n), chats(there, given.model, n)
            table["tokens/s"].append((mine[0], other[0]))
            table["first token, s"].append((mine[1], other[1]))
            table["questions/s"].append((questions_here(here, given.model, n), questions_there(there, n)))
        print(f"{given.model}, {LANES} lanes of {CONTEXT} tokens, {threads} threads, {given.rounds} rounds")
        print(f"{'':16}{'hunkwise':>12}{'llama-server':>14}{'ratio':>8}")
        for name, pairs in table.items():
            mine_, other_ = (statistics.median(values) for values in zip(*pairs, strict=True))
            print(f"{name:16}{mine_:12.2f}{other_:14.2f}{mine_ / other_:8.2f}")
        empty, shortest = overhead(here, given.model)
        print(
            f"a request that computes nothing: {empty * 1000:.1f} ms, the shortest answer: {shortest:.3f} s"
        )


if __name__ == "__main__":
    main()

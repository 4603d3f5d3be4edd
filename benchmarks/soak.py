"""A server under load for minutes: is anything lost or hung, does its memory grow, does a cell of the model leak?

    python benchmarks/soak.py [--minutes 10] [--clients 16] [--model NAME]

Starts `hunkwise serve` in a process of its own and sends it what clients send: texts whole and in streams,
vectors, typed questions, bundles, reviews; and clients that leave in the middle. Every minute the model's process
is killed. Without `--model` the model is one of a few kilobytes in a real llama.cpp, so that there are many
requests; one that is named must be in the store. Prints a line every half minute, and what came of it all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

SERVE = """
import gc, signal, sys, threading
from hunkwise.engine import IsolatedEngine
from hunkwise.reviewer.cli import main

def look():
    models = [each for each in gc.get_objects() if isinstance(each, IsolatedEngine) and each.alive]
    print("cells or lanes in use:", sum(not each.idle for each in models), file=sys.stderr, flush=True)

signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=look).start())
sys.exit(main())
"""
TESTS = Path(__file__).resolve().parent.parent / "tests"
KINDS = ("generate", "stream", "chat", "embed", "systemone", "bundle", "leave", "review")
WEIGHTS = (20, 20, 20, 15, 10, 20, 10, 1)
SAID = ("died in the middle of a text", "queue", "busy")  # what a killed process and a full queue are told as


def tiny_store(folder: Path) -> None:
    """Make a store with a model of a few kilobytes, as the tests have it."""
    sys.path[:0] = [str(TESTS / "engine"), str(TESTS / "reviewer")]
    from modelled import library_in

    library_in(folder)


def processes(parent: int) -> list[int]:
    """List the process of the server, and those that it started."""
    told = subprocess.run(
        ["ps", "--ppid", str(parent), "-o", "pid=,args="], capture_output=True, text=True, check=False
    ).stdout
    return [parent, *(int(line.split()[0]) for line in told.splitlines() if "worker.child" in line)]


def resident(pid: int) -> float:
    """Give the resident memory of a process in MiB; 0 where it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def held(pid: int) -> int:
    """Count the open files of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class Soak:
    """Clients of one server, and what they were told."""

    def __init__(self, client: httpx.AsyncClient, model: str, pid: int, seconds: float) -> None:
        self.client, self.model, self.pid = client, model, pid
        self.ends = time.monotonic() + seconds
        self.told: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.kills = 0

    async def run(self, clients: int) -> None:
        """Ask until the time is up; then all that was asked has to end."""
        watching = asyncio.ensure_future(self._watch())
        await asyncio.wait_for(
            asyncio.gather(*(self._ask(number) for number in range(clients))),
            self.ends - time.monotonic() + 300,
        )
        watching.cancel()

    async def _ask(self, number: int) -> None:
        choice = random.Random(number)
        while time.monotonic() < self.ends:
            (kind,) = choice.choices(KINDS, WEIGHTS)
            ask: Callable[[str], Awaitable[str]] = getattr(self, f"_{kind}")
            try:
                outcome = await ask(f"def f{choice.randrange(10**6)}(")
            except (httpx.HTTPError, ValueError, KeyError) as error:
                outcome = f"{type(error).__name__}: {str(error)[:60]}"
            if outcome not in ("", "left") and not any(each in outcome for each in SAID):
                self.wrong[f"{kind}: {outcome}"] += 1
            self.told["answered" if not outcome else "left" if outcome == "left" else "refused"] += 1
            self.told[kind] += 1

    async def _post(self, path: str, **body: Any) -> tuple[str, Any]:
        answer = await self.client.post(path, json={"model": self.model, **body})
        if answer.status_code != 200:
            return f"{answer.status_code} {answer.text[:120]}", None
        last = answer.text.strip().splitlines()[-1].removeprefix("data: ")
        value = {} if last == "[DONE]" else json.loads(last)
        return (str(value["error"])[:120] if "error" in value else ""), value

    async def _generate(self, text: str) -> str:
        options = {"num_predict": 16}
        return (await self._post("/api/generate", prompt=text, stream=False, options=options))[0]

    async def _stream(self, text: str) -> str:
        outcome, last = await self._post("/api/generate", prompt=text, options={"num_predict": 24})
        return outcome or ("" if last["done"] else "no end")

    async def _chat(self, text: str) -> str:
        messages = [{"role": "user", "content": text}]
        return (await self._post("/v1/chat/completions", messages=messages, max_tokens=16, stream=True))[0]

    async def _embed(self, text: str) -> str:
        outcome, value = await self._post("/api/embed", input=[text, text * 3])
        return outcome or ("" if len(value["embeddings"]) == 2 else "too few")

    async def _systemone(self, text: str) -> str:
        question = {"type": "noul", "instructions": "Is it code?"}
        return (await self._post("/v1/systemone", state=text, questions={"a": question}))[0]

    async def _bundle(self, text: str) -> str:
        from hunkwise.engine import Bundle, Choose, Score, Segment, protocol

        questions = (Choose("c", (Segment("?"),), ("yes", "no")), Score("s", (), text))
        bundle = protocol.write_bundle(Bundle((Segment(text),), questions))["bundle"]
        outcome, value = await self._post(protocol.PATH, bundle=bundle)
        return outcome or ("" if len(value["answers"]) == 2 else "too few")

    async def _leave(self, text: str) -> str:
        body = {"model": self.model, "prompt": text, "options": {"num_predict": 2000}}
        async with self.client.stream("POST", "/api/generate", json=body) as stream:
            if stream.status_code == 200:
                await anext(stream.aiter_lines())
                return "left"
            return (await stream.aread()).decode()[:120]

    async def _review(self, text: str) -> str:
        code = f"import os\n\n\n{text}name):\n    os.system('ls ' + name)\n"
        outcome, value = await self._post("/api/review", file_path="a.py", code=code)
        return outcome or ("" if value["status"] == "done" else value["status"])

    async def _watch(self) -> None:
        started, turn = time.monotonic(), 0
        while True:
            await asyncio.sleep(30)
            turn += 1
            self.line(time.monotonic() - started)
            children = processes(self.pid)[1:]
            if turn % 2 == 0 and children and time.monotonic() < self.ends - 20:
                os.kill(children[0], signal.SIGKILL)
                self.kills += 1

    def line(self, seconds: float) -> None:
        """Say how it stands."""
        parent, *children = processes(self.pid)
        asked = sum(self.told[kind] for kind in KINDS)
        print(
            f"{seconds:5.0f} s  {asked:7,} requests  server {resident(parent):6.1f} MiB, {held(parent)} files"
            f"  model {sum(map(resident, children)):6.1f} MiB",
            flush=True,
        )


async def soak(url: str, model: str, pid: int, minutes: float, clients: int) -> bool:
    """Put a server under load and tell what came of it; True if all is well."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=240, limits=limits, trust_env=False) as client:
        made = Soak(client, model, pid, minutes * 60)
        for kind in KINDS:  # so that all is loaded once before it is measured
            await getattr(made, f"_{kind}")("def f(")
        made.line(0)
        await made.run(clients)
        await asyncio.sleep(2)
        made.line(minutes * 60)
        metrics = (await client.get("/metrics")).text
        idle = (await client.get("/api/ps")).json()
    asked = sum(made.told[kind] for kind in KINDS)
    inside = [line for line in metrics.splitlines() if line.startswith("hunkwise_queue_depth")]
    print(f"requests: {asked:,} ({', '.join(f'{kind} {made.told[kind]:,}' for kind in KINDS)})")
    print(f"answered {made.told['answered']:,}, left {made.told['left']:,}, refused {made.told['refused']:,}")
    print(
        f"the model's process killed {made.kills} times; errors beyond those of that: {sum(made.wrong.values())}"
    )
    for what, count in made.wrong.most_common(10):
        print(f"  {count} x {what}")
    print("inside at the end (with the one that asks):", "; ".join(inside), f"models: {len(idle['models'])}")
    return not made.wrong


def main() -> int:
    """Run the server and its clients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--model", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w+") as log:
        environ = dict(os.environ)
        if not args.model:
            tiny_store(Path(folder))
            environ["HUNKWISE_MODELS"] = str(Path(folder, "models"))
        command = [sys.executable, "-c", SERVE, "serve", "--port", "0", "--model", args.model or "tiny"]
        with subprocess.Popen(command, env=environ, stderr=log) as server:
            try:
                while not (first := Path(folder, "log").read_text()).endswith("\n"):
                    time.sleep(0.1)
                url = first.split()[-1]
                model = args.model or "tiny"
                well = asyncio.run(soak(url, model, server.pid, args.minutes, args.clients))
                server.send_signal(signal.SIGUSR1)
                while not (used := re.findall("in use: .*", Path(folder, "log").read_text())):
                    time.sleep(0.1)
                print(f"models with cells or lanes {used[0]}")
            finally:
                server.terminate()
                code = server.wait(60)
        text = Path(folder, "log").read_text()
        faults = sum('"fault"' in line or "Traceback" in line for line in text.splitlines())
        print(f"exit code of the server {code}; faults in its log: {faults}")
        return 0 if well and not code and not faults else 1


if __name__ == "__main__":
    sys.exit(main())

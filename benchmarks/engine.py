"""Many questions about one text: our engine beside llama-server and llama-cpp-python's own `Llama`.

    python benchmarks/engine.py [--quick] [--json OUT] [--llama-server PATH | --build FOLDER]

Same weights, same prompt tokens, same threads, layers on GPUs, context and KV type for all. Each engine runs in a
process of its own. Every mode but the warm ones begins with a prefix that the engine has never seen, and pays for
it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine_cases import KINDS, Case, cases, source_text
from engine_peers import Reply, Server, Setup, build_server, high_level

from hunkwise.engine import Answer, Bundle, Choice, Generated, Segment, library_from_environment
from hunkwise.engine.llamacpp.runner import LocalEngine, load
from hunkwise.engine.planning.plan import Plan

MODELS = ("qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b")
NAMES = tuple(kind.name for kind in KINDS)
ENGINES = ("hunkwise", "llama-server", "Llama")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `seconds` is wall time for all questions; `answers` are for the agreement only."""

    engine: str
    mode: str
    model: str
    prefix_tokens: int
    questions: int
    kind: str
    seconds: float
    tokens_prefilled: int
    tokens_reused: int
    tokens_forced: int
    tokens_sampled: int
    peak_bytes: int
    invalid: int
    agreement: float | None = None
    outside_decode: float | None = None  # share of the wall time, ours only
    cpu_seconds: float = 0.0  # of the engine's process: steadier than wall time where others compute too
    answers: tuple[str, ...] = field(default=())


def text_of(answer: Answer) -> str:
    """Write our answer as the peers write theirs."""
    if isinstance(answer, Choice):
        return "Yes" if answer.probabilities[0] >= answer.probabilities[1] else "No"
    assert isinstance(answer, Generated)
    return answer.text


def sized(engine: LocalEngine, case: Case, text: str) -> str:
    """Cut the text so that the shared part has about the case's tokens."""
    low, high = 0, len(text)
    while high - low > 8:
        middle = (low + high) // 2
        size = engine.measure(case.bundle(text[:middle], 0)).shared
        low, high = (middle, high) if size <= case.prefix_tokens else (low, middle)
    return text[:low]


def prompts_of(engine: LocalEngine, bundle: Bundle) -> list[list[int]]:
    """Return the very tokens that our engine would compute, per question."""
    layout = engine._chat.layout(bundle)  # noqa: SLF001
    return [layout.shared.tolist() + own.tolist() for own in layout.questions]


def peak() -> int:
    """Return this process's peak memory in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_ours(engine: LocalEngine, model: str, case: Case, text: str) -> list[Row]:
    """Ask one bundle about a new prefix, then another bundle about the same."""
    rows = []
    for mode, first in (("bundle", 0), ("bundle warm", case.questions)):
        before, started, cpu = engine.statistics(), time.perf_counter(), time.process_time()
        answers = engine.ask(case.bundle(text, 1, first))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        used = engine.statistics()
        usage = [answer.usage for answer in answers]
        texts = tuple(map(text_of, answers))
        rows.append(
            Row(
                "hunkwise", mode, model, case.prefix_tokens, case.questions, case.kind.name, seconds,
                sum(u.prefilled for u in usage), sum(u.reused for u in usage),
                sum(u.forced for u in usage), sum(u.sampled for u in usage), peak(),
                sum(not case.kind.valid(text) for text in texts),
                outside_decode=1 - (used.decode_seconds - before.decode_seconds) / seconds,
                cpu_seconds=cpu, answers=texts,
            )
        )  # fmt: skip
    return rows


def peer_row(
    names: tuple[str, str], model: str, case: Case, done: tuple[list[Reply], float, float], peak_bytes: int
) -> Row:
    """Count a peer's replies."""
    replies, seconds, cpu = done
    return Row(
        *names, model, case.prefix_tokens, case.questions, case.kind.name, seconds,
        sum(reply.prefilled for reply in replies), sum(reply.reused for reply in replies),
        0, sum(reply.sampled for reply in replies), peak_bytes,
        sum(not case.kind.valid(reply.text) for reply in replies),
        cpu_seconds=cpu, answers=tuple(reply.text for reply in replies),
    )  # fmt: skip


def timed(ask: Callable[[], list[Reply]], clock: Callable[[], float]) -> tuple[list[Reply], float, float]:
    """Return the replies of a call, and the seconds and the seconds of the engine's CPU that it took."""
    started, cpu = time.perf_counter(), clock()
    replies = ask()
    return replies, time.perf_counter() - started, clock() - cpu


def measure_peer(
    name: str, options: argparse.Namespace, model: str, setup: Setup, ours: LocalEngine
) -> list[Row]:
    """Run all cases on a peer; `ours` only makes the prompts."""
    rows = []
    for case in cells(options):
        text = sized(ours, case, source_text())
        make: Mapping[int, list[list[int]]] = {
            attempt: prompts_of(ours, case.bundle(text, attempt)) for attempt in (1, 2)
        }
        again = prompts_of(ours, case.bundle(text, 2, case.questions))
        if name == "Llama":
            with high_level(setup) as ask:
                done = timed(lambda: ask(case, make[1]), time.process_time)  # noqa: B023
                rows.append(peer_row((name, "serial"), model, case, done, peak()))
            continue
        with closing(Server(options.llama_server, setup, free_port())) as server:
            modes = (
                ("serial warm", server.serial, make[1]),
                ("concurrent cold", server.concurrent, make[2]),
                ("concurrent warm", server.concurrent, again),
            )
            for mode, how, prompts in modes:
                done = timed(lambda: how(case, prompts), server.cpu_seconds)  # noqa: B023
                rows.append(peer_row((name, mode), model, case, done, server.peak_bytes()))
    return rows


def cells(options: argparse.Namespace) -> tuple[Case, ...]:
    """Return the cells that were asked for."""
    return cases(options.prefixes, options.questions, options.kinds)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(options: argparse.Namespace) -> list[Row]:
    """Be the child: one engine, one model, all cases."""
    (model,) = options.models
    spec = library_from_environment(os.environ).ensure(model)
    # llama-server holds the prefix once for each question that is asked cold, and fails where there is no room
    needed = max((case.prefix_tokens + 400) * case.questions for case in cells(options))
    setup = Setup(
        spec.weights[0], context=needed, lanes=16, threads=options.threads, gpu_layers=options.gpu_layers
    )
    if options.engine == "hunkwise":
        plan = Plan(
            n_ctx=setup.context,
            n_seq=setup.lanes,
            n_threads=setup.threads,
            n_gpu_layers=setup.gpu_layers,
        )
        with load(spec, plan) as engine:
            engine.ask(case_to_warm_up())
            return [
                row
                for case in cells(options)
                for row in measure_ours(engine, model, case, sized(engine, case, source_text()))
            ]
    with load(spec, Plan(n_ctx=256, n_seq=1, n_threads=1)) as prompts:
        return measure_peer(options.engine, options, model, setup, prompts)


def case_to_warm_up() -> Bundle:
    """Touch everything once: the template, the grammar's tokenizer, the weights."""
    return Bundle((Segment("Warm up."),), Case(KINDS[1], 0, 1).bundle("", 0).questions)


def agree(rows: Sequence[Row]) -> list[Row]:
    """Say how many yes/no verdicts are those of our engine."""
    ours = {
        (row.model, row.prefix_tokens, row.questions): row.answers
        for row in rows
        if row.engine == "hunkwise" and row.mode == "bundle" and row.kind == "yes/no"
    }
    marked = []
    for row in rows:
        mine = ours.get((row.model, row.prefix_tokens, row.questions))
        if row.kind == "yes/no" and mine and not row.mode.endswith(" warm") | (row.mode == "serial warm"):
            same = sum(a == b for a, b in zip(mine, row.answers, strict=True))
            row = Row(**{**asdict(row), "agreement": same / len(mine)})  # noqa: PLW2901
        marked.append(row)
    return marked


def table(rows: Sequence[Row]) -> str:
    """Print one line a row, with each engine's time over our bundle's."""
    base = {
        (row.model, row.prefix_tokens, row.questions, row.kind, row.mode): row.seconds
        for row in rows
        if row.engine == "hunkwise"
    }
    header = (
        f"{'model':19} {'prefix':>6} {'n':>3} {'kind':9} {'engine':13} {'mode':16} {'seconds':>8} {'ratio':>6} "
        f"{'cpu':>7} {'prefill':>8} {'reused':>7} {'forced':>6} {'sampled':>7} {'MiB':>6} {'bad':>3} {'agree':>5}"
    )
    lines = [header]
    for row in sorted(rows, key=lambda r: (r.model, r.prefix_tokens, r.questions, r.kind)):
        mode = "bundle warm" if row.mode in ("concurrent warm", "bundle warm") else "bundle"
        mine = base.get((row.model, row.prefix_tokens, row.questions, row.kind, mode))
        ratio = f"{row.seconds / mine:.2f}" if mine else "-"
        agreement = "-" if row.agreement is None else f"{row.agreement:.2f}"
        lines.append(
            f"{row.model:19} {row.prefix_tokens:6} {row.questions:3} {row.kind:9} {row.engine:13} {row.mode:16} "
            f"{row.seconds:8.2f} {ratio:>6} {row.cpu_seconds:7.2f} {row.tokens_prefilled:8} {row.tokens_reused:7} "
            f"{row.tokens_forced:6} {row.tokens_sampled:7} {row.peak_bytes >> 20:6} {row.invalid:3} {agreement:>5}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure each engine in its own process, then compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the smallest model, prefix and number of questions, short answers",
    )
    parser.add_argument("--prefixes", nargs="+", type=int, default=(500, 2000, 6000), metavar="TOKENS")
    parser.add_argument("--questions", nargs="+", type=int, default=(8, 16), metavar="COUNT")
    parser.add_argument("--kinds", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the rows to a file")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--gpu-layers", type=int, default=0, help="layers on GPUs; 99: all")
    parser.add_argument("--llama-server", type=Path, help="a built llama-server")
    parser.add_argument(
        "--build", type=Path, help="build llama-server in this folder, outside the repository"
    )
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)  # the child's
    options = parser.parse_args()
    if options.quick:
        options.models, options.prefixes, options.questions, options.kinds = (
            MODELS[:1],
            (500,),
            (8,),
            NAMES[:2],
        )
    if options.engine:
        options.json.write_text(json.dumps([asdict(row) for row in measure(options)]))
        return
    if options.build:
        options.llama_server = build_server(options.build)
    rows: list[Row] = []
    for model in options.models:
        for engine in options.engines:
            if engine == "llama-server" and not options.llama_server:
                print("llama-server is left out: give --llama-server or --build", file=sys.stderr)
                continue
            with tempfile.NamedTemporaryFile(suffix=".json") as out:
                command = [
                    sys.executable,
                    __file__,
                    "--engine",
                    engine,
                    "--models",
                    model,
                    "--json",
                    out.name,
                ]
                command += ["--threads", str(options.threads), "--gpu-layers", str(options.gpu_layers)]
                command += ["--kinds", *options.kinds]
                command += ["--prefixes", *map(str, options.prefixes)]
                command += ["--questions", *map(str, options.questions)]
                command += ["--llama-server", str(options.llama_server)] if options.llama_server else []
                subprocess.run(command, check=True)
                rows += [Row(**{**row, "answers": tuple(row["answers"])}) for row in json.load(out)]
    rows = agree(rows)
    print(table(rows))
    if options.json:
        kept = [{key: value for key, value in asdict(row).items() if key != "answers"} for row in rows]
        options.json.write_text(json.dumps({"rows": kept}, indent=1))


if __name__ == "__main__":
    main()

"""The engines that ours is measured against: llama-server, and llama-cpp-python's high-level `Llama`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine_cases import Case

Prompt = list[int]
ARCHIVE = "llama_cpp_python-*.tar.gz"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, and the tokens it took: computed of the prompt, reused, and sampled."""

    text: str
    prefilled: int
    reused: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What all engines are given alike."""

    weights: Path
    context: int
    lanes: int
    threads: int
    gpu_layers: int


@contextmanager
def high_level(setup: Setup) -> Iterator[Callable[[Case, Sequence[Prompt]], list[Reply]]]:
    """Ask `llama_cpp.Llama` one question after the other; it keeps the last prompt's prefix by itself."""
    from llama_cpp import Llama, LlamaGrammar

    model = Llama(
        str(setup.weights), n_ctx=setup.context, n_threads=setup.threads, n_threads_batch=setup.threads,
        n_batch=512, n_gpu_layers=setup.gpu_layers, flash_attn=True, verbose=False,
    )  # fmt: skip
    known: Prompt = []

    def ask(case: Case, prompts: Sequence[Prompt]) -> list[Reply]:
        nonlocal known
        if case.kind.schema is None:
            grammar = LlamaGrammar.from_string('root ::= "Yes" | "No"', verbose=False)
        else:
            grammar = LlamaGrammar.from_json_schema(json.dumps(case.kind.schema), verbose=False)
        replies = []
        for prompt in prompts:
            done = model.create_completion(
                prompt, max_tokens=case.kind.max_tokens, temperature=0.0, grammar=grammar
            )
            same = next((i for i, (a, b) in enumerate(zip(known, prompt, strict=False)) if a != b), 0)
            known = prompt
            sampled = done["usage"]["completion_tokens"]
            replies.append(Reply(done["choices"][0]["text"], len(prompt) - same, same, sampled))
        return replies

    yield ask
    model.close()


class Server:
    """A llama-server process with its best flags for many questions about one prefix."""

    def __init__(self, binary: Path, setup: Setup, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        command = [
            binary, "-m", setup.weights, "-c", setup.context, "-np", setup.lanes, "-kvu", "-fa", "on",
            "-t", setup.threads, "-tb", setup.threads, "-b", 512, "-ub", 512, "--cache-ram", 8192,
            "-ngl", setup.gpu_layers, "--no-repack",  # repacked for AMX, kernels of GCC 12 end in SIGILL
            "--host", "127.0.0.1", "--port", port, "--no-webui",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self._url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("llama-server does not start")

    def _one(self, case: Case, prompt: Prompt) -> Reply:
        body: dict[str, Any] = {
            "prompt": prompt, "n_predict": case.kind.max_tokens, "temperature": 0, "cache_prompt": True,
        }  # fmt: skip
        if case.kind.schema is None:
            body["grammar"] = 'root ::= "Yes" | "No"'
        else:
            body["json_schema"] = case.kind.schema
        request = urllib.request.Request(
            f"{self._url}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=3600) as response:
            done: Mapping[str, Any] = json.load(response)
        times = done["timings"]
        return Reply(
            done["content"], times["prompt_n"], len(prompt) - times["prompt_n"], times["predicted_n"]
        )

    def serial(self, case: Case, prompts: Sequence[Prompt]) -> list[Reply]:
        """Ask one after the other: every question but the first finds the prefix in its slot."""
        return [self._one(case, prompt) for prompt in prompts]

    def concurrent(self, case: Case, prompts: Sequence[Prompt]) -> list[Reply]:
        """Ask all at once."""
        with ThreadPoolExecutor(len(prompts)) as threads:
            return list(threads.map(lambda prompt: self._one(case, prompt), prompts))

    def peak_bytes(self) -> int:
        """Return the most memory it held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if "VmHWM" in line)

    def cpu_seconds(self) -> float:
        """Return the CPU time it has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(30)


def build_server(folder: Path) -> Path:
    """Build llama-server from the llama.cpp inside llama-cpp-python's own source distribution, once.

    Needs cmake, ninja and a C++ compiler; takes ten minutes or so on two cores.
    """
    binary = folder / "build" / "bin" / "llama-server"
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(ARCHIVE)):
        wanted = f"llama-cpp-python=={version('llama-cpp-python')}"
        download = ("-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-d", folder)
        subprocess.run([sys.executable, *download, wanted], check=True)
    (archive,) = folder.glob(ARCHIVE)
    subprocess.run(["tar", "xf", archive, "-C", folder], check=True)
    (source,) = folder.glob("llama_cpp_python-*/vendor/llama.cpp")
    off = ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_BUILD_UI", "LLAMA_OPENSSL")
    options = [f"-D{name}=OFF" for name in (*off, "LLAMA_USE_PREBUILT_UI")]
    build = folder / "build"
    folders = ("-S", source, "-B", build)
    subprocess.run(["cmake", *folders, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options], check=True)
    subprocess.run(["ninja", "-C", build, "llama-server"], check=True)
    return binary

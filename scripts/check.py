"""Run every check in turn and stop at the first that fails: `scripts/check [STEP ...]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKED = ("tests", "scripts", "benchmarks")


def run(*command: str | Path, folder: str | Path = ROOT, **environment: str) -> None:
    """Run a command, in the repository or a folder; leave with its exit code if it fails."""
    print("$", *command, flush=True)
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env={**os.environ, **environment}, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)


def lint() -> None:
    """Style and common mistakes."""
    run(BIN / "ruff", "check", ".")
    run(BIN / "ruff", "format", "--check", ".")


def helpers() -> list[str]:
    """Folders whose modules are imported by their bare names, and the root itself."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [*settings["tool"]["pytest"]["ini_options"]["pythonpath"], "benchmarks", "."]


def types() -> None:
    """Strict types, and imports that point one way. Both need the import path on disk: a link to here.

    Tests import their helpers from the folders that pytest puts on the path.
    """
    with tempfile.TemporaryDirectory() as shadow:
        (Path(shadow) / "hunkwise").symlink_to(ROOT)
        config = ROOT / "pyproject.toml"
        mypy: list[str | Path] = [BIN / "mypy", "--config-file", config, "--cache-dir", ROOT / ".mypy_cache"]
        programs = ["hunkwise/reviewer", "hunkwise/engine", *(str(ROOT / name) for name in CHECKED)]
        path = ":".join([".", *(str(ROOT / folder) for folder in helpers())])
        run(*mypy, *programs, folder=shadow, MYPYPATH=path)
        run(BIN / "lint-imports", "--config", config, "--no-cache", folder=shadow, PYTHONPATH=shadow)


def tests() -> None:
    """Unit, property and real-model tests, in as many processes as there are cores."""
    run(BIN / "pytest", "-q", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")


def docs() -> None:
    """The documentation says what the program says, and the packs what the rules say."""
    run(BIN / "python", "scripts/docs.py", "--check")
    run(BIN / "python", "scripts/packs.py", "--check")


def wheel() -> None:
    """The wheel holds hunkwise/ alone."""
    with tempfile.TemporaryDirectory() as out:
        run(BIN / "python", "-m", "build", "--wheel", "--outdir", out)
        run(BIN / "check-wheel-contents", *Path(out).glob("*.whl"))


STEPS = {"lint": lint, "types": types, "tests": tests, "docs": docs, "wheel": wheel}


def main() -> None:
    """Run the named steps, all by default."""
    for name in sys.argv[1:] or STEPS:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        STEPS[name]()
        print(f"== {name} passed in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()

"""The image, as far as it can be built without a container engine: its steps run, in scratch roots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("scratch_image.py")


@pytest.mark.network
def test_the_steps_run(root: Path, context: Path, tmp_path: Path) -> None:
    """Each step of both stages succeeds; the program runs as uid 10001, on a checkout that is somebody else's.

    llama.cpp is left out (EXTRAS), for compiling it takes minutes. Half a minute's work, and a package index.
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    apart = ["unshare", "--mount", "--propagation", "private"]
    probe = f"cd {scratch} && mount -t tmpfs tmpfs . && cd {scratch} && mkdir u w r && "
    probe += "mount -t overlay overlay -o lowerdir=/,upperdir=u,workdir=w r"
    if shutil.which("unshare") is None or subprocess.run([*apart, "sh", "-c", probe], check=False).returncode:
        pytest.skip("no root here, or no overlay mounts: the Dockerfile's steps were NOT run")
    given = json.dumps({"EXTRAS": "redis,github,gitlab"})
    files = [root / "Dockerfile", context, scratch]
    done = subprocess.run(
        [*apart, sys.executable, DRIVER, *files, given], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    version, review, models, rights, apt = map(json.loads, done.stdout.splitlines())
    assert (version["code"], review["code"], models["code"]) == (0, 0, 0), done.stdout
    assert version["out"].startswith("hunkwise")
    assert "checked 1 new line without a model" in review["out"]
    assert rights["out"].split() == ["10001", "wrote", "no"]
    assert "install --yes --no-install-recommends git libgomp1" in apt["apt"]


STUB = """#!/bin/sh
echo "$(basename "$0")|$*|CMAKE_ARGS=$CMAKE_ARGS|MODELS=$HUNKWISE_MODELS" >> "$LOG"
case "$*" in *"-m venv "*)
  for last; do :; done
  mkdir -p "$last/bin"
  for name in pip python hunkwise; do cp "$0" "$last/bin/$name"; done
esac
"""


def told(root: Path, folder: Path, **arguments: str) -> list[str]:
    """Run the build stage's steps with build arguments and stubs for all programs; gives what these heard."""
    log, wheels = folder / "log", folder / "wheels"
    wheels.mkdir()
    (wheels / "hunkwise-1-py3-none-any.whl").touch()
    (folder / "python3").write_text(STUB)
    (folder / "python3").chmod(0o755)
    text = (root / "Dockerfile").read_text().replace("\\\n", " ").partition("# ---- run")[0]
    values: dict[str, str] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "ARG":
            name, _, default = rest.partition("=")
            values[name] = arguments.get(name, default.strip('"'))
        elif kind == "RUN" and "apt-get" not in rest:
            for path in ("/opt", "/wheels", "/build-tools"):
                rest = rest.replace(path, f"{folder}{path}")
            environment = {**values, "LOG": str(log), "PATH": f"{folder}:{os.environ['PATH']}"}
            subprocess.run(["bash", "-euo", "pipefail", "-c", rest], env=environment, check=True)
    return log.read_text().replace(str(folder), "").splitlines()


def test_arguments_of_the_build(root: Path, tmp_path: Path) -> None:
    """By default no model and no CUDA; CMAKE_ARGS reaches the build of llama.cpp, MODEL goes into the image."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "cuda").mkdir()
    plain = told(root, tmp_path / "plain")
    cuda = told(
        root, tmp_path / "cuda", CMAKE_ARGS="-DGGML_CUDA=on", MODEL="qwen2.5-coder:0.5b", EXTRAS="local"
    )
    wheel = "/wheels/hunkwise-1-py3-none-any.whl"
    assert f"pip|install {wheel}[all]|CMAKE_ARGS=-DGGML_NATIVE=OFF|MODELS=" in plain
    assert f"pip|install {wheel}[local]|CMAKE_ARGS=-DGGML_CUDA=on|MODELS=" in cuda
    assert not [line for line in plain if "model pull" in line]
    pulled = "hunkwise|model pull -- qwen2.5-coder:0.5b|CMAKE_ARGS=-DGGML_CUDA=on|MODELS=/opt/models"
    assert cuda[-1] == pulled

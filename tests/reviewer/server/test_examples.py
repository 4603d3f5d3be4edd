"""The curl examples of the docs, run as they stand but for address, model and token."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tiny
from modelled import Loads, modelled

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.index import index
from hunkwise.reviewer.server.guard.tokens import new_token, write_tokens

ROOT = Path(__file__).parents[3]
ADDRESSES, MODEL = ("http://127.0.0.1:11435", "http://gpu-machine:11435"), "qwen2.5-coder:1.5b"
GO = "package main\n\nfunc main() {\n\tvar ch chan int\n\tclose(ch)\n}\n"


def able(spec: Any, context: int) -> ScriptedEngine:
    return ScriptedEngine(context=context, model=spec.name)


def examples() -> list[str]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    lines = [line.strip() for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if "curl " in line and any(each in line for each in ADDRESSES)]
    return [line.removeprefix("$ ") for line in found]


def repository(folder: Path) -> Path:
    """Make two branches, a change that is not committed, and a body in a file."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    variables = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

    def run(*arguments: str) -> None:
        subprocess.run([*git, *arguments], cwd=folder, env=variables, check=True, capture_output=True)

    folder.mkdir()
    (folder / "main.go").write_text("package main\n\nfunc main() {\n}\n")
    run("init", "-b", "main")
    run("add", ".")
    run("commit", "-m", "main")
    run("checkout", "-b", "feature")
    (folder / "main.go").write_text(GO)
    run("commit", "-am", "feature")
    (folder / "main.go").write_text(GO.replace("close(ch)", "close(ch) // twice\n\tclose(ch)"))
    (folder / "body.json").write_text(json.dumps({"file_path": "main.go", "code": GO}))
    return folder


def documents(folder: Path, cache: Path) -> Environment:
    """Make an indexed folder of documents, and the environment that finds its index."""
    folder.mkdir()
    (folder / "cache.md").write_text("# The cache\n\nAnswers are kept for thirty days.\n")
    environment = Environment({"HUNKWISE_CACHE": str(cache)}, folder, lambda sentence: None)
    index([], environment)
    return environment


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_examples(tmp_path: Path) -> None:
    found = [line for line in examples() if "jq " not in line or shutil.which("jq")]
    for path in ("/api/review", "/api/chat", "/v1/systemone", "/v1/completions"):
        assert any(path in line for line in found), path
    shop = repository(tmp_path / "shop")
    tokens, (text, token) = tmp_path / "tokens.json", new_token("ci", ("review",))
    environment = documents(tmp_path / "docs", tmp_path / "cache")
    repositories = {"shop": shop, "docs": environment.folder}
    settings: dict[str, Any] = {"model": "tiny", "repositories": repositories, "tokens": tokens}
    with modelled(tmp_path, Loads(able), extra={"special": tiny.FIM}, **settings) as (server, client):
        server.environment = environment
        for line in sorted(found, key=lambda line: "Authorization" in line):
            if "Authorization" in line:  # the last: from now on nobody comes in without
                write_tokens(tokens, (token,))
            command = line.replace(MODEL, "tiny").replace("hw_…", text)
            for address in ADDRESSES:
                command = command.replace(address, str(client.base_url).rstrip("/"))
            command = command.replace("curl ", "curl -sS --fail ")
            done = subprocess.run(
                ["bash", "-c", command], cwd=shop, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (line, done.stderr)
            answer = json.loads(done.stdout or "{}")
            assert "error" not in answer, line
            if "/api/review" in line:
                assert [each["line"] for each in answer["findings"]], (line, answer)

"""The bot as people at a forge see it: what it shows and answers, and after how many seconds.

    python benchmarks/bot.py [--model NAME] [--patch FILE]

Starts `hunkwise serve --bot` beside a fake GitHub and a repository with the change of a patch, sends the signed
webhooks that GitHub would send, and prints check runs, remarks and answers to comments. A model must be in the
store; without `--model` none is asked.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "reviewer"
sys.path[:0] = [str(TESTS), str(TESTS / "forges")]

from fakes.githttp import answer_git  # noqa: E402
from fakes.github import Account, FakeGitHub  # noqa: E402
from fakes.server import Answer, Request, serving  # noqa: E402
from gits import git, save  # noqa: E402

SECRET = "a secret"
PATIENCE = 600.0  # seconds
_KEPT = ("PATH", "HOME", "HUNKWISE_MODELS", "HUNKWISE_OFFLINE")
README = "# Shop\n\nOrders are shown in pages of twenty lines. A session is kept for two weeks.\n"
ON_ALL = {
    "repository": {"full_name": "octo/repo"},
    "installation": {"id": 99},
    "sender": {"type": "User"},
}


def before(patch: str) -> dict[str, str]:
    """Make files to which a patch applies: what it shows of them, at its place."""
    files: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in patch.splitlines():
        if line.startswith("--- a/"):
            lines = files.setdefault(line[6:], [])
        elif found := re.match(r"@@ -(\d+)", line):
            lines += [""] * (int(found[1]) - 1 - len(lines))
        elif line[:1] in (" ", "-") and not line.startswith("---"):
            lines.append(line[1:])
    return {path: "\n".join(text) + "\n" for path, text in files.items()}


class World:
    """A GitHub with one App, and the bot that attends to it."""

    def __init__(self, folder: Path, patch: str) -> None:
        self.url, self.requests = "", list[Request]()
        self.origin, self.bot = folder / "origin", ""
        for path, text in {**before(patch), "README.md": README}.items():
            (self.origin / path).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / path).write_text(text)
        git(self.origin, "init", "-q", "-b", "main", ".")
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git(self.origin, "config", name, "true")
        base = save(self.origin, "first")
        git(self.origin, "switch", "-q", "-c", "topic")
        git(self.origin, "apply", "-", data=patch.encode())
        head = save(self.origin, "change")
        self.forge = FakeGitHub(git(self.origin, "diff", base, head) + "\n", base=base, head=head)
        self.forge.accounts = {"secret-token": Account("hunkwise[bot]", app=True, writes_code=True)}
        self.forge.writers.add("ada")

    def handle(self, request: Request) -> Answer:
        """Answer as GitHub does; any App gets a token."""
        if request.path == "/app/installations/99/access_tokens":
            return Answer(
                201, {"token": "secret-token", "expires_at": "2099-01-01T00:00:00Z", "permissions": {}}
            )
        return self.forge.handle(request)

    def is_git(self, handler: BaseHTTPRequestHandler) -> bool:
        """Answer what git asks."""
        ours = handler.path.startswith("/octo/repo.git/")
        if ours:
            answer_git(handler, "/octo/repo.git", self.origin)
        return ours

    def deliver(self, kind: str, payload: dict[str, Any]) -> None:
        """Send a webhook."""
        body = json.dumps({**ON_ALL, **payload}).encode()
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-github-event": kind, "x-hub-signature-256": f"sha256={digest}"}
        httpx.post(f"{self.bot}/hooks/github", content=body, headers=headers).raise_for_status()

    def opened(self) -> None:
        """Open the pull request, and show its review."""
        pull = {"number": 7, "draft": False, "labels": [], "head": {"sha": self.forge.head}}
        self.deliver("pull_request", {"action": "opened", "pull_request": pull})
        _show("a pull request is opened", self._reviewed(1))
        for run in self.forge.check_runs:
            print(f"check run: {run['conclusion']}, {run['output']['title']}")
        for remark in self.forge.review_comments:
            print(f"remark at {remark['path']}:{remark['line']}\n{remark['body']}\n")
        print(self.forge.issue_comments[-1]["body"])

    def say(self, body: str, number: int, *, on_remark: bool = False) -> None:
        """Comment on the pull request, or on the first remark, and show the answer."""
        comment = {
            "id": number,
            "user": {"login": "ada", "type": "User"},
            "author_association": "MEMBER",
            "body": body,
        }
        pull = {"number": 7, "user": {"login": "bob"}, "head": {"sha": self.forge.head}}
        if on_remark:
            first = self.forge.review_comments[0]
            comment |= {"in_reply_to_id": first["id"], "path": first["path"], "line": first["line"]}
            self.deliver(
                "pull_request_review_comment", {"action": "created", "comment": comment, "pull_request": pull}
            )
        else:
            issue = {"number": 7, "pull_request": {"url": ""}, "user": {"login": "bob"}}
            self.deliver("issue_comment", {"action": "created", "comment": comment, "issue": issue})
        mark = f"answer to={number} -->"

        def answers() -> list[str]:
            told = [*self.forge.issue_comments, *self.forge.review_comments]
            return [one["body"] for one in told if mark in one["body"]]

        _show(body, lambda: bool(answers()))
        print(*answers())

    def _reviewed(self, times: int) -> Callable[[], bool]:
        runs = self.forge.check_runs
        return lambda: len(runs) == times and all(run["status"] == "completed" for run in runs)

    def reviewed_again(self, number: int, words: str) -> None:
        """Ask for another review."""
        before = len(self.forge.check_runs)
        self.say(words, number)
        _show(f"{words}: done", self._reviewed(before + 1))


def _show(what: str, done: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"{what}: nothing came of it in {PATIENCE:.0f} s")
        time.sleep(0.1)
    print(f"\n=== {what}: after {time.monotonic() - began:.1f} s\n", flush=True)


def _started(world: World, folder: Path, model: str) -> subprocess.Popen[str]:
    """Start the bot, and wait until it listens."""
    made = rsa.generate_private_key(65537, 2048)
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    own = {
        "HUNKWISE_GITHUB_URL": world.url,
        "HUNKWISE_GITHUB_APP_ID": "12",
        "HUNKWISE_GITHUB_APP_KEY": made.private_bytes(*form).decode(),
        "HUNKWISE_GITHUB_WEBHOOK_SECRET": SECRET,
        "HUNKWISE_QUEUE": str(folder / "queue"),
        "HUNKWISE_CACHE": str(folder / "cache"),
    }
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    program = [sys.executable, "-c", "from hunkwise.reviewer.cli import main; main()"]
    log = folder / "log"
    with log.open("w") as file:
        command = [*program, "serve", "--bot", "--port=0", f"--model={model}"]
        process = subprocess.Popen(command, env=kept | own, stderr=file, text=True, cwd=folder)
    while not (found := re.search(r"listening on (\S+)", log.read_text())):
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.1)
    world.bot = found[1]
    return process


def main() -> None:
    """Be the people at the forge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="none")
    parser.add_argument("--patch", type=Path, default=ROOT / "examples" / "python-pages.patch")
    parser.add_argument("--question", default="How long is a session kept?")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = World(folder, asked.patch.read_text())
        with serving(world, taken=world.is_git):
            world.forge.url = world.url
            process = _started(world, folder, asked.model)
            try:
                world.opened()
                world.say("/describe", 1)
                world.say(f"/ask {asked.question}", 2)
                if world.forge.review_comments:
                    world.say("/explain", 3, on_remark=True)
                    world.say("/resolve", 4, on_remark=True)
                world.reviewed_again(5, "/review")
                world.reviewed_again(6, "/review full")
            finally:
                process.terminate()
                process.wait(60)


if __name__ == "__main__":
    main()

"""A repository whose workflows are run for real, by act."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
HALF = "def half(number):\n    return number // 2\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Job:
    """A repository with the action in it, a base commit, and a pull request to come; act runs its workflows.

    act is https://github.com/nektos/act, here without Docker and network.
    """

    def __init__(self, folder: Path, action: Path) -> None:
        self.folder, self.kept, self.home = folder / "repository", folder / "kept", folder / "home"
        for path in (self.folder, self.kept, self.home):
            path.mkdir()
        git(self.folder, "init", "-q", "-b", "main")
        (self.folder / ".action").mkdir()
        shutil.copy(action, self.folder / ".action" / "action.yml")
        (self.folder / ".github" / "workflows").mkdir(parents=True)
        self.write("half.py", HALF)
        self.write(".hunkwise.toml", 'exclude = ["generated/**"]\n')

    @property
    def nowhere(self) -> dict[str, str]:
        """Variables under which no model can be found."""
        return {"HUNKWISE_MODELS": str(self.home / "models"), "HUNKWISE_SOURCES": f"{self.home}/nothing"}

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def commit(self, workflow: str, change: dict[str, str]) -> str:
        """Commit the base with its workflow, then a change; gives the change's diff."""
        self.write(".github/workflows/w.yml", workflow)
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", "base")
        self.base = git(self.folder, "rev-parse", "HEAD")
        for name, text in change.items():
            self.write(name, text)
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", "head")
        self.head = git(self.folder, "rev-parse", "HEAD")
        return git(self.folder, "diff", self.base, self.head) + "\n"

    def pulled(self, number: int = 1) -> dict[str, Any]:
        """Give the event of a pull request with the change."""
        base, head = {"sha": self.base, "ref": "main"}, {"sha": self.head, "ref": "topic"}
        return {"pull_request": {"number": number, "base": base, "head": head}}

    def act(
        self,
        event: str,
        payload: dict[str, Any],
        *options: str,
        path: Sequence[Path] = (BIN,),
        **environ: str,
    ) -> subprocess.CompletedProcess[str]:
        """Have an event run the workflow, with `environ` in its steps and `path` before the machine's own."""
        file = self.home / "event.json"
        file.write_text(json.dumps(payload))
        command = [BIN / "act", event, "-e", file, *options]
        for image in ("ubuntu-latest", "ubuntu-24.04"):
            command += ["-P", f"{image}=-self-hosted"]
        for name, value in {"KEPT": str(self.kept), **environ}.items():
            command += ["--env", f"{name}={value}"]
        scrubbed = {k: v for k, v in os.environ.items() if not k.startswith(("HUNKWISE_", "GIT", "XDG_"))}
        places = ":".join([*map(str, path), os.environ["PATH"]])
        return subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env={**scrubbed, "HOME": str(self.home), "PATH": places},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

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

import yaml

BIN = Path(sys.executable).parent
HALF = "def half(number):\n    return number // 2\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# What stands for the actions that only GitHub can run: caches and artifacts go by folders of this machine.
RESTORE = """
key=$(printf %s "$KEY" | tr / _)
echo "cache-primary-key=$key" >> "$GITHUB_OUTPUT"
if [ -d "$CACHES/$key" ]; then cp -R "$CACHES/$key/." "$HOME"; echo cache-hit=true >> "$GITHUB_OUTPUT"; fi
"""
SAVE = """
mkdir "$CACHES/$KEY"
cd "$HOME"
for path in $PATHS; do
  case $path in !*) ;; *) if [ -e "${path#*/}" ]; then cp -R --parents "${path#*/}" "$CACHES/$KEY"; fi;; esac
done
"""
UPLOAD = 'cp "$FILE" "$ARTIFACT/"'
DOWNLOAD = 'mkdir -p "$TO" && cp -R "$ARTIFACT/." "$TO/"'


def runnable(workflow: str) -> str:
    """A workflow of the documentation as act can run it: our action from the checkout, nothing installed."""
    document = yaml.safe_load(workflow)
    (job,) = document["jobs"].values()
    job["steps"] = [step for each in job["steps"] for step in _runnable(each)]
    document["on"] = document.pop(True)  # YAML reads `on` as a truth
    return str(yaml.safe_dump(document))


def _runnable(step: dict[str, Any]) -> list[dict[str, Any]]:
    name, given = step.get("uses", "").partition("@")[0], step.get("with", {})
    kept = {key: value for key, value in step.items() if key in ("id", "if")}
    match name:
        case "hunkwise/hunkwise":
            return [{**step, "uses": "./.action"}]
        case "actions/cache/restore":
            return [{**kept, "run": RESTORE, "env": {"KEY": given["key"]}}]
        case "actions/cache/save":
            return [{**kept, "run": SAVE, "env": {"KEY": given["key"], "PATHS": given["path"]}}]
        case "actions/upload-artifact":
            return [{**kept, "run": UPLOAD, "env": {"FILE": given["path"]}}]
        case "github/codeql-action/upload-sarif":
            return [{**kept, "run": UPLOAD, "env": {"FILE": given["sarif_file"]}}]
        case "actions/download-artifact":
            return [{**kept, "run": DOWNLOAD, "env": {"TO": given["path"]}}]
        case "actions/checkout":  # act leaves out a checkout of what lies here, if no `ref` is named
            return [{**step, "with": {key: value for key, value in given.items() if key != "ref"}}]
        case "actions/setup-python":
            return []
        case "":
            lines = [line for line in step["run"].splitlines() if not line.startswith("pip install")]
            return [{**step, "run": "\n".join(lines)}]
        case _:
            raise AssertionError(f"{name} is not known here")


class Job:
    """A repository with the action in it, a base commit, and a pull request to come; act runs its workflows.

    act is https://github.com/nektos/act, here without Docker and network.
    """

    def __init__(self, folder: Path, action: Path) -> None:
        self.folder, self.kept, self.home = folder / "repository", folder / "kept", folder / "home"
        self.caches, self.artifact = folder / "caches", folder / "artifact"
        for path in (self.folder, self.kept, self.home, self.caches, self.artifact):
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
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "base")
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
        places = {"KEPT": self.kept, "CACHES": self.caches, "ARTIFACT": self.artifact}
        for name, value in {**places, **environ}.items():
            command += ["--env", f"{name}={value}"]
        scrubbed = {k: v for k, v in os.environ.items() if not k.startswith(("HUNKWISE_", "GIT", "XDG_"))}
        programs = ":".join([*map(str, path), os.environ["PATH"]])
        return subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env={**scrubbed, "HOME": str(self.home), "PATH": programs},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

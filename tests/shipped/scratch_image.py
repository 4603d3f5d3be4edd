"""Runs a Dockerfile's steps in scratch roots, without a container engine; started by test_image.py in a namespace.

A root is an overlay over this machine's own, so nothing outside is written to; `apt-get` is a stub in it that
notes what it was asked, because what it would install is here already. Prints a JSON object for each program run
at the end. Arguments: the Dockerfile, the folder of its context, a scratch folder, build arguments as JSON.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

APT = '#!/bin/sh\necho "$*" >> /apt.log\n'
PASSED_ON = re.compile(r"(PIP|SSL|REQUESTS|NO_PROXY|HTTPS?_PROXY|UV)(_|$)", re.IGNORECASE)


@dataclass
class Step:
    kind: str
    text: str


def read(dockerfile: str) -> list[Step]:
    """Read the steps; comments and line continuations are resolved."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


@dataclass
class Stage:
    """A build stage: its root, and what earlier steps set."""

    root: Path
    arguments: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    folder: str = "/"
    user: str = "0"
    entry: list[str] = field(default_factory=list)

    def expand(self, text: str) -> str:
        """Put in the values of ${NAME} and $NAME."""
        values = {**self.arguments, **self.variables}
        return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], ""), text)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a program in the root, as the user, in the folder, and with the variables that are set."""
        into = ["chroot", f"--userspec={self.user}:{self.user}", str(self.root)]
        place = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.folder]
        environment = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        environment |= {"HOME": "/root", **self.arguments, **self.variables}
        environment |= {
            "PIP_NO_CACHE_DIR": "0"
        }  # what was fetched before need not be fetched again for a test
        return subprocess.run(
            [*into, *place, *command], env=environment, capture_output=True, text=True, check=False
        )


def mounted(scratch: Path, name: str) -> Path:
    """Make a root: this machine's, with a layer of its own that takes all that is written."""
    layer = scratch / name
    root = layer / "root"
    for folder in ("upper", "work", "root"):
        (layer / folder).mkdir(parents=True)
    options = f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
    for special in ("dev", "proc"):
        subprocess.run(["mount", "--rbind", f"/{special}", root / special], check=True)
    apt = root / "usr" / "local" / "bin" / "apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)
    python = root / sys.base_prefix.lstrip("/")
    for above in (python, *python.parents):
        if above.is_relative_to(root):  # an interpreter in a home is to be found by others too
            above.chmod(above.stat().st_mode | 0o055)
    return root


def build(steps: list[Step], context: Path, scratch: Path, given: dict[str, str]) -> Stage:
    """Run the steps; gives the last stage. A step that this program does not know is an error."""
    path = f"{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    general: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for step in steps:
        if step.kind == "ARG":
            name, _, default = shlex.split(step.text)[0].partition("=")
            before = stage.expand(default) if stage else default
            (stage.arguments if stage else general)[name] = given.get(name, before)
        elif step.kind == "FROM":
            image, _, name = step.text.partition(" AS ")
            stage = stages[name] = stages.get(image) or Stage(mounted(scratch, name), {}, {"PATH": path})
        else:
            assert stage is not None
            perform(step, stage, stages, context)
    assert stage is not None
    return stage


def perform(step: Step, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    """Do one step inside a stage."""
    match step.kind:
        case "SHELL":
            stage.shell = json.loads(step.text)
        case "ENV":
            pairs = (pair.partition("=") for pair in shlex.split(stage.expand(step.text)))
            stage.variables |= {name: value for name, _, value in pairs}
        case "WORKDIR":
            stage.folder = stage.expand(step.text)
            (stage.root / stage.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "COPY":
            copy(step, stage, stages, context)
        case "RUN":
            done = stage.run([*stage.shell, step.text])
            if done.returncode:
                sys.exit(f"RUN {step.text}\n{done.stdout}{done.stderr}")
        case "USER":
            stage.user = step.text
        case "ENTRYPOINT":
            stage.entry = json.loads(step.text)
        case "CMD" | "VOLUME" | "EXPOSE" | "HEALTHCHECK":
            pass
        case _:
            sys.exit(f"{step.kind} is not known here")


def copy(step: Step, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    """Copy from the context or from an earlier stage."""
    words = shlex.split(stage.expand(step.text))
    options = dict(word[2:].split("=") for word in words if word.startswith("--"))
    source, target = (word for word in words if not word.startswith("--"))
    start = stages[options["from"]].root if "from" in options else context
    into = Path(os.path.normpath(stage.root / stage.folder.lstrip("/") / target.lstrip("/")))
    if target.startswith("/"):
        into = stage.root / target.lstrip("/")
    shutil.copytree(start / source.lstrip("/"), into, symlinks=True, dirs_exist_ok=True)
    if "chown" in options:
        assert stage.run(["chown", "-R", options["chown"], target]).returncode == 0


def main() -> None:
    dockerfile, context, scratch, given = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", scratch], check=True)
    stage = build(read(Path(dockerfile).read_text()), Path(context), Path(scratch), json.loads(given))
    checkout = stage.root / "src"
    (checkout / "yarn.lock").write_text("a\n")  # nobody has to review it, so no model is needed
    git = "git -c safe.directory=* -c user.name=n -c user.email=e@x"
    made = f"cd /src && {git} init -q && {git} add . && {git} commit -q -m m && chown -R 4242 ."
    subprocess.run(["chroot", stage.root, "/bin/sh", "-c", made], check=True)
    for command in (["--version"], ["review", "--commit", "HEAD"], ["model", "list"]):
        done = stage.run([*stage.entry, *command])
        print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr}))
    done = stage.run(
        ["/bin/sh", "-c", "id -u; touch /data/mine && echo wrote; touch /opt/hunkwise/mine || echo no"]
    )
    print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr}))
    print(json.dumps({"apt": (stage.root / "apt.log").read_text()}))


if __name__ == "__main__":
    main()

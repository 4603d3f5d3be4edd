from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Tool = Callable[..., Any]


def test_dockerfile(root: Path, tool: Tool) -> None:
    """Hadolint finds nothing in the Dockerfile."""
    done = tool("hadolint", root / "Dockerfile")
    assert done.returncode == 0, done.stdout


def stages(root: Path) -> dict[str, list[str]]:
    """Give the lines of each stage of the Dockerfile by its name, in order."""
    found: dict[str, list[str]] = {}
    for line in (root / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            found[line.partition(" AS ")[2]] = [line]
        elif found:
            found[list(found)[-1]].append(line)
    return found


def test_not_root(root: Path) -> None:
    """Both targets run as a numbered user that is not root, and start the console script."""
    found = stages(root)
    base = found["base"]
    assert [line for line in base if line.startswith("USER ")] == ["USER 10001"]
    assert 'ENTRYPOINT ["hunkwise"]' in base
    assert any("PYTHONSAFEPATH=1" in line for line in base)
    for target in ("serve", "tool"):
        assert found[target][0] == f"FROM base AS {target}"
        assert not [line for line in found[target] if line.startswith(("USER ", "ENTRYPOINT "))]
    assert list(found)[-1] == "tool"  # what `docker build .` makes


def test_server_image(root: Path) -> None:
    """The server's target says its port, is asked whether it is alive, and starts `serve`."""
    serve = stages(root)["serve"]
    assert "EXPOSE 11435" in serve
    assert any(line.startswith("HEALTHCHECK ") and "/healthz" in line for line in serve)
    (command,) = (json.loads(line[4:]) for line in serve if line.startswith("CMD "))
    assert command == ["serve", "--host", "0.0.0.0"]


def test_run_steps_are_shell(root: Path) -> None:
    """Every RUN step of the Dockerfile is valid shell."""
    text = (root / "Dockerfile").read_text().replace("\\\n", " ")
    steps = [line[4:] for line in text.splitlines() if line.startswith("RUN ")]
    assert len(steps) == 5
    for step in steps:
        assert subprocess.run(["bash", "-n", "-c", step], check=False).returncode == 0, step


def test_compose(root: Path, tool: Tool) -> None:
    """docker-compose.yml is valid, publishes ports to this machine alone, and gives no service new privileges."""
    file = root / "docker-compose.yml"
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    assert done.returncode == 0, done.stdout
    services = yaml.safe_load(file.read_text())["services"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    assert {name for name, service in services.items() if "ports" in service} == {
        "serve",
        "serve-gpu",
        "open-webui",
        "bot-receive",
    }
    assert {name for name, service in services.items() if not service.get("profiles")} == {"serve", "redis"}


@pytest.mark.network
def test_wheel_of_the_context(context: Path, tmp_path: Path) -> None:
    """What .dockerignore lets through is enough for the wheel, which starts without any extra."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "wheels")]
    subprocess.run(build, cwd=context, check=True, capture_output=True, timeout=300)
    (wheel,) = (tmp_path / "wheels").glob("hunkwise-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"hunkwise"}
    script = "from hunkwise.reviewer.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "hook", "--help"],
        env={"PYTHONPATH": str(tmp_path / "installed"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "git hook" in done.stdout

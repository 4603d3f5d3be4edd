from __future__ import annotations

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


def test_not_root(root: Path) -> None:
    """The last stage runs as a numbered user that is not root, and starts the console script."""
    lines = (root / "Dockerfile").read_text().splitlines()
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001"]
    assert 'ENTRYPOINT ["hunkwise"]' in last
    assert any("PYTHONSAFEPATH=1" in line for line in last)


def test_run_steps_are_shell(root: Path) -> None:
    """Every RUN step of the Dockerfile is valid shell."""
    text = (root / "Dockerfile").read_text().replace("\\\n", " ")
    steps = [line[4:] for line in text.splitlines() if line.startswith("RUN ")]
    assert len(steps) == 5
    for step in steps:
        assert subprocess.run(["bash", "-n", "-c", step], check=False).returncode == 0, step


def test_compose(root: Path, tool: Tool) -> None:
    """docker-compose.yml is valid, publishes no port, and gives no service new privileges."""
    file = root / "docker-compose.yml"
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    assert done.returncode == 0, done.stdout
    for service in yaml.safe_load(file.read_text())["services"].values():
        assert "ports" not in service
        assert service["cap_drop"] == ["ALL"]


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

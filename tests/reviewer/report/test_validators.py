"""The SARIF report under the validator of SARIF's authors, with the rules of GitHub's ingestion."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "cases" / "report"
PACKAGE = "@microsoft/sarif-multitool-linux@5.7.0"
HARMLESS = {"SARIF2005"}  # the tool has no page of its own that informationUri could name
HERE = (platform.system(), platform.machine()) == ("Linux", "x86_64") and shutil.which("npm") is not None


@pytest.fixture(scope="session")
def multitool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Microsoft's validator, from the npm registry that the user's npm is set to."""
    folder = tmp_path_factory.mktemp("multitool")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", PACKAGE]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    program = next(path for path in folder.rglob("Sarif.Multitool") if path.is_file())
    program.chmod(0o755)
    return program


@pytest.mark.network
@pytest.mark.skipif(not HERE, reason="no npm, or no validator for this machine: SARIF is not validated")
@pytest.mark.parametrize("name", ["rich", "empty"])
def test_sarif_is_what_github_takes(multitool: Path, tmp_path: Path, name: str) -> None:
    """Neither SARIF's own rules nor those of GitHub's ingestion find anything."""
    report, log = tmp_path / f"{name}.sarif", tmp_path / "log.sarif"
    shutil.copy(CASES / report.name, report)
    command = [str(multitool), "validate", str(report), "--rule-kind", "Sarif;Ghas", "--output", str(log)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (run,) = json.loads(log.read_text("utf-8-sig"))["runs"]
    found = [result for result in run.get("results", []) if result["ruleId"] not in HARMLESS]
    assert found == []

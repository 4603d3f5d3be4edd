"""A release is rehearsed in a clone, and refused where something is in the way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version
from release import closed, numbered

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of this repository on main, with the script as it stands here."""
    copy = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, copy], check=True, capture_output=True)
    (copy / "scripts" / "release.py").write_bytes((ROOT / "scripts" / "release.py").read_bytes())
    git(copy, "checkout", "-q", "-B", "main")
    git(copy, "add", ".")
    git(copy, "commit", "-q", "--allow-empty", "-m", "as it stands")
    return copy


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def rehearse(clone: Path, version: str) -> subprocess.CompletedProcess[str]:
    script = str(clone / "scripts" / "release.py")
    command = [sys.executable, script, "--dry-run", "--skip-checks", version]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.network
def test_dry_run(clone: Path) -> None:
    """It builds both files, prints their digests, and leaves the clone as it was."""
    before = git(clone, "rev-parse", "HEAD")
    done = rehearse(clone, "99.0.0")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^[0-9a-f]{64}  hunkwise-99\.0\.0-py3-none-any\.whl$", done.stdout, re.MULTILINE)
    assert re.search(r"^[0-9a-f]{64}  hunkwise-99\.0\.0\.tar\.gz$", done.stdout, re.MULTILINE)
    assert "CHANGELOG.md" in done.stdout
    assert git(clone, "rev-parse", "HEAD") == before
    assert not git(clone, "status", "--porcelain")
    assert not git(clone, "tag", "-l", "v99*")


def test_what_is_in_the_way(clone: Path) -> None:
    """A tag that is there, a changed tree, another branch and what is no version are refused."""
    assert "InvalidVersion" not in (said := rehearse(clone, "one").stderr)
    assert "one" in said
    git(clone, "tag", "v99.0.0")
    assert "v99.0.0 is there already" in rehearse(clone, "99.0.0").stderr
    (clone / "new").touch()
    assert "commit or remove first" in rehearse(clone, "99.0.1").stderr
    (clone / "new").unlink()
    git(clone, "checkout", "-q", "-b", "other")
    assert "from main, not from other" in rehearse(clone, "99.0.1").stderr


def test_version_and_change_log() -> None:
    """The version only rises; an empty Unreleased part is not released."""
    assert numbered('a = 1\nversion = "0.1.0"\n', Version("0.2")) == 'a = 1\nversion = "0.2"\n'
    with pytest.raises(ValueError, match="comes before"):
        numbered('version = "0.1.0"\n', Version("0.0.9"))
    log = "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- A.\n"
    assert closed(log, Version("1.0"), "2030-01-02") == (
        "# Changelog\n\n## Unreleased\n\n## 1.0 - 2030-01-02\n\n### Fixed\n\n- A.\n"
    )
    with pytest.raises(ValueError, match="nothing under Unreleased"):
        closed("# Changelog\n\n## Unreleased\n\n## 1.0 - 2030-01-02\n\n- A.\n", Version("1.1"), "2030-01-03")

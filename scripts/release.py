"""Make a release: check, set the version, close the change log, build, show the digests, commit and tag.

A dry run says and checks the same, builds from a copy, and changes nothing. Nothing is pushed or uploaded.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)
UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def git(*arguments: str, folder: Path = ROOT) -> str:
    """Run git and give what it prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def numbered(project: str, version: Version) -> str:
    """Give pyproject.toml with the new version, which is not before the present one. Raises ValueError."""
    present = VERSION.search(project)
    if present is None:
        raise ValueError("pyproject.toml has no version")
    if version < Version(present[1]):
        raise ValueError(f"{version} comes before {present[1]}, which pyproject.toml has")
    return VERSION.sub(f'version = "{version}"', project, count=1)


def closed(changes: str, version: Version, date: str) -> str:
    """Give the change log in which what was unreleased is of this version. Raises ValueError."""
    unreleased = UNRELEASED.search(changes)
    if unreleased is None or not unreleased[1].strip():
        raise ValueError("CHANGELOG.md has nothing under Unreleased")
    at = unreleased.start(1)
    return f"{changes[:at]}\n## {version} - {date}\n{changes[at:]}"


def ready(tag: str) -> None:
    """Refuse anything but a clean main without this tag. Raises ValueError."""
    if (branch := git("rev-parse", "--abbrev-ref", "HEAD")) != "main":
        raise ValueError(f"a release is made from main, not from {branch}")
    if changed := git("status", "--porcelain"):
        raise ValueError(f"commit or remove first:\n{changed}")
    if git("tag", "--list", tag):
        raise ValueError(f"the tag {tag} is there already")


def write(folder: Path, version: Version, date: str) -> None:
    """Set the version and close the change log of a tree. Raises ValueError, and then has written nothing."""
    project, changes = folder / "pyproject.toml", folder / "CHANGELOG.md"
    texts = {
        project: numbered(project.read_text("utf-8"), version),
        changes: closed(changes.read_text("utf-8"), version, date),
    }
    for path, text in texts.items():
        path.write_text(text, "utf-8")


def build(folder: Path, out: Path) -> None:
    """Build sdist and wheel of a tree, and print their digests."""
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for path in sorted(out.iterdir()):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}", flush=True)


def rehearse(version: Version, date: str) -> None:
    """Do to a clone what a release does to this tree."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "copy"
        git("clone", "--quiet", str(ROOT), str(copy))
        write(copy, version, date)
        print(git("diff", "--stat", folder=copy))
        build(copy, Path(scratch) / "dist")
    print(f"dry run: v{version} can be released; nothing was changed")


def release(version: Version, date: str) -> None:
    """Write, build, commit and tag; say what is left to do."""
    out = ROOT / "dist" / str(version)
    if out.exists():
        raise ValueError(f"remove {out.relative_to(ROOT)} first")
    write(ROOT, version, date)
    build(ROOT, out)
    git("commit", "--quiet", "--all", "--message", f"Release {version}")
    git("tag", "--annotate", f"v{version}", "--message", f"hunkwise {version}")
    print(
        f"tagged v{version}; built in {out.relative_to(ROOT)}. Now: git push --atomic origin main v{version}"
    )


def main() -> None:
    """Read the arguments; leave with a sentence if something is in the way."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument("--dry-run", action="store_true", help="change nothing here")
    parser.add_argument("--skip-checks", action="store_true", help="of a dry run: leave scripts/check out")
    asked = parser.parse_args()
    if asked.skip_checks and not asked.dry_run:
        parser.error("only a dry run may leave the checks out")
    try:
        version = Version(asked.version)
        ready(f"v{version}")
        if not asked.skip_checks:
            subprocess.run([ROOT / "scripts" / "check"], check=True)
        (rehearse if asked.dry_run else release)(version, datetime.now(UTC).date().isoformat())
    except (InvalidVersion, ValueError) as error:
        sys.exit(f"scripts/release: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"scripts/release: {error}\n{error.stderr or ''}")


if __name__ == "__main__":
    main()

"""`hunkwise install-hook`: a git hook for people without pre-commit."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click

from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.errors import GitError, UsageError
from hunkwise.reviewer.source.git import repository

_MARK = "# Written by hunkwise install-hook; delete this file to be rid of it."


@click.command("install-hook")
@click.option(
    "--stage",
    type=click.Choice(["pre-commit", "pre-push", "prepare-commit-msg"]),
    default="pre-commit",
    show_default=True,
    help="When to review: at each commit, or at each push; or have each commit's message begun.",
)
@click.option(
    "--force", is_flag=True, help="Replace a hook that is not ours; it is kept with .old at its end."
)
def command(stage: str, force: bool) -> None:
    """Have git review this repository's commits or pushes, or begin the messages of its commits."""
    path = hook_path(Path.cwd(), stage)
    try:
        if (path.exists() or path.is_symlink()) and not _ours(path):
            if not force:
                raise UsageError(
                    f"{path} is not ours; add the line `{_line(stage)}` to it, or replace it with --force"
                )
            path.replace(path.with_name(path.name + ".old"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(stage, Path(sys.executable).with_name("hunkwise")), encoding="utf-8")
        path.chmod(0o755)
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from None
    click.echo(f"wrote {path}")
    if not path.is_relative_to(repository_root(Path.cwd()) or "/"):
        click.echo(
            "note: core.hooksPath is shared, so the hook runs in all repositories that use it", err=True
        )


def hook_path(folder: Path, stage: str) -> Path:
    """Ask git where the hook of a stage lies; core.hooksPath is followed. Raises GitError."""
    command = ["git", "rev-parse", "--path-format=absolute", "--git-path", "hooks"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git can't be asked: {error}") from error
    if done.returncode != 0:
        repository(folder, os.environ)  # which says why git does not read it
        raise GitError(f"git does not say where the hooks of {folder} lie")
    # the folder is asked for, not the file: git would follow a link in its place
    return Path(done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")) / stage


def script(stage: str, program: Path) -> str:
    """Write the hook's text. Where hunkwise is gone, the commit goes on with a note."""
    verbs = {"pre-push": 'hook --push "$1"', "prepare-commit-msg": 'prepare-commit-msg "$@" || exit 0'}
    run = "" if stage == "prepare-commit-msg" else "exec "
    return "\n".join(
        [
            "#!/bin/sh",
            _MARK,
            f"hunkwise={shlex.quote(str(program))}",
            '[ -x "$hunkwise" ] || hunkwise=$(command -v hunkwise) || {',
            '    echo "hunkwise: not installed any more; nothing was reviewed" >&2',
            "    exit 0",
            "}",
            f'{run}"$hunkwise" {verbs.get(stage, "hook")}',
            "",
        ]
    )


def _line(stage: str) -> str:
    return 'hunkwise prepare-commit-msg "$@"' if stage == "prepare-commit-msg" else "hunkwise hook"


def _ours(path: Path) -> bool:
    """Tell our own hook by its mark; a link is never ours, for we would write where it points, nor is a pipe."""
    return (
        path.is_file()
        and not path.is_symlink()
        and _MARK in path.read_text(encoding="utf-8", errors="replace")
    )

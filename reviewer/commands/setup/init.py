"""`hunkwise init`: write a commented `.hunkwise.toml`, and say what to do next on this forge."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from pathlib import Path

import click

from hunkwise.reviewer.config.files import REPOSITORY_FILE
from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.config.settings import Config, keys, plain, settings
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.forges.registry import FORGES

# What a project's file is about; limits and what belongs to a person stay out of it.
_SHOWN = (
    "model",
    "language",
    "guidelines",
    "categories",
    "min_severity",
    "min_confidence",
    "max_comments",
    "fail_on",
    "include",
    "exclude",
    "effort",
)


@click.command("init")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(force: bool) -> None:
    """Write a commented .hunkwise.toml at the root of this repository."""
    root = repository_root(Path.cwd()) or Path.cwd()
    path = root / REPOSITORY_FILE
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise ConfigError(f"{path} exists; edit it, or overwrite it with --force") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None
    click.echo(f"wrote {path}")
    click.echo("next: review --working", err=True)
    if name := forge(remote_url(root)):
        click.echo(FORGES.load(name).setup, err=True)


def template() -> str:
    """Give the file's text: each setting as a comment that holds its default."""
    lines = [
        "# Settings of hunkwise for this project. Each line is the default; take the # away to change it.",
        "# All settings, and what they may be: hunkwise config show, hunkwise config schema.",
    ]
    described, defaults = settings(), Config()
    for key, name in keys().items():
        if name in _SHOWN:
            lines += [
                "",
                *textwrap.wrap(described[name].help, 100, initial_indent="# ", subsequent_indent="# "),
            ]
            lines.append(f"#{key} = {json.dumps(plain(getattr(defaults, name)))}")
    rule = """
        # What holds for some paths alone
        #[[rule]]
        #paths = ["src/db/**"]
        #instructions = "Every query must be parameterised."
        #categories = ["security", "correctness"]
        #min_severity = "info"
        """
    return "\n".join(lines) + "\n" + textwrap.dedent(rule)


def remote_url(folder: Path) -> str:
    """Ask git for the URL of `origin`; "" without one."""
    command = ["git", "-C", str(folder), "config", "--get", "remote.origin.url"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()


def forge(url: str) -> str:
    """Tell the forge from a remote's URL by its host: "github", "gitlab" or ""."""
    found = re.match(r"(?:\w+://)?(?:[^@/]*@)?([^:/]+)", url)
    host = found.group(1).lower() if found else ""
    return next((name for name in FORGES.rows if name in host), "")

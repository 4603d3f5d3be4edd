"""Where a tool is found, and what of the environment it is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def folders(variables: Mapping[str, str], not_in: Path | None = None) -> tuple[str, ...]:
    """Give the folders of programs: those on PATH, and the one of our own Python.

    A relative one depends on where we stand, and is left out. So is one inside `not_in`, the checkout of a change
    that is not trusted: a program there could be the change's own. Our own environment may stand there, for we
    come from it too.
    """
    own = Path(sys.prefix).absolute()
    named = [*variables.get("PATH", "").split(os.pathsep), str(own / "bin")]
    return tuple(
        dict.fromkeys(
            name
            for name in named
            if name.startswith("/") and (not_in is None or not _inside(name, not_in) or _inside(name, own))
        )
    )


def _inside(name: str, folder: Path) -> bool:
    return any(
        path.is_relative_to(folder.resolve()) for path in (Path(name).absolute(), Path(name).resolve())
    )


def program(name: str, places: Sequence[str]) -> str | None:
    """Find a program."""
    paths = (os.path.join(place, name) for place in places)  # noqa: PTH118 - as the shell does
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)  # noqa: PTH113


def environment(places: Sequence[str], home: Path) -> dict[str, str]:
    """Make an environment that holds no secret and no setting of the user's."""
    return {
        "PATH": os.pathsep.join(places),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PYTHONSAFEPATH": "1",
    }

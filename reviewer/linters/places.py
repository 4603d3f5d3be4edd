"""Where the paths of a report lead. They are compared as text alone: nothing is opened by a name in a report."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from hunkwise.reviewer.text.hostile_paths import hostile

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True, slots=True)
class Root:
    """The folder in which the paths of a report begin: as it is named, and without links."""

    folders: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> Root:
        """Take a folder of this machine."""
        return cls(tuple(dict.fromkeys((os.path.abspath(folder), os.path.realpath(folder)))))  # noqa: PTH100

    def relative(self, path: str, base: str = "") -> str:
        """Give a path, or a URI of a file, inside the root; "" for one outside.

        `base` is an absolute folder that the report calls its own, maybe on another machine: it is then taken for
        our root.
        """
        if path[:5].lower() == "file:":
            path = path_of(path)
        if not path.startswith("/"):
            below = self._below(posixpath.normpath(base)) if base else ""
            return _inside(posixpath.join(below, path))
        path = posixpath.normpath(path)
        return _inside(self._below(path) or (_below(path, posixpath.normpath(base)) if base else ""))

    def _below(self, path: str) -> str:
        return next((rest for folder in self.folders if (rest := _below(path, folder))), "")


def _below(path: str, folder: str) -> str:
    """Give what of a path stands below a folder; "" where it is not below."""
    start = folder.rstrip("/") + "/"
    return path[len(start) :] if path.startswith(start) else ""


def _inside(path: str) -> str:
    path = posixpath.normpath(path) if path else ""
    return "" if hostile(path) else path


def path_of(uri: str) -> str:
    """Read a URI of a file, or a relative one, as a path; "" for one of another kind."""
    if uri[:5].lower() == "file:":
        rest = uri[5:]
        if rest.startswith("//"):
            rest = rest[2:].removeprefix("localhost")  # and `file://src/a.py`, as some tools write it
    elif _SCHEME.match(uri) or uri.startswith("//"):
        return ""
    else:
        rest = uri
    return unquote(rest.partition("#")[0].partition("?")[0], errors="surrogateescape")

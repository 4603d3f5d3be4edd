"""Which lines of a change's files were run, as coverage reports tell; of other files nothing is kept."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Sequence

from hunkwise.reviewer.linters.places import Root


class Runs:
    """What the reports tell: for each wanted path and each line of code there, whether it was run.

    `files` counts those that the reports name, `inside` those of them that can be in the repository.
    """

    def __init__(self, root: Root, wanted: Collection[str]) -> None:
        self._root, self._wanted = root, wanted
        self.by_path: dict[str, dict[int, bool]] = {}
        self.files = self.inside = 0

    def lines(self, name: str, sources: Sequence[str] = ()) -> dict[int, bool] | None:
        """Give the lines of a file, to be filled in; None where it is not wanted.

        Its name begins in one of the folders `sources`; where all of them are elsewhere, in the root. Where it may
        mean several wanted files, nobody knows which, and none is meant.
        """
        below = [posixpath.join(source.strip(), name) for source in sources]
        paths = self._inside(below) or self._inside([name])
        self.files += 1
        self.inside += bool(paths)
        meant = [path for path in paths if path in self._wanted]
        return self.by_path.setdefault(meant[0], {}) if len(meant) == 1 else None

    def _inside(self, names: Sequence[str]) -> dict[str, None]:
        return dict.fromkeys(filter(None, map(self._root.relative, names)))

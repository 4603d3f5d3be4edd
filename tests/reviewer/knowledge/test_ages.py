"""Files of late: by the commit that last changed each, by the file's own time where it is not as committed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gits import ENVIRONMENT, git

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.ask import Question, ask
from hunkwise.reviewer.app.telling.index import index
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge import ages
from hunkwise.reviewer.knowledge.ages import moment
from hunkwise.reviewer.knowledge.port import Filter

DAY = 86_400
OLD, MIDDLE, NEW = 1_500_000_000, 1_600_000_000, 1_700_000_000


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A repository with three commits, whose files were all written now, as in a fresh clone."""
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q")
    for moment_of, names in ((OLD, ("old.md", "\nline.md", "twice.md")), (MIDDLE, ("middle.md", "twice.md"))):
        for name in names:
            (repo / name).write_text(f"# Note\n\nneedle {moment_of}\n")
        monkeypatch.setitem(ENVIRONMENT, "GIT_COMMITTER_DATE", f"{moment_of} +0000")
        git(repo, "add", "-A")
        git(repo, "commit", "-qm", "m")
    variables = {"PATH": os.environ["PATH"], "HUNKWISE_CACHE": str(tmp_path / "cache")}
    return Environment({**variables, "GIT_CONFIG_GLOBAL": os.devnull}, repo, lambda _: None)


def _found(at: Environment, since: float) -> set[str]:
    told = ask(Question("needle", Path(), Filter(since=since)), at, None)
    return {each.passage.path for each in told.passages}


def test_a_committed_file_is_as_old_as_its_last_commit(at: Environment) -> None:
    index([], at)
    assert _found(at, OLD) == {"old.md", "\nline.md", "twice.md", "middle.md"}
    assert _found(at, OLD + DAY) == {"twice.md", "middle.md"}
    assert _found(at, NEW) == set()


def test_what_is_not_as_committed_is_as_old_as_the_file(at: Environment) -> None:
    (at.folder / "middle.md").write_text("# Note\n\nneedle, changed\n")
    (at.folder / "untracked.md").write_text("# Note\n\nneedle\n")
    (at.folder / "old.md").write_text("# Note\n\nneedle, changed\n")
    os.utime(at.folder / "old.md", (OLD, OLD))
    index([], at)
    assert _found(at, NEW) == {"middle.md", "untracked.md"}


def test_a_repository_without_a_commit_goes_by_the_files(at: Environment) -> None:
    git(at.folder, "checkout", "-q", "--orphan", "none")
    index([], at)
    assert _found(at, NEW) == {"old.md", "\nline.md", "twice.md", "middle.md"}


def test_a_history_that_is_too_long_is_said(at: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    index([], at)
    monkeypatch.setattr(ages, "MOST_COMMITS", 1)
    assert _found(at, MIDDLE) == {"twice.md", "middle.md"}
    with pytest.raises(KnowledgeError, match="more than 1 commits are as late as that"):
        _found(at, OLD)


def test_days_and_dates() -> None:
    assert moment("30d", NEW) == NEW - 30 * DAY
    assert moment("99999d", NEW) == 1.0
    assert abs(moment("2020-09-13", NEW) - MIDDLE) < 2 * DAY
    assert moment("1960-01-01", NEW) == 1.0
    for text in ("", "d", "-3d", "٣d", "30", "30 d", "2020-09-31", "last week", "2020-09-13T10:00"):
        with pytest.raises(UsageError, match="give a day"):
            moment(text, NEW)

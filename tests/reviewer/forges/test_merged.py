"""Of a merge, and of a push, only what is in none of the known commits is reviewed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gits import git, save
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.source import local
from hunkwise.reviewer.types import Change

LIMITS = Limits()
BODY = "".join(f"line {number}\n" for number in range(40))


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's git settings are not the tests'."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """`main` and `side` changed f.py in one place each alike, and in one place of their own."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    save(folder, "base", **{"f.py": BODY, "gone.py": "gone\n", "old.py": BODY, "shared.py": "s\n"})
    git(folder, "checkout", "-qb", "side")
    save(folder, "side", **{"f.py": both("theirs", 30, "theirs"), "theirs.py": "theirs\n"})
    git(folder, "rm", "-q", "gone.py")
    git(folder, "mv", "old.py", "renamed.py")
    git(folder, "commit", "-qm", "side 2")
    git(folder, "checkout", "-q", "main")
    save(folder, "main", **{"f.py": both("ours", 10, "ours"), "ours.py": "ours\n"})
    save(folder, "main 2", **{"old.py": BODY.replace("line 3\n", "line three\n")})
    return folder


def both(conflict: str, at: int, text: str) -> str:
    """The body with a conflicting line 20, and a change at another."""
    return BODY.replace("line 20\n", f"{conflict}\n").replace(f"line {at}\n", f"{text} {at}\n")


def lines(change: Change) -> dict[str, tuple[list[str], list[str]]]:
    """Removed and added lines by path."""
    return {
        file.path: (
            [line.text for hunk in file.hunks for line in hunk.removed],
            [line.text for hunk in file.hunks for line in hunk.added],
        )
        for file in change.files
    }


def resolve(repo: Path, text: str = "both") -> None:
    git(repo, "merge", "side", fails=True)
    merged = (repo / "f.py").read_text()
    start, end = merged.index("<<<<<<<"), merged.index(">>>>>>> side\n") + len(">>>>>>> side\n")
    (repo / "f.py").write_text(f"{merged[:start]}{text}\n{merged[end:]}")


@pytest.mark.parametrize("text", ["both", "ours", "theirs", "<<<<<<< left\nours"])
def test_only_what_the_merge_decided(repo: Path, text: str) -> None:
    """Before the commit, staged or not, and after it: what neither side has, and no line more."""
    resolve(repo, text)
    (repo / "ours.py").write_text("ours\nslipped in\n")
    added = {"both": ["both"], "<<<<<<< left\nours": ["<<<<<<< left"]}.get(text, [])
    expected = {"ours.py": ["slipped in"]} | ({"f.py": added} if added else {})
    assert {
        path: new for path, (_, new) in lines(local.working(repo, LIMITS, os.environ)).items()
    } == expected
    git(repo, "add", "-A")
    staged = local.staged(repo, LIMITS, os.environ)
    assert {path: new for path, (_, new) in lines(staged).items()} == expected
    assert staged.base == git(repo, "rev-parse", "HEAD")
    assert "merge is under way" in staged.notes[0]
    git(repo, "commit", "-qm", "merge")
    change = local.commit(repo, "HEAD", LIMITS, os.environ)
    assert lines(change) == lines(staged)
    assert "merge of 2 commits" in change.notes[0]
    assert lines(local.staged(repo, LIMITS, os.environ)) == {}


def test_what_a_merge_throws_away_is_its_own(repo: Path) -> None:
    """A file that both sides have and the merge has not; one that only the merge has; one that it changes."""
    resolve(repo, "ours")
    git(repo, "rm", "-qf", "renamed.py", "ours.py", "shared.py")
    (repo / "theirs.py").write_text("changed\n")
    (repo / "new.py").write_text("new\n")
    git(repo, "add", "-A")
    assert lines(local.staged(repo, LIMITS, os.environ)) == {
        "new.py": ([], ["new"]),
        "shared.py": (["s"], []),
        "theirs.py": (["theirs"], ["changed"]),
    }


def test_a_conflict_that_is_not_resolved(repo: Path) -> None:
    """The work tree shows its marks, and nothing else that was merged."""
    git(repo, "merge", "side", fails=True)
    assert list(lines(local.working(repo, LIMITS, os.environ))) == ["f.py"]
    assert "<<<<<<< HEAD" in lines(local.working(repo, LIMITS, os.environ))["f.py"][1]
    staged = local.staged(repo, LIMITS, os.environ)
    assert (staged.files, [skip.path for skip in staged.skipped]) == ((), ["f.py"])


def test_three_branches_at_once(repo: Path) -> None:
    """An octopus is a merge like any other."""
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    for name in ("one", "two"):
        git(repo, "checkout", "-qb", name, "main")
        save(repo, name, **{f"{name}.py": f"{name}\n"})
    git(repo, "checkout", "-q", "main")
    save(repo, "three", **{"three.py": "three\n"})
    git(repo, "merge", "-q", "one", "two", "-m", "octopus")
    assert local.commit(repo, "HEAD", LIMITS, os.environ).files == ()
    (repo / "one.py").write_text("evil\n")
    git(repo, "commit", "-qa", "--amend", "-m", "octopus")
    assert lines(local.commit(repo, "HEAD", LIMITS, os.environ)) == {"one.py": (["one"], ["evil"])}


def test_a_range_from_several_starts(repo: Path) -> None:
    """What is in neither start; one that is older than another adds nothing."""
    git(repo, "merge", "side", fails=True)
    (repo / "f.py").write_text(BODY + "resolved\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "merge")
    save(repo, "mine", **{"mine.py": "mine\n"})
    change = local.between(repo, ["side", "main~2", "side~1"], "main", LIMITS, os.environ)
    assert sorted(lines(change)) == ["f.py", "mine.py"]
    empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert sorted(lines(local.between(repo, [empty], "side~1", LIMITS, os.environ))) == [
        "f.py", "gone.py", "old.py", "shared.py", "theirs.py",
    ]  # fmt: skip


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(
    st.lists(st.sampled_from(["keep", "ours", "theirs", "both", "merge", "clash"]), min_size=12, max_size=12),
    st.booleans(),
)
def test_any_merge(tmp_path_factory: pytest.TempPathFactory, fate: list[str], staged: bool) -> None:
    """Each block of a file goes its own way; what is shown is what the merge wrote and nobody else."""
    repo = tmp_path_factory.mktemp("merge")
    git(repo, "init", "-q", "-b", "main")

    def text(who: str) -> str:
        known = {
            "base": {},
            "ours": {"ours": "o", "both": "b", "clash": "o"},
            "theirs": {"theirs": "t", "both": "b", "clash": "t"},
            "merge": {"ours": "o", "theirs": "t", "both": "b", "clash": "m", "merge": "m"},
        }[who]
        gap = "".join(f"gap {at}\n" for at in range(4))
        return "".join(f"{number} {known.get(way, 'base')}\n{gap}" for number, way in enumerate(fate))

    save(repo, "base", **{"f.py": text("base")})
    git(repo, "checkout", "-qb", "side")
    save(repo, "side", **{"f.py": text("theirs"), "side.py": "side\n"})
    git(repo, "checkout", "-q", "main")
    save(repo, "main", **{"f.py": text("ours"), "main.py": "main\n"})
    git(repo, "merge", "--no-commit", "--no-ff", "side", fails=True)
    (repo / "f.py").write_text(text("merge"))
    git(repo, "add", "-A")
    if not staged:
        git(repo, "commit", "-qm", "merge")
    change = (
        local.staged(repo, LIMITS, os.environ) if staged else local.commit(repo, "HEAD", LIMITS, os.environ)
    )
    own = [f"{number} m" for number, way in enumerate(fate) if way in ("merge", "clash")]
    assert lines(change).get("f.py", ([], []))[1] == own
    assert set(lines(change)) <= {"f.py"}

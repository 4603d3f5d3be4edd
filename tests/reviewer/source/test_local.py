"""Changes read from a real repository."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from gits import added, git

from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import GitError, UsageError
from hunkwise.reviewer.source import local
from hunkwise.reviewer.source.scan import scan
from hunkwise.reviewer.types import FileStatus

LIMITS = Limits()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's git settings, and those of a hook that runs the tests, are not the tests'."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository of two commits."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "src").mkdir()
    (folder / "src/a.py").write_text("one\ntwo\nthree\n")
    (folder / "b.txt").write_text("b\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    (folder / "src/a.py").write_text("one\nTWO\nthree\n")
    git(folder, "commit", "-qam", "second")
    return folder


def test_commit_is_compared_with_its_parent(repo: Path) -> None:
    """A commit's change has its ids and the whole texts of both sides."""
    change = local.commit(repo, "HEAD", LIMITS, os.environ)

    assert added(change) == {"src/a.py": ["TWO"]}
    assert change.new_texts == {"src/a.py": "one\nTWO\nthree\n"}
    assert change.old_texts == {"src/a.py": "one\ntwo\nthree\n"}
    assert (change.base, change.head) == (git(repo, "rev-parse", "HEAD~"), git(repo, "rev-parse", "HEAD"))


def test_root_commit_is_all_new(repo: Path) -> None:
    """The first commit is compared with nothing."""
    change = local.commit(repo / "src", "HEAD~1", LIMITS, os.environ)

    assert added(change) == {"b.txt": ["b"], "src/a.py": ["one", "two", "three"]}
    assert change.base is None


def test_between_starts_where_the_branches_parted(repo: Path) -> None:
    """What happened on the base since then is no part of the change."""
    git(repo, "checkout", "-qb", "side", "HEAD~1")
    (repo / "side.py").write_text("side\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "side")
    change = local.between(repo, ["main"], "side", LIMITS, os.environ)

    assert added(change) == {"side.py": ["side"]}
    assert change.base == git(repo, "rev-parse", "main~1")


def test_staged_is_the_index_against_head(repo: Path) -> None:
    """What is in the work tree but not staged is left out."""
    (repo / "b.txt").write_text("b\nstaged\n")
    git(repo, "add", "b.txt")
    (repo / "b.txt").write_text("b\nstaged\nnot yet\n")
    git(repo, "mv", "src/a.py", "src/c d.py")
    change = local.staged(repo, LIMITS, os.environ)

    assert added(change) == {"b.txt": ["staged"], "src/c d.py": []}
    assert change.files[1].status is FileStatus.RENAMED
    assert change.new_texts["b.txt"] == "b\nstaged\n"


def test_staged_reads_the_index_a_hook_names(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git commit FILE` commits an index of its own, which hooks see in GIT_INDEX_FILE."""
    shutil.copy(repo / ".git/index", repo / ".git/other-index")
    (repo / "b.txt").write_text("other\n")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other-index")
    subprocess.run(["git", "add", "b.txt"], cwd=repo, check=True)
    seen = added(local.staged(repo, LIMITS, os.environ))
    monkeypatch.delenv("GIT_INDEX_FILE")

    assert seen == {"b.txt": ["other"]}
    assert local.staged(repo, LIMITS, os.environ).files == ()


def test_working_is_everything_not_committed(repo: Path) -> None:
    """Staged, unstaged, untracked, deleted, links and modes; not what is ignored."""
    (repo / ".gitignore").write_text("*.log\n")
    (repo / "x.log").write_text("ignored\n")
    (repo / "b.txt").unlink()
    (repo / "src/a.py").write_bytes(b"one\nTWO\nthree\nf\xffour")
    (repo / "src/new\nline.py").write_text("new\n")
    (repo / "link").symlink_to("/etc/passwd")
    os.mkfifo(repo / "pipe")
    index = (repo / ".git/index").read_bytes()
    change = local.working(repo / "src", LIMITS, os.environ)

    assert added(change) == {
        ".gitignore": ["*.log"],
        "b.txt": [],
        "link": ["/etc/passwd"],
        "src/a.py": ["f\ufffdour"],
        "src/new\nline.py": ["new"],
    }
    assert change.new_texts["src/a.py"] == "one\nTWO\nthree\nf\ufffdour"
    assert index == (repo / ".git/index").read_bytes()
    assert change.skipped == ()


def test_working_of_a_clean_tree_is_empty(repo: Path) -> None:
    """Nothing changed is nothing to review, whether the index knows the times or not."""
    assert local.working(repo, LIMITS, os.environ).files == ()
    os.utime(repo / "b.txt", (1, 1))
    assert local.working(repo, LIMITS, os.environ).files == ()
    git(repo, "update-index", "--refresh")
    assert local.working(repo, LIMITS, os.environ).files == ()


def test_working_is_not_fooled_by_line_ends(repo: Path) -> None:
    """A file checked out with CRLF differs from the repository only where its text does."""
    git(repo, "config", "core.autocrlf", "true")
    (repo / "src/a.py").write_bytes(b"one\r\nTWO\r\n3\r\n")

    assert added(local.working(repo, LIMITS, os.environ)) == {"src/a.py": ["3"]}


def test_working_sees_new_modes(repo: Path) -> None:
    """A file made executable is a change of mode."""
    (repo / "b.txt").chmod(0o755)
    (file,) = local.working(repo, LIMITS, os.environ).files

    assert (file.status, file.new_mode) == (FileStatus.MODE_CHANGED, "100755")


def test_working_leaves_a_sparse_checkout_alone(repo: Path) -> None:
    """Files that a sparse checkout leaves out are not deleted."""
    git(repo, "sparse-checkout", "set", "--cone", "nothing")
    assert not (repo / "src").exists()

    assert local.working(repo, LIMITS, os.environ).files == ()


def test_working_does_not_read_what_is_huge(repo: Path) -> None:
    """A file over the cap is a fault if it is text."""
    with (repo / "huge.py").open("wb") as file:
        file.write(b"x\n")
        file.truncate(9 * 2**20)
        file.seek(9 * 2**20)
    (repo / "huge.txt").write_bytes(b"text\n" * 2 * 2**20)
    change = local.working(repo, LIMITS, os.environ)

    assert [(skip.path, skip.fault) for skip in change.skipped] == [("huge.py", False), ("huge.txt", True)]


def test_before_the_first_commit(tmp_path: Path) -> None:
    """With an unborn HEAD all is new."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a\n")
    assert local.staged(tmp_path, LIMITS, os.environ).files == ()
    git(tmp_path, "add", "a.py")

    assert added(local.staged(tmp_path, LIMITS, os.environ)) == {"a.py": ["a"]}
    assert added(local.working(tmp_path, LIMITS, os.environ)) == {"a.py": ["a"]}
    assert local.working(tmp_path, LIMITS, os.environ).base is None


def test_submodules_and_linked_work_trees(repo: Path, tmp_path: Path) -> None:
    """A submodule is marked as such, and can be reviewed itself; so can a linked work tree."""
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "sub")
    (file,) = [file for file in local.staged(repo, LIMITS, os.environ).files if file.submodule]
    assert file.path == "sub"
    (repo / "sub/b.txt").write_text("in the submodule\n")
    assert added(local.working(repo / "sub", LIMITS, os.environ)) == {"b.txt": ["in the submodule"]}

    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "HEAD")
    (tmp_path / "linked/b.txt").write_text("linked\n")
    assert added(local.working(tmp_path / "linked", LIMITS, os.environ)) == {"b.txt": ["linked"]}
    git(tmp_path / "linked", "add", "-A")
    assert added(local.staged(tmp_path / "linked", LIMITS, os.environ)) == {"b.txt": ["linked"]}


def test_bare_repository(repo: Path, tmp_path: Path) -> None:
    """A bare repository has commits but no work tree."""
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")

    assert added(local.commit(tmp_path / "bare", "main", LIMITS, os.environ)) == {"src/a.py": ["TWO"]}
    with pytest.raises(GitError, match="no work tree"):
        local.working(tmp_path / "bare", LIMITS, os.environ)
    with pytest.raises(GitError, match="nothing is staged"):
        local.staged(tmp_path / "bare", LIMITS, os.environ)


def test_shallow_clones_name_the_command_to_type(repo: Path, tmp_path: Path) -> None:
    """Without history the error says how to fetch it."""
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", f"file://{repo}", "shallow")
    shallow = tmp_path / "shallow"
    with pytest.raises(GitError, match="git fetch --deepen=1"):
        local.commit(shallow, "HEAD", LIMITS, os.environ)
    git(shallow, "checkout", "-q", "--orphan", "other")
    git(shallow, "commit", "-qm", "unrelated")
    with pytest.raises(GitError, match="git fetch --unshallow"):
        local.between(shallow, ["origin/main"], "other", LIMITS, os.environ)


def test_unrelated_histories(repo: Path) -> None:
    """Two histories without a common commit have no change between them."""
    git(repo, "checkout", "-q", "--orphan", "other")
    git(repo, "commit", "-qm", "unrelated")

    with pytest.raises(GitError, match="no common history"):
        local.between(repo, ["main"], "other", LIMITS, os.environ)


@pytest.mark.parametrize("name", ["--output=canary", "-x", "", "nope", "HEAD..main", "a\0b"])
def test_names_that_are_no_commit(repo: Path, name: str) -> None:
    """Options and unknown names are refused."""
    with pytest.raises(GitError, match="commit"):
        local.commit(repo, name, LIMITS, os.environ)
    assert not (repo / "canary").exists()


@pytest.mark.parametrize(("name", "kind"), [("HEAD^{tree}", "tree"), ("HEAD:b.txt", "blob")])
def test_names_of_something_else(repo: Path, name: str, kind: str) -> None:
    """What is there and no commit is not said to be missing."""
    with pytest.raises(GitError, match=f"it names a {kind}$"):
        local.commit(repo, name, LIMITS, os.environ)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a repository, in a folder that is gone, and without git the error says what to do."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(GitError, match="not inside a git repository"):
        local.staged(tmp_path, LIMITS, os.environ)
    with pytest.raises(GitError, match="no folder"):
        local.staged(tmp_path / "gone", LIMITS, os.environ)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="not installed"):
        local.staged(tmp_path, LIMITS, os.environ)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else(repo: Path) -> None:
    """Git's own words on dubious ownership, with the command, reach the user."""
    os.chown(repo, 1234, 1234)
    os.chown(repo / ".git", 1234, 1234)
    with pytest.raises(GitError, match=r"(?s)dubious ownership.*safe\.directory"):
        local.staged(repo, LIMITS, os.environ)


def test_merge_conflicts_are_faults(repo: Path) -> None:
    """A file in conflict can't be reviewed as staged; the work tree shows it as it is."""
    git(repo, "checkout", "-qb", "side", "HEAD~1")
    (repo / "src/a.py").write_text("one\nzwei\nthree\n")
    git(repo, "commit", "-qam", "side")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "main")
    change = local.staged(repo, LIMITS, os.environ)

    assert [(skip.path, skip.fault) for skip in change.skipped] == [("src/a.py", True)]
    assert "<<<<<<< HEAD" in added(local.working(repo, LIMITS, os.environ))["src/a.py"]


def test_attributes_hide_nothing(repo: Path) -> None:
    """A text file called binary by .gitattributes is reviewed; a binary one is binary."""
    (repo / ".gitattributes").write_text("*.py -diff\nb.txt binary\n")
    (repo / "src/a.py").write_text("one\nevil\nthree\n")
    (repo / "x.bin").write_bytes(b"\0\1")
    git(repo, "add", "-A")
    git(repo, "mv", "src/a.py", "moved.py")
    for change in (local.staged(repo, LIMITS, os.environ), local.working(repo, LIMITS, os.environ)):
        assert added(change)["moved.py"] == ["evil"]
        assert [file.path for file in change.files if file.binary] == ["x.bin"]
        assert "x.bin" not in change.new_texts


def test_limits_cut_what_git_prints(repo: Path) -> None:
    """A diff over the limit is read as far as it goes."""
    (repo / "long.txt").write_text("line\n" * 100_000)
    git(repo, "add", "-A")
    change = local.staged(repo, Limits(bytes=1000), os.environ)

    assert change.files == ()
    assert change.skipped[-1].fault


@pytest.fixture
def hostile(repo: Path, tmp_path: Path) -> Path:
    """A repository whose every setting that can run a program leaves a canary."""
    canary, script = tmp_path / "canary", tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{canary}'\ncat\n")
    script.chmod(0o755)
    (repo / ".gitattributes").write_text("*.py filter=evil diff=evil\n*.txt filter=two diff=evil\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "attributes")
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external", "diff.evil.command",
        "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.two.process", "core.askPass",
        "credential.helper", "pager.diff", "core.alternateRefsCommand",
    ):  # fmt: skip
        git(repo, "config", key, str(script))
    for alias in ("diff-index", "diff-tree", "rev-parse", "cat-file", "ls-files"):
        git(repo, "config", f"alias.{alias}", f"!{script}")
    git(repo, "config", "filter.evil.required", "true")
    git(repo, "config", "core.hooksPath", "hooks")
    (repo / "hooks").mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit", "reference-transaction"):
        for folder in (repo / "hooks", repo / ".git/hooks"):
            shutil.copy(script, folder / hook)
    (repo / "src/a.py").write_text("one\nevil\nthree\n")
    (repo / "b.txt").write_text("racy\n")
    canary.unlink(missing_ok=True)
    return repo


def test_nothing_of_the_repository_runs(hostile: Path, tmp_path: Path) -> None:
    """No hook, filter, textconv, external diff, monitor, pager, alias or helper leaves its canary."""
    canary = tmp_path / "canary"
    local.staged(hostile, LIMITS, os.environ)
    seen = added(local.working(hostile, LIMITS, os.environ))
    local.commit(hostile, "HEAD", LIMITS, os.environ)
    local.commit(hostile, "HEAD~2", LIMITS, os.environ)
    local.between(hostile, ["HEAD~1"], "HEAD", LIMITS, os.environ)
    scan(hostile, ["."], LIMITS, os.environ)
    local.with_texts(hostile, parse_diff(b"--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-b\n+racy\n"), os.environ)
    assert not canary.exists()
    (hostile / ".git/MERGE_HEAD").write_text(git(hostile, "rev-parse", "HEAD~1") + "\n")
    canary.unlink(missing_ok=True)  # of git's own run
    assert added(local.working(hostile, LIMITS, os.environ))["src/a.py"] == ["evil"]
    local.staged(hostile, LIMITS, os.environ)
    assert not canary.exists()
    assert seen["src/a.py"] == ["evil"]
    assert seen["b.txt"] == ["racy"]

    subprocess.run(["git", "status"], cwd=hostile, check=False, capture_output=True)
    assert canary.exists(), "the canary must sing for a careless reader, or this test proves nothing"


def test_missing_objects_are_not_fetched(repo: Path, tmp_path: Path) -> None:
    """A partial clone asks no remote: what is missing is an error."""
    canary = tmp_path / "canary"
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repo}", "partial")
    partial = tmp_path / "partial"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{canary}'\n")
    script.chmod(0o755)
    git(partial, "config", "remote.origin.uploadpack", str(script))

    with pytest.raises(GitError, match=r"partial clone.*`git diff \w{40} \w{40} >/dev/null`"):
        local.commit(partial, "HEAD", LIMITS, os.environ)
    assert not canary.exists()


def test_scan_in_a_repository_leaves_out_what_is_ignored(repo: Path) -> None:
    """Whole files appear as new, unless .gitignore names them and the user does not."""
    (repo / ".gitignore").write_text("*.log\n")
    (repo / "src/x.log").write_text("log\n")
    (repo / "src/new.py").write_text("no end")
    (repo / "src/bin").write_bytes(b"\0")
    (repo / "src/empty.py").write_text("")
    (repo / "src/link.py").symlink_to("/etc/passwd")
    (repo / "src/long.py").symlink_to("a" * 300)  # no name can be that long
    change = scan(repo, ["src"], LIMITS, os.environ)

    assert added(change) == {
        "src/a.py": ["one", "TWO", "three"],
        "src/bin": [],
        "src/empty.py": [],
        "src/new.py": ["no end"],
    }
    assert [skip.path for skip in change.skipped] == ["src/link.py"]
    assert change.files[3].hunks[0].lines[0].no_newline
    assert added(scan(repo / "src", ["x.log", "../b.txt"], LIMITS, os.environ)) == {
        "b.txt": ["b"],
        "src/x.log": ["log"],
    }


def test_scan_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are read without git, paths relative to where the user stands or to what they share."""
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/.git").mkdir()
    (tmp_path / "in/.git/config").write_text("not code\n")
    (tmp_path / "in/deep/a.py").write_text("a\n")

    assert added(scan(tmp_path / "in", ["."], LIMITS, os.environ)) == {"deep/a.py": ["a"]}
    assert added(scan(tmp_path / "in/.git", [str(tmp_path / "in/deep/a.py")], LIMITS, os.environ)) == {
        "a.py": ["a"]
    }


def test_scan_of_what_is_not_there(repo: Path, tmp_path: Path) -> None:
    """A path that does not exist, or lies outside the repository, is named."""
    with pytest.raises(UsageError, match="nope"):
        scan(repo, ["nope"], LIMITS, os.environ)
    with pytest.raises(UsageError, match="outside"):
        scan(repo, [str(tmp_path)], LIMITS, os.environ)


def test_scan_states_its_limits(repo: Path) -> None:
    """Files over a limit are faults."""
    (repo / "wide.py").write_text("x" * 1000)
    change = scan(repo, ["."], Limits(lines=3, line_length=100), os.environ)

    assert [(skip.path, skip.fault) for skip in change.skipped] == [("src/a.py", True), ("wide.py", True)]


PATCH = b"--- a/src/a.py\n+++ b/src/a.py\n@@ -2 +2 @@\n-TWO\n+2\n"


def test_texts_are_found_before_and_after_the_patch(repo: Path) -> None:
    """A patch that is not applied yet, applied, or staged finds the whole file after it."""
    expected = {"src/a.py": "one\n2\nthree\n"}
    assert local.with_texts(repo, parse_diff(PATCH), os.environ).new_texts == expected
    (repo / "src/a.py").write_text("one\n2\nthree\n")
    assert local.with_texts(repo / "src", parse_diff(PATCH), os.environ).new_texts == expected
    git(repo, "add", "-A")
    (repo / "src/a.py").write_text("something else\n")
    assert local.with_texts(repo, parse_diff(PATCH), os.environ).new_texts == expected


def test_texts_that_do_not_fit_are_not_used(repo: Path, tmp_path: Path) -> None:
    """A file whose lines differ from the patch's gives no context; nor does one behind a link."""
    other = parse_diff(PATCH.replace(b"TWO", b"zwei"))
    assert local.with_texts(repo, other, os.environ).new_texts == {}
    shutil.rmtree(repo / "src")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.py").write_text("one\nzwei\nthree\n")
    (repo / "src").symlink_to(tmp_path / "outside")
    assert local.with_texts(repo, other, os.environ).new_texts == {}


def test_texts_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch beside its file needs no repository; a new file's text is in the patch."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_bytes(b"one\r\nTWO\r\nthree\r\n")
    new = b"--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
    change = local.with_texts(tmp_path, parse_diff(PATCH + new), os.environ)

    assert change.new_texts == {"src/a.py": "one\r\n2\nthree\r\n", "n.py": "a\nb"}


@pytest.mark.parametrize("name", ["pipe", "/dev/null", "n" * 300, "loop"])
def test_what_can_not_be_scanned_is_refused(repo: Path, name: str) -> None:
    """A named path that is no file and no folder is an error, not a review of nothing."""
    os.mkfifo(repo / "pipe")
    (repo / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match=name):
        scan(repo, (name,), LIMITS, os.environ)


def test_a_file_that_can_not_be_read_is_reported(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission for a file the review goes on, incomplete; a diff needs no whole text."""

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    (repo / "src/a.py").write_text("changed\n")
    patch = parse_diff(b"--- a/src/a.py\n+++ b/src/a.py\n@@ -2 +2 @@\n-TWO\n+2\n")
    monkeypatch.setattr("hunkwise.reviewer.source.worktree._parent", refuse)
    changes = scan(repo, ("src",), LIMITS, os.environ), local.working(repo, LIMITS, os.environ)
    for change in changes:
        assert [(skip.path, skip.reason, skip.fault) for skip in change.skipped] == [
            ("src/a.py", "can't be read: Permission denied", True)
        ]
    assert local.with_texts(repo, patch, os.environ).files == patch.files


def test_a_name_too_long_for_this_machine_is_only_not_there(repo: Path) -> None:
    """A diff may name what no file system here can hold."""
    name = "n" * 300
    patch = parse_diff(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n".encode())
    assert local.with_texts(repo, patch, os.environ) == patch


def test_a_folder_that_can_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that nobody saw are not passed over in silence, in a named folder or below one."""
    (tmp_path / "top" / "low").mkdir(parents=True)
    (tmp_path / "top" / "a.py").write_text("a\n")
    scandir = os.scandir
    for hidden in ("top", "low"):

        def refuse(path: Path | str, hidden: str = hidden) -> object:
            if Path(path).name == hidden:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(UsageError, match=f"{hidden}: .*: Permission denied"):
            scan(tmp_path, ("top",), LIMITS, os.environ)

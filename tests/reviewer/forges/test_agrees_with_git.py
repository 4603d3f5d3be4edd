"""What `--working` and `--staged` show is what `git diff` shows, whatever the attributes and settings say."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from gits import ENVIRONMENT, added, git
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source import local
from hunkwise.reviewer.types import Change

LIMITS = Limits()
_AS_OURS = (
    "-M", "-l1000", "-U3", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short",
    "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This machine's git settings are not the tests'."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def shown(change: Change) -> list[tuple[object, ...]]:
    """All that a diff says of each file."""
    return [
        (file.old_path, file.new_path, file.status, file.old_mode, file.new_mode, file.binary, file.hunks)
        for file in change.files
    ]


def by_git(folder: Path, *what: str) -> list[tuple[object, ...]]:
    """The same, as `git diff` prints it."""
    command = ["git", "diff", "--cached", *_AS_OURS, *what]
    output = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, check=True).stdout
    return shown(parse_diff(output, LIMITS)) if output else []


def add(folder: Path) -> bool:
    """Stage all; what does not fit its encoding stays out, as for a user, and is told by False."""
    command = ["git", "-c", "core.safecrlf=false", "add", "-A", "--ignore-errors"]
    return (
        subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False).returncode == 0
    )


def agree(folder: Path) -> None:
    """Compare both with git; new files are those that `git add` takes."""
    before = (folder / ".git/index").read_bytes()
    assert shown(local.staged(folder, LIMITS, os.environ)) == by_git(folder)
    ours = shown(local.working(folder, LIMITS, os.environ))
    assert (folder / ".git/index").read_bytes() == before
    copy = folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", folder, copy], check=True)
    if not add(copy):
        return  # a file is not what its encoding says; see test_one_file_costs_no_other
    assert ours == by_git(copy)


# Not `diff`, `-diff` and `binary`: what a file is shown as is no business of a change's
_ATTRIBUTES = st.sampled_from(
    [
        "text", "text=auto", "-text", "text eol=crlf", "text eol=lf", "text=auto eol=crlf",
        "ident", "text ident", "crlf", "-crlf", "crlf=input", "working-tree-encoding=UTF-16",
        "text working-tree-encoding=UTF-16LE-BOM", "text working-tree-encoding=UTF-16LE eol=crlf",
        "working-tree-encoding=ISO-8859-1", "filter=none", "-text diff=python", "merge=union",
    ]
)  # fmt: skip
_LINES = st.lists(
    st.sampled_from([b"a = 1", b"b = 2", b"", b"$Id$", b"$Id: 12 $", b"\tif x:", "ä = 3".encode(), b"x\ry"]),
    max_size=6,
)
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
_ENCODINGS = st.sampled_from([None, None, None, "utf-16", "utf-16-le", "latin-1"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A file of lines with ends of any kind, the last with or without."""
    lines: list[bytes] = draw(_LINES)
    text = b"".join(line + draw(_ENDS) for line in lines)
    unended: bool = draw(st.booleans())
    if lines and unended:
        text = text.rstrip(b"\r\n")
    if encoding := draw(_ENCODINGS):
        return text.decode().encode(encoding)
    return text


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ),  # each try takes a second: a failure is small enough
)
@given(
    attributes=st.lists(_ATTRIBUTES, min_size=3, max_size=3),
    autocrlf=st.sampled_from(["false", "true", "input"]),
    eol=st.sampled_from(["native", "lf", "crlf"]),
    committed=st.lists(texts(), min_size=3, max_size=3),
    staged=st.lists(st.none() | texts(), min_size=3, max_size=3),
    edited=st.lists(st.none() | texts(), min_size=4, max_size=4),
    extras=st.sets(st.sampled_from(["mode", "gone", "link", "touch", "folder", "late attributes", "intent"])),
)
def test_any_work_tree(
    attributes: list[str],
    autocrlf: str,
    eol: str,
    committed: list[bytes],
    staged: list[bytes | None],
    edited: list[bytes | None],
    extras: set[str],
) -> None:
    """Line ends, encodings, `ident`, modes, links, removed and new files: line by line as git says."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "repo"
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        names = ["a.py", "b.txt", "d/c.py"]
        (folder / "d").mkdir()
        rules = "".join(f"{name} {rule}\n" for name, rule in zip(names, attributes, strict=True))
        if "late attributes" not in extras:
            (folder / ".gitattributes").write_text(rules)
        for name, text in zip(names, committed, strict=True):
            (folder / name).write_bytes(text)
        add(folder)
        git(folder, "commit", "-q", "--allow-empty", "-m", "one")
        git(folder, "config", "core.autocrlf", autocrlf)
        git(folder, "config", "core.eol", eol)
        if "late attributes" in extras:
            (folder / ".gitattributes").write_text(rules)
        _write(folder, names, staged)
        add(folder)
        _write(folder, [*names, "new.py"], edited)
        if "mode" in extras:
            (folder / "a.py").chmod(0o755)
        if "touch" in extras:
            os.utime(folder / "a.py", (1, 1))
        if "gone" in extras:
            (folder / "b.txt").unlink()
        if "link" in extras:
            (folder / "d/c.py").unlink()
            (folder / "d/c.py").symlink_to("../a.py")
        if "folder" in extras:
            (folder / "b.txt").unlink(missing_ok=True)
            (folder / "b.txt").mkdir()
            (folder / "b.txt/in.py").write_bytes(b"in = 1\n")
        if "intent" in extras and (folder / "new.py").exists():
            git(folder, "add", "-N", "new.py")
        agree(folder)


def _write(folder: Path, names: list[str], contents: list[bytes | None]) -> None:
    for name, content in zip(names, contents, strict=True):
        if content is not None:
            (folder / name).write_bytes(content)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one file, committed."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("one\ntwo\nthree\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


def test_one_file_costs_no_other(repo: Path) -> None:
    """What git refuses to add (a file that is not in its encoding) is named, and the rest is reviewed."""
    (repo / ".gitattributes").write_text("*.rc working-tree-encoding=UTF-16\n")
    (repo / "bad.rc").write_bytes(b"no mark\n")
    for number in range(5):
        (repo / f"{number}.py").write_text("x\n")
    change = local.working(repo, LIMITS, os.environ)

    assert [(skip.path, skip.fault) for skip in change.skipped] == [("bad.rc", True)]
    assert "BOM is required" in change.skipped[0].reason
    assert sorted(added(change)) == [".gitattributes", "0.py", "1.py", "2.py", "3.py", "4.py"]


def test_a_change_of_equal_size_and_time_is_seen(repo: Path) -> None:
    """Also where only the inode tells, and in the moment of the last `git add`."""
    times = (repo / "a.py").stat()
    git(repo, "update-index", "--refresh")
    os.utime(repo / ".git/index", ns=(times.st_mtime_ns + 10**10,) * 2)
    (repo / "other").write_text("one\nTWO\nthree\n")
    os.utime(repo / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (repo / "other").replace(repo / "a.py")
    assert added(local.working(repo, LIMITS, os.environ)) == {"a.py": ["TWO"]}

    git(repo, "config", "core.trustctime", "false")
    git(repo, "checkout", "-q", "a.py")
    (repo / "a.py").write_text("one\nTWO\nthree\n")  # "racy": no older than the index
    index = (repo / ".git/index").stat()
    os.utime(repo / "a.py", ns=(index.st_mtime_ns, index.st_mtime_ns))
    agree(repo)


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_is_told_not_to_look_at(repo: Path, mark: str) -> None:
    """Files so marked are unchanged for git."""
    git(repo, "update-index", mark, "a.py")
    (repo / "a.py").write_text("mine\n")
    assert local.working(repo, LIMITS, os.environ).files == ()
    agree(repo)


@pytest.mark.parametrize("settings_", [(), ("--sparse-index",)])
def test_sparse_checkouts(repo: Path, settings_: tuple[str, ...]) -> None:
    """What a sparse checkout leaves out is not deleted; what comes back by hand counts."""
    for name in ("in", "out"):
        (repo / name).mkdir()
        (repo / name / "f.py").write_text("f\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "two")
    git(repo, "sparse-checkout", "set", "--cone", *settings_, "in")
    assert local.working(repo, LIMITS, os.environ).files == ()
    (repo / "in/f.py").write_text("changed\n")
    (repo / "out").mkdir()
    (repo / "out/f.py").write_text("by hand\n")
    assert added(local.working(repo, LIMITS, os.environ)) == {"in/f.py": ["changed"], "out/f.py": ["by hand"]}


def test_split_index_and_linked_work_tree(repo: Path, tmp_path: Path) -> None:
    """An index in two files, and one of another work tree, are read too."""
    git(repo, "update-index", "--split-index")
    (repo / "a.py").write_text("one\n2\nthree\n")
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked/a.py").write_text("linked\n")
    assert added(local.working(repo, LIMITS, os.environ)) == {"a.py": ["2"]}
    assert added(local.working(tmp_path / "linked", LIMITS, os.environ)) == {"a.py": ["linked"]}


@pytest.mark.parametrize("where", ["user", "system", "count", "parameters", "attributes"])
def test_settings_from_anywhere(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Line ends are a matter of the user's, the system's and the command's configuration too."""
    (repo / "a.py").write_bytes(b"one\r\n2\r\nthree\r\n")
    file = tmp_path / "gitconfig"
    file.write_text('[core]\n\tautocrlf = true\n[filter "evil"]\n\tclean = touch canary\n')
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    match where:
        case "user":
            monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
        case "system":
            monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(file))
        case "count":
            monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
            monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
            monkeypatch.setenv("GIT_CONFIG_VALUE_0", "input")
        case "parameters":
            monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.autocrlf'='true'")
        case "attributes":
            (tmp_path / "git").mkdir()
            (tmp_path / "git/attributes").write_text("*.py text\n")
    assert added(local.working(repo, LIMITS, os.environ)) == {"a.py": ["2"]}


def test_filters_are_named_and_not_run(repo: Path) -> None:
    """A file whose filter git would run is compared as it lies there, and that is said."""
    git(repo, "config", "filter.up.clean", "touch canary; tr a-z A-Z")
    git(repo, "config", "filter.a=b.process", "touch canary")
    (repo / ".gitattributes").write_text("*.py filter=up\n*.txt filter=a=b\n*.md filter=unknown\n")
    for name in ("a.py", "b.txt", "c.md"):
        (repo / name).write_text("new\n")
    change = local.working(repo, LIMITS, os.environ)

    assert added(change) == {".gitattributes": [*(repo / ".gitattributes").read_text().splitlines()],
                             "a.py": ["new"], "b.txt": ["new"], "c.md": ["new"]}  # fmt: skip
    assert [note.partition(";")[0] for note in change.notes] == [
        "the filter 'up' is not run",
        "the filter 'a=b' is not run",
    ]
    assert not (repo / "canary").exists()


def test_what_git_lfs_keeps_is_left_out(repo: Path) -> None:
    """A pointer that is unchanged, or stands for the file that is there, is no change; other content is said."""
    content = b"big\n"
    oid = "5b3513f580c8397212ff2c8f459c199efc0c90e4354a5f3533adf0a3fff3a530"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 4\n"
    (repo / "x.dat").write_text(pointer)
    (repo / ".gitattributes").write_text("*.dat filter=lfs\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "lfs")
    git(repo, "config", "filter.lfs.clean", "touch canary")
    (repo / "x.dat").write_bytes(content)
    (repo / "new.dat").write_bytes(b"new\n")
    (repo / "a.py").write_text("one\n")
    change = local.working(repo, LIMITS, os.environ)
    assert list(added(change)) == ["a.py"]
    assert [(skip.path, "git-lfs" in skip.reason, skip.fault) for skip in change.skipped] == [
        ("x.dat", True, False),
        ("new.dat", True, False),
    ]


def test_submodules_are_not_looked_into(repo: Path, tmp_path: Path) -> None:
    """A submodule that moved is a change; git would run in it to see more, so it is not asked to."""
    git(tmp_path, "clone", "-q", str(repo), "other")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "other"), "sub")
    git(repo, "commit", "-qm", "submodule")
    git(repo / "sub", "commit", "-q", "--allow-empty", "-m", "moved")
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{tmp_path}/canary'\n")
    script.chmod(0o755)
    git(repo / "sub", "config", "core.fsmonitor", str(script))
    (repo / "sub/a.py").write_text("dirty\n")
    (file,) = local.working(repo, LIMITS, os.environ).files
    assert (file.path, file.submodule) == ("sub", True)
    assert not (tmp_path / "canary").exists()


def test_nothing_stands_in_for_what_was_committed(repo: Path) -> None:
    """Neither refs/replace nor grafts hide a commit's lines."""
    (repo / "a.py").write_text("one\nsecret\nthree\n")
    git(repo, "commit", "-qam", "two")
    real, harmless = git(repo, "rev-parse", "HEAD:a.py"), git(repo, "rev-parse", "HEAD~:a.py")
    git(repo, "replace", real, harmless)
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/grafts").write_text(git(repo, "rev-parse", "HEAD"))
    assert added(local.commit(repo, "HEAD", LIMITS, os.environ)) == {"a.py": ["secret"]}
    assert added(local.between(repo, ["HEAD~"], "HEAD", LIMITS, os.environ)) == {"a.py": ["secret"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("where", ["system", "count"])
def test_safe_directories_of_the_system_and_of_the_command(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Where git reads somebody else's repository, so do we; nothing else of that configuration counts."""
    (repo / "a.py").write_text("one\n2\n")
    git(repo, "add", "-A")
    for path in (repo, repo / ".git"):
        os.chown(path, 1234, 1234)
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    file = tmp_path / "system"
    file.write_text(f"[safe]\n\tdirectory = {repo}\n[diff]\n\texternal = touch canary\n")
    if where == "system":
        monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(file))
    else:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "*")
    assert added(local.staged(repo, LIMITS, os.environ)) == {"a.py": ["2"]}
    assert added(local.working(repo, LIMITS, os.environ)) == {"a.py": ["2"]}


def test_advice_for_a_partial_clone_works(repo: Path, tmp_path: Path) -> None:
    """What is said to be run fetches what is missing."""
    (repo / "a.py").write_text("one\n2\nthree\n")
    git(repo, "mv", "a.py", "b.py")
    git(repo, "commit", "-qam", "two")
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repo}", "partial")
    with pytest.raises(GitError, match="partial clone") as caught:
        local.commit(tmp_path / "partial", "HEAD", LIMITS, os.environ)
    command = str(caught.value).rpartition(": `")[2].removesuffix("`")
    subprocess.run(["sh", "-c", command], cwd=tmp_path / "partial", check=True)
    assert local.commit(tmp_path / "partial", "HEAD", LIMITS, os.environ).files


def test_advice_for_what_is_not_here_works(repo: Path, tmp_path: Path) -> None:
    """The command that is named brings the commit that was asked for."""
    git(repo, "commit", "-q", "--allow-empty", "-m", "two")
    git(repo, "branch", "other", "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", "shallow")
    shallow = tmp_path / "shallow"
    for start, name in (("other", "origin/other"), ("HEAD~1", "HEAD~1")):
        with pytest.raises(GitError, match="git knows no commit") as caught:
            local.between(shallow, [start], "HEAD", LIMITS, os.environ)
        git(shallow, *str(caught.value).split("`git ")[-1].partition("`")[0].split())
        git(shallow, "rev-parse", "--verify", name)
    with pytest.raises(GitError, match=r"did you mean origin/other\?"):
        local.between(shallow, ["other"], "HEAD", LIMITS, os.environ)
    with pytest.raises(GitError, match="history ends before it"):
        local.between(repo, ["HEAD~9"], "HEAD", LIMITS, os.environ)
    git(tmp_path, "init", "-q", "empty")
    with pytest.raises(GitError, match=r"no commit yet; .* --staged"):
        local.commit(tmp_path / "empty", "HEAD", LIMITS, os.environ)


def test_a_range_the_wrong_way_round_is_told(repo: Path) -> None:
    """Nothing is new in an older commit; the range that was meant is named."""
    git(repo, "commit", "-q", "--allow-empty", "-m", "two")
    change = local.between(repo, ["HEAD"], "HEAD~", LIMITS, os.environ)
    assert change.files == ()
    assert change.notes == (
        "HEAD~ is older than HEAD, which has all of it; did you mean --from HEAD~ --to HEAD?",
    )

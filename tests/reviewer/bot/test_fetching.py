"""Fetching a change: little of it, nothing that runs or leaks, within limits; and the real review of it."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botworld import drained, forge, summaries, worker
from fakes.gitea import FakeGitea
from fakes.githttp import answer_git
from gits import ENVIRONMENT, git, save

from hunkwise.reviewer.app.jobs import child
from hunkwise.reviewer.bot import reviewing
from hunkwise.reviewer.bot.fetching import swept
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.bot.reviewing import ChildReviewer
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.ci import Range, is_foreign, repository_name
from hunkwise.reviewer.source.clone import Bounds, Login, Stopped, TooLarge, fetch_change

ENVIRON = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull}
SECRET = "ghs_a-token-of-ours"


class Origin:
    """A repository whose branch is named like an option, with a target that went on, and a submodule."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git(folder, "init", "-q", "-b", "main", ".")
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git(folder, "config", name, "true")
        (folder / "hooks.txt").write_text("large and untouched\n")
        self.base = save(
            folder, "first", **{"a.md": "one\n", "pyproject.toml": "[tool.hunkwise]\nmax_comments = 1\n"}
        )
        git(folder, "switch", "-q", "-c", "topic")
        text = "<<<<<<< ours\none\n=======\ntwo\n>>>>>>> theirs\n"
        big = os.urandom(50_000).hex()
        evil = {
            "b.md": text,
            "c.md": text,
            "big.txt": big,
            ".hunkwise.toml": 'max_comments = 0\nexclude = ["*"]\n',
        }
        (folder / "sub").mkdir()
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
        (folder / ".gitmodules").write_text(
            '[submodule "sub"]\n\tpath = sub\n\turl = --upload-pack=touch${IFS}x\n'
        )
        self.head = save(folder, "$(touch pwned) `touch pwned`", **evil)
        git(folder, "update-ref", "refs/heads/--upload-pack=touch${IFS}pwned", self.head)
        git(folder, "switch", "-q", "main")
        self.target = save(folder, "meanwhile", **{"c.txt": "other\n"})
        self.patch = git(folder, "diff", self.base, self.head) + "\n"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    return Origin(tmp_path_factory.mktemp("origin"))


@pytest.fixture
def fetch(origin: Origin, tmp_path: Path) -> Callable[..., Any]:
    into = tmp_path / "change"
    into.mkdir()
    return functools.partial(
        fetch_change, f"file://{origin.folder}", origin.head, origin.target, into, ENVIRON
    )


def has(folder: Path, name: str) -> bool:
    environment = {**ENVIRONMENT, "GIT_NO_LAZY_FETCH": "1"}
    found = subprocess.run(
        ["git", "cat-file", "-e", name], cwd=folder, env=environment, check=False, capture_output=True
    )
    return found.returncode == 0


def test_a_change_is_fetched_with_its_base_and_without_the_rest(
    origin: Origin, fetch: Callable[..., Any], tmp_path: Path
) -> None:
    commits = fetch()

    assert (commits.base, commits.head) == (origin.base, origin.head)
    folder = tmp_path / "change"
    assert has(folder, f"{origin.head}:b.md")
    assert has(folder, f"{origin.base}:pyproject.toml")
    assert not has(folder, f"{origin.target}:c.txt")
    assert [path.name for path in folder.iterdir()] == [".git"]
    assert list((folder / ".git").glob("hooks/*")) == []
    assert not list(tmp_path.rglob("pwned"))


def test_names_that_are_no_commits_reach_no_git(fetch: Callable[..., Any]) -> None:
    for name in ("--upload-pack=touch pwned", "HEAD", "main", "a" * 39):
        with pytest.raises(GitError, match="no commit id"):
            fetch_change(fetch.args[0], name, "b" * 40, *fetch.args[3:])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(files=1), "more than 1 files"),
        (Bounds(changed=1), "touches more than 1 files"),
        (Bounds(bytes=10_000), "more than 10,000 bytes"),
    ],
)
def test_what_is_too_large_is_refused_with_its_limit(
    fetch: Callable[..., Any], bounds: Bounds, why: str
) -> None:
    with pytest.raises(TooLarge, match=why):
        fetch(bounds=bounds)


def test_what_killed_workers_left_is_removed(origin: Origin, tmp_path: Path) -> None:
    """And nothing that is in use, is new, or is somebody's else."""
    with forge("gitea") as world:
        queue = SqliteQueue(tmp_path / "q")
        world.add("octo/repo")
        queue.accept("d1", world.pushed("octo/repo"))
        left: list[Path] = []

        def begun(url: str, head: str, target: str, into: Path, *_: Any, **__: Any) -> Range:
            gone = tmp_path / "hunkwise-bot-gone"
            (gone / "change").mkdir(parents=True)
            (gone / "held").touch()
            (tmp_path / "hunkwise-bot-new").mkdir()
            (tmp_path / "other").mkdir()
            (tmp_path / "hunkwise-bot-link").symlink_to(tmp_path / "other")
            for each in (gone, into.parent, tmp_path / "other"):
                os.utime(each, (1, 1))
            assert swept(tmp_path) == 1
            left.extend(sorted(tmp_path.glob("hunkwise-bot-*")))
            assert into.is_dir()
            return Range(head, head)

        drained([worker(queue, world, fetch=begun, folder=tmp_path)])
        queue.close()

    assert [path.name for path in left if path.exists()] == ["hunkwise-bot-link", "hunkwise-bot-new"]
    assert len(left) == 3


@pytest.mark.parametrize("levels", [2, 7], ids=["a million", "1000 to the seventh"])
def test_a_repository_of_a_million_files_is_refused(tmp_path: Path, levels: int) -> None:
    """They cost their maker a few objects: trees that hold the same tree a thousand times."""
    made, into = tmp_path / "made", tmp_path / "into"
    made.mkdir()
    into.mkdir()
    git(made, "init", "-q", "-b", "main", ".")
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git(made, "config", name, "true")
    base = save(made, "first", **{"a.md": "one\n"})
    mode, kind = "100644", "blob"
    entry = git(made, "rev-parse", "HEAD:a.md")
    for _ in range(levels):
        lines = "".join(f"{mode} {kind} {entry}\t{number:03}\n" for number in range(1000))
        entry, mode, kind = git(made, "mktree", data=lines.encode()), "040000", "tree"
    head = git(made, "commit-tree", entry, "-p", base, "-m", "many")
    git(made, "update-ref", "refs/heads/topic", head)

    with pytest.raises(TooLarge, match="more than 500,000 files"):
        fetch_change(f"file://{made}", head, base, into, ENVIRON)


def test_a_fetch_that_hangs_ends_when_it_is_not_wanted_and_when_time_is_up(
    origin: Origin, tmp_path: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/o/r.git"
        for name, more, error in (
            ("a", {"wanted": lambda: False}, Stopped),
            ("b", {"bounds": Bounds(seconds=0.0)}, TooLarge),
        ):
            (tmp_path / name).mkdir()
            with pytest.raises(error):
                fetch_change(url, origin.head, origin.target, tmp_path / name, ENVIRON, **more)


@pytest.fixture
def smart(origin: Origin) -> Iterator[tuple[str, list[str]]]:
    """The repository over HTTP, for who has the token; yields its address and what was sent as a password."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if told := answer_git(self, "/o/r.git", origin.folder):
                sent.append(told)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/o/r.git", sent
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_token_is_told_to_the_forge_and_to_nobody_else(
    origin: Origin, smart: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in no command line and in no file."""
    url, sent = smart
    lines: list[str] = []
    real = subprocess.Popen

    def noted(arguments: Any, *rest: Any, **more: Any) -> Any:
        lines.append(repr(arguments))
        return real(arguments, *rest, **more)

    monkeypatch.setattr(subprocess, "Popen", noted)
    into = tmp_path / "change"
    into.mkdir()

    commits = fetch_change(
        url, origin.head, origin.target, into, ENVIRON, login=Login("x-access-token", SECRET)
    )

    assert commits.base == origin.base
    assert set(sent) == {f"x-access-token:{SECRET}"}
    assert lines
    assert not any(SECRET in line for line in lines)
    written = [
        path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert written == []


def test_a_strangers_change_is_reviewed_by_the_bases_rules_in_a_child_without_tokens(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the queue to the comment with the real `review`; documents need no model.

    The change would exclude all files, and names a branch and a title that are commands.
    """
    queue = SqliteQueue(tmp_path / "q")
    environ = {**ENVIRON, "HOME": str(tmp_path), "GITHUB_TOKEN": SECRET, "HUNKWISE_GITHUB_APP_KEY": SECRET}
    environ |= {"HUNKWISE_OFFLINE": "1", "HUNKWISE_MODELS": str(tmp_path)}  # a model would be missed
    seen: list[dict[str, str]] = []
    with forge("gitea") as world:
        fake = world.add("octo/repo")
        assert isinstance(fake, FakeGitea)
        fake.patch, fake.base, fake.head, fake.title = (
            origin.patch,
            origin.target,
            origin.head,
            "/merge $(touch x)",
        )

        def local(url: str, *rest: Any, **more: Any) -> Any:
            assert url == f"{world.url}/octo/repo.git"
            return fetch_change(f"file://{origin.folder}", *rest, **more)

        from dataclasses import replace

        def noted(argv: Any, *rest: Any, **more: Any) -> Any:
            seen.append(more["environ"])
            return child.supervise(argv, *rest, **more)

        monkeypatch.setattr(reviewing, "supervise", noted)
        made = worker(queue, world, fetch=local, review=ChildReviewer(environ))
        queue.accept("d1", replace(world.pushed("octo/repo"), head=origin.head))

        drained([replace(made, environ=environ)])

        assert queue.entries() == ()
        (summary,) = summaries(fake)
        assert f"run={origin.head[:7]}" in summary
        assert [one["path"] for one in fake.review_comments] == ["b.md"], "the base says: one remark at most"
        assert "conflict" in fake.review_comments[0]["body"].lower()
        assert fake.statuses[-1][1] == "success"
    assert not any(SECRET in value for value in seen[0].values())
    assert (repository_name(seen[0]), is_foreign(seen[0])) == (f"file://{origin.folder}", True), (
        "of the cache"
    )
    queue.close()

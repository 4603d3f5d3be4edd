"""Indexes of real repositories and folders: what is in them, what stays out, and what harms them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from gits import git

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.ask import Question, ask
from hunkwise.reviewer.app.telling.index import drop_index, held, index, index_file, open_index
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge import listing
from hunkwise.reviewer.knowledge.port import ANY, Filter, Use
from hunkwise.reviewer.knowledge.store.database import only_writer
from hunkwise.reviewer.knowledge.update import Done
from hunkwise.reviewer.text.redaction import secrets

GUIDE = """\
# Guide

How to begin.

## Install

Fetch the wheel, then open the pool.

```sh
# Not a heading
```
"""
POOL = '''\
"""Pools of connections."""


class ConnectionPool:
    """Lends connections."""

    def leaseFirst(self, wait_seconds):
        return self.free.pop()
'''


@pytest.fixture
def at(tmp_path: Path) -> Environment:
    """A repository, and a cache of its own."""
    repo = tmp_path / "repo"
    (repo / "docs").mkdir(parents=True)
    (repo / "docs/guide.md").write_text(GUIDE)
    (repo / "pool.py").write_text(POOL)
    git(repo, "init", "-q")
    git(repo, "add", "-A")
    variables = {
        "PATH": os.environ["PATH"],
        "HUNKWISE_CACHE": str(tmp_path / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return Environment(variables, repo, lambda _: None)


def _paths(at: Environment, question: str, wanted: Filter = ANY) -> list[str]:
    return [
        f"{hit.passage.path}:{hit.passage.start}"
        for hit in open_index(at.folder, at).search(question, 8, wanted)
    ]


def test_a_question_finds_the_section_and_a_name_the_code(at: Environment) -> None:
    now, done = index([], at)
    (first, *_) = open_index(at.folder, at).search("How do I install it?")

    assert (now.coverage.files, done.read, now.complete) == (2, 2, True)
    assert (first.passage.path, first.passage.title, first.passage.kind) == (
        "docs/guide.md",
        "Guide > Install",
        "document",
    )
    assert first.passage.text == "\n".join(GUIDE.split("\n")[first.passage.start - 1 : first.passage.end])
    for question in (
        "lease first",
        "LeaseFirst",
        "wait_seconds",
        "wait seconds",
        "waitSeconds",
        "connection pool",
    ):
        assert _paths(at, question)[0].startswith("pool.py:"), question
    assert _paths(at, "pool", Filter(paths=("docs/",))) == ["docs/guide.md:5"]
    assert _paths(at, "pool", Filter(kinds=("code",), languages=("python",)))[0].startswith("pool.py")
    assert _paths(at, "pool", Filter(since=9e12)) == []


def test_symbols_are_found_by_name(at: Environment) -> None:
    (at.folder / "user.py").write_text(
        "from pool import ConnectionPool\r\n\r\n\r\ndef f(p):\r\n    return p.leaseFirst(3)\r\n"
    )
    index([], at)
    opened = open_index(at.folder, at)

    (found,) = opened.definitions("leaseFirst")
    assert (found.qualified, found.kind, found.path, found.start, found.end, found.parameters) == (
        "ConnectionPool.leaseFirst", "method", "pool.py", 7, 8, (("wait_seconds", None),),
    )  # fmt: skip
    assert opened.uses("leaseFirst") == (
        Use("leaseFirst", "user.py", 5, "return p.leaseFirst(3)", "f", "p", ("3",)),
    )
    assert (opened.definitions("nothing"), opened.uses("nothing")) == ((), ())
    (at.folder / "user.py").unlink()
    index([], at)
    assert opened.uses("leaseFirst") == ()


def test_only_what_changed_is_read(at: Environment) -> None:
    index([], at)
    (at.folder / "docs/guide.md").write_text("# Guide\n\nAsk the librarian.\n")
    (at.folder / "pool.py").unlink()
    os.utime(at.folder / "docs/guide.md", (1_000_000_000, 1_000_000_000))
    _, done = index([], at)

    assert (done.read, done.gone) == (1, 1)
    assert _paths(at, "librarian") == ["docs/guide.md:1"]
    assert _paths(at, "lease wheel") == []


def test_what_was_changed_counts_as_what_was_never_otherwise(at: Environment, tmp_path: Path) -> None:
    """The words of old texts leave no trace in the figures of a ranking."""
    for number in range(30):
        (at.folder / f"{number}.md").write_text(
            f"# Note {number}\n\nOf pools and wheels, {'long ' * number}.\n"
        )
    index([], at)
    for number in range(0, 30, 2):
        (at.folder / f"{number}.md").write_text(f"# Note {number}\n\nOf seas.\n\n## Pools\n\nNone.\n")
    (at.folder / "5.md").unlink()
    (at.folder / "pool.py").write_text(POOL.replace("leaseFirst", "lendLast"))
    index([], at)
    fresh = replace(at, variables={**at.variables, "HUNKWISE_CACHE": str(tmp_path / "fresh")})
    index([], fresh)

    for question in ("pools", "wheels of long seas", "leaseFirst", "lendLast"):
        changed, anew = (
            {
                (hit.passage.path, hit.passage.start, round(hit.score, 9))
                for hit in open_index(each.folder, each).search(question, 99)
            }
            for each in (at, fresh)
        )
        assert changed == anew
    assert open_index(at.folder, at).definitions("leaseFirst") == ()
    assert len(open_index(at.folder, at).definitions("lendLast")) == 1


def test_an_index_that_is_not_as_we_write_it_is_told(at: Environment) -> None:
    """Whatever stands where passages are packed: an error of ours, and the next run builds it anew."""
    for blob in (b"", b"x", zlib.compress(b"{}"), zlib.compress(b"[[1]]"), zlib.compress(b"[" * 100_000)):
        index([], at)
        with closing(sqlite3.connect(index_file(at.folder, at))) as database:
            database.execute("UPDATE blocks SET told = ?", (blob,))
            database.execute("UPDATE symbols SET told = ?", (blob,))
            database.commit()
        opened = open_index(at.folder, at)
        for call in (opened.search, opened.uses):
            with pytest.raises(KnowledgeError, match="is damaged"):
                call("pop")
        with suppress(KnowledgeError):
            opened.definitions("leaseFirst")
            list(opened.passages())
        heard: list[str] = []
        index([], replace(at, say=heard.append))
        assert [line for line in heard if "built anew" in line]
        assert _paths(at, "lease first")


def test_a_file_is_known_by_its_time_or_else_by_its_bytes(
    at: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_RACY", 0)  # as if the files were old
    index([], at)
    os.utime(at.folder / "pool.py", (1_000_000_001, 1_000_000_001))

    assert index([], at)[1] == Done(read=0, kept=1, gone=0)
    assert index([], at)[1] == Done(read=0, kept=0, gone=0)
    (hit,) = open_index(at.folder, at).search("leaseFirst", 1)
    assert hit.passage.blob == git(at.folder, "hash-object", "pool.py")


def test_what_stays_out_is_counted(at: Environment, tmp_path: Path) -> None:
    token = "ghp_" + "a1B2" * 9
    assert secrets(token)
    for name, content in {
        "vendor/x.py": b"needle = 1\n",
        "image.dat": b"\0\1needle",
        "token.py": f'needle = "{token}"\n'.encode(),
        ".env": b"needle=1\n",
        "huge.txt": b"needle " * 200_000,
        "made.go": b"// Code generated by x. DO NOT EDIT.\nvar needle = 1\n",
        "flat.js": b"needle;" * 1000,
        "ignored.txt": b"needle\n",
        "build/a.txt": b"needle\n",
        "build/b.txt": b"needle\n",
        ".gitignore": b"ignored.txt\nbuild/\n",
    }.items():
        (at.folder / name).parent.mkdir(exist_ok=True)
        (at.folder / name).write_bytes(content)
    (tmp_path / "outside.txt").write_text("needle\n")
    (at.folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (at.folder / "folder").symlink_to(tmp_path)
    os.mkfifo(at.folder / "pipe.txt")

    now, _ = index([], at)

    assert _paths(at, "needle") == []
    assert dict(now.coverage.left_out) == {
        "vendored": 1, "binary": 1, "holds a secret": 1, "may hold a secret": 1, "too large": 1, "generated": 1,
        "minified": 1, "a link": 2, "ignored by git": 2,
    }  # fmt: skip


def test_past_findings_are_found_with_what_became_of_them(at: Environment) -> None:
    """A report of ours and a baseline: each finding is a passage, at the line that has its fingerprint."""
    said = {
        "fingerprint": "a" * 32,
        "path": "pool.py",
        "start_line": 7,
        "title": "Turtle leak",
        "message": "M.",
        "advice": "",
    }
    known = {
        "fingerprint": "c" * 32,
        "path": "pool.py",
        "title": "Badger race",
        "reason": "one thread",
        "until": None,
    }
    report = {
        "form": "hunkwise-review",
        "findings": [said],
        "rejected": [
            {
                "finding": {**said, "fingerprint": "b" * 32, "title": "Otter loop"},
                "reason": "nosec",
                "silenced": "inline",
            }
        ],
    }
    for name, document in {
        "past.json": report,
        "base.json": {"form": "hunkwise-baseline", "entries": [known]},
        "broken.json": {"form": "hunkwise-review", "findings": [3, {"title": 4}], "rejected": "none"},
    }.items():
        (at.folder / name).write_text(json.dumps(document, indent=2, sort_keys=True))
    index([], at)
    opened = open_index(at.folder, at)

    for question, path, fate in (
        ("turtle", "past.json", "It was said in a review."),
        ("otter", "past.json", "It was silenced (inline): nosec"),
        ("badger", "base.json", "It is known, and not said again: one thread"),
    ):
        (hit,) = opened.search(question, 8, Filter(languages=("findings",)))
        assert hit.passage.path == path
        assert hit.passage.text.endswith(fate)
        lines = (at.folder / path).read_text().split("\n")
        assert '"fingerprint"' in lines[hit.passage.start - 1]


def test_hostile_names_and_questions_do_no_harm(at: Environment) -> None:
    for name in (b"new\nline.md", b"esc\x1b[31m.md", b"quo'te\".md", b"lat\xe9.md", b"-rf.md"):
        Path(os.fsdecode(os.fsencode(at.folder) + b"/" + name)).write_text("# Needle\n\nneedle\n")
    now, _ = index([], at)

    assert dict(now.coverage.left_out) == {"a name that is no UTF-8": 1}
    assert len(_paths(at, "needle")) == 4
    for question in (
        'needle" OR (',
        "needle* NOT",
        "NEAR(needle",
        "title:needle",
        "{needle}",
        "^needle",
        "needle\0",
    ):
        assert _paths(at, question), question
    for question in ("", " \n", "\0", "?!", "the of"):
        _paths(at, question)


def test_a_folder_of_documents_needs_no_repository(at: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "notes/deep").mkdir(parents=True)
    (folder / "notes/deep/a.rst").write_text(
        "Whales\n======\n\nThey sing.\n\nShort\n-----\n\nSongs of minutes.\n"
    )
    (folder / "notes/page.html").write_text(
        "<html><head><title>Seas</title><style>x{}</style></head>\n<body><h1>Tides</h1>\n<p>The moon\npulls.</p>"
    )
    (folder / "other.txt").write_text("whales\n")
    there = replace(at, folder=folder)

    index([Path("notes")], there)
    deep = replace(at, folder=folder / "notes/deep")
    found = {
        hit.passage.title: hit.passage for hit in open_index(deep.folder, deep).search("whales songs moon")
    }

    assert found.keys() == {"Whales", "Whales > Short", "Seas > Tides"}
    assert (found["Seas > Tides"].start, found["Seas > Tides"].text) == (2, "Tides\nThe moon pulls.")
    index([], there)  # the paths that it is of
    assert held([], there).coverage.files == 2
    index([Path("other.txt")], there)
    index([], there)
    assert held([], there).coverage.files == 3
    index([Path()], there)  # all; and so it stays
    index([Path("notes")], there)
    (folder / "new.txt").write_text("new\n")
    index([], there)
    assert held([], there).coverage.files == 4
    assert drop_index([], deep) == index_file(folder, at)
    with pytest.raises(KnowledgeError, match="nothing is indexed"):
        open_index(folder, there)
    with pytest.raises(UsageError):
        index([Path("nowhere")], there)
    with pytest.raises(UsageError, match="name the folders"):
        index([], replace(there, variables={**at.variables, "HOME": str(folder)}))


def test_the_command_says_what_it_did(
    at: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(at.folder)
    monkeypatch.setenv("HUNKWISE_CACHE", at.variables["HUNKWISE_CACHE"])
    (at.folder / "data.csv").write_text("1\n")

    def said(*arguments: str) -> tuple[int, str]:
        code = run(hunkwise, ["index", *arguments])
        return code, capsys.readouterr().out

    code, line = said()
    assert (code, line[:9]) == (0, "2 files, ")
    assert line.endswith("2 read, 0 gone; left out: 1 data\n")
    code, told = said("--stats", "--format", "json")
    assert (code, json.loads(told)["left_out"], json.loads(told)["complete"]) == (0, {"data": 1}, True)
    assert said("--drop")[1].startswith("forgotten: ")
    assert said("--drop") == (0, "nothing was indexed\n")
    assert [said(*flags)[0] for flags in (["--stats"], ["--stats", "--drop"], ["no"])] == [2, 2, 2]


def _killed(at: Environment, mark: str) -> None:
    """Index in a process that is killed as it comes to a file."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from hunkwise.reviewer.app.environment import Environment\n"
        "from hunkwise.reviewer.app.telling.index import index\n"
        "from hunkwise.reviewer.knowledge.store import writer; writer._ROWS = 1\n"
        "def tell(done, total, path):\n"
        f"    if path == {mark!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "index([], Environment(os.environ, Path(sys.argv[1]), print), tell)\n"
    )
    command = [sys.executable, "-c", program, str(at.folder)]
    assert subprocess.run(command, env={**at.variables}, check=False).returncode == -signal.SIGKILL


def test_a_killed_writer_leaves_what_it_wrote(at: Environment) -> None:
    _killed(at, "pool.py")

    index([Path("docs")], at)  # a part makes it not whole
    assert not held([], at).complete
    assert _paths(at, "install") == ["docs/guide.md:5"]
    now, _ = index([], at)
    assert now.complete
    assert _paths(at, "lease first")[0].startswith("pool.py:")


def test_one_writer_at_a_time(at: Environment) -> None:
    heard: list[str] = []
    waiting = threading.Event()

    def say(text: str) -> None:
        heard.append(text)
        waiting.set()

    file = index_file(at.folder, at)
    second = threading.Thread(target=index, args=([], replace(at, say=say)))
    with only_writer(file, heard.append):
        second.start()
        assert waiting.wait(60)
        assert not file.exists()
        with pytest.raises(KnowledgeError, match="still writes"), only_writer(file, heard.append, longest=0):
            raise AssertionError
    second.join(60)

    assert len(heard) == 2
    assert held([], at).complete


@pytest.mark.parametrize(
    "harm", [lambda data: b"no database", lambda data: data[:5000] + b"\xff" * 9000 + data[14000:]]
)
def test_a_damaged_index_is_built_anew(at: Environment, harm: Callable[[bytes], bytes]) -> None:
    index([], at)
    file = index_file(at.folder, at)
    file.write_bytes(harm(file.read_bytes()))
    with pytest.raises(KnowledgeError, match="hunkwise index"):
        _paths(at, "install")
    heard: list[str] = []

    index([], replace(at, say=heard.append))

    assert [line for line in heard if "built anew" in line]
    assert _paths(at, "install") == ["docs/guide.md:5"]


def test_a_question_is_answered_from_the_index_that_was_built_anew(at: Environment) -> None:
    index([], at)
    file = index_file(at.folder, at)
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\xff" * 9000 + data[13096:])
    heard: list[str] = []

    told = ask(Question("Where do I fetch the wheel?", at.folder), replace(at, say=heard.append), None)

    assert [line for line in heard if "built anew" in line]
    assert told.passages[0].passage.path == "docs/guide.md"


def test_a_repository_without_files_is_refused(at: Environment, tmp_path: Path) -> None:
    """Neither a bare one nor .git is taken for a folder of documents."""
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    for folder in (tmp_path / "bare.git", at.folder / ".git"):
        with pytest.raises(KnowledgeError, match="no work tree"):
            index([], replace(at, folder=folder))


def test_a_full_disk_is_said_and_harms_nothing(at: Environment) -> None:
    index([], at)
    (at.folder / "long.txt").write_text("\n".join(f"word{number} needle" for number in range(6_000)))
    limited = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (150_000, -1))\n"
    run = "from hunkwise.reviewer.cli import main; main('index')"
    told = subprocess.run(
        [sys.executable, "-c", limited + run],
        cwd=at.folder,
        env={**at.variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert told.stderr.startswith("hunkwise: the index ")
    assert "Traceback" not in told.stderr
    assert _paths(at, "install") == ["docs/guide.md:5"]


def test_an_index_on_a_read_only_disk_is_read(at: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite can't make its side files there: `ask` says that it reads the index as it is."""
    index([], at)
    file = index_file(at.folder, at)
    file.with_name(f"{file.name}-wal").mkdir()  # no file can be made of this name
    heard: list[str] = []
    with pytest.raises(KnowledgeError, match="can't be used"):
        _paths(at, "install")
    monkeypatch.setattr(os, "access", lambda *_: False)

    told = ask(Question("Where do I fetch the wheel?", at.folder), replace(at, say=heard.append), None)

    assert told.passages[0].passage.path == "docs/guide.md"
    assert heard[0].startswith("answers come from the index as it is: ")


def test_a_checkout_may_be_read_only_and_a_cache_may_not(at: Environment, tmp_path: Path) -> None:
    at.folder.chmod(0o500)
    index([], at)
    at.folder.chmod(0o700)
    assert _paths(at, "install") == ["docs/guide.md:5"]
    (tmp_path / "file").write_text("")

    with pytest.raises(KnowledgeError, match="can't be written"):
        index([], replace(at, variables={**at.variables, "HUNKWISE_CACHE": str(tmp_path / "file/below")}))
    (at.folder / "cache").mkdir()
    (at.folder / "cache/x").write_text("")
    git(at.folder, "add", "-A")
    with pytest.raises(KnowledgeError, match="part of a repository"):
        index([], replace(at, variables={**at.variables, "HUNKWISE_CACHE": str(at.folder / "cache")}))

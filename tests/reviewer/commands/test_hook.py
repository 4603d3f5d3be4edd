from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hunkwise.reviewer.app.jobs import hook
from hunkwise.reviewer.app.jobs.child import Ending, review_command, supervise
from hunkwise.reviewer.app.jobs.hook import Outcome, judge
from hunkwise.reviewer.app.jobs.pushes import Task, from_environment, from_lines
from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.commands.hook import command
from hunkwise.reviewer.errors import GitError

ZERO = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
CODE = "def half(n):\n    return n // 2\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, in which the test runs."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text(CODE)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, of git's or of pre-commit's is set."""
    for name in list(os.environ):
        if name.startswith(("HUNKWISE_", "GIT_", "PRE_COMMIT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def invoke(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, **options: Any) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(command, arguments, standalone_mode=False, **options)


@pytest.mark.parametrize(
    ("program", "limit", "outcome"),
    [
        ("pass", 10, Outcome.CLEAN),
        ("raise SystemExit(1)", 10, Outcome.FINDINGS),
        ("raise SystemExit(2)", 10, Outcome.ERROR),
        ("raise SystemExit(3)", 10, Outcome.ERROR),
        ("import time; time.sleep(0.9); raise SystemExit(3)", 1, Outcome.TIMEOUT),
        ("import os; os.abort()", 10, Outcome.ERROR),
        ("import os; os.kill(os.getpid(), 9)", 10, Outcome.ERROR),
        ("import time; time.sleep(60)", 0.3, Outcome.TIMEOUT),
    ],
)
def test_endings(program: str, limit: float, outcome: Outcome) -> None:
    """However the review's process ends, by exit, crash or time limit, it is one of four outcomes."""
    assert judge(supervise([sys.executable, "-c", program], limit), limit) is outcome


def test_time_limit_kills_all(tmp_path: Path) -> None:
    """At the time limit what the review started is killed with it."""
    file = str(tmp_path / "pid")
    child = f"import os, time; open({file!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    began = time.monotonic()
    assert supervise([sys.executable, "-c", parent], 3).code is None
    assert time.monotonic() - began < 30
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.02)
    pytest.fail("the grandchild lives on")


@pytest.mark.parametrize("on_timeout", ["pass", "fail"])
@pytest.mark.parametrize("on_error", ["pass", "fail"])
def test_policies(on_timeout: Any, on_error: Any) -> None:
    """Findings always stop a commit; time-outs and errors do as their options say."""
    policies = hook.Policies("commit", on_timeout, on_error)
    codes = [policies.code(outcome) for outcome in Outcome]
    assert codes == [0, 1, on_timeout == "fail", on_error == "fail"]


@pytest.mark.usefixtures("bare_environment")
def test_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """HUNKWISE_SKIP=1 lets everything through, even outside a repository."""
    monkeypatch.setenv("HUNKWISE_SKIP", "1")
    result = invoke(tmp_path, monkeypatch, "--on-error", "fail")
    assert result.return_value == 0
    assert "HUNKWISE_SKIP" in result.stderr


@pytest.mark.usefixtures("bare_environment")
def test_nothing_reviewable(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is not staged is nothing to review."""
    (repository / "a.py").write_text("")
    result = invoke(repository, monkeypatch)
    assert result.return_value == 0, result.output
    assert "nothing to review" in result.stderr


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("file", ["README.md", "uv.lock", "new.py", "server.pem"])
def test_checks_need_no_model(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], file: str
) -> None:
    """Prose, lock files and new code are checked without a model, and a marker in them stops the commit."""
    for text, code in (("x = 1\n", 0), ("x = 1\n<<<<<<< HEAD\n", 1)):
        (repository / file).write_text(text)
        git(repository, "add", file)
        result = invoke(repository, monkeypatch)
        assert result.return_value == code, result.output
        said = capfd.readouterr()
        assert ("no model asked" in said.out) == bool(code), "a clean one is told in one line"
        assert len(result.stderr.splitlines()) == 1
        assert "HUNKWISE_SKIP=1 git commit" in result.stderr if code else not said.out + said.err


@pytest.mark.usefixtures("bare_environment")
def test_fast(repository: Path) -> None:
    """With nothing to review the whole hook takes less than two seconds, and loads no heavy package."""
    script = (
        "import sys\nfrom hunkwise.reviewer.cli import run, hunkwise\ncode = run(hunkwise, ['hook'])\n"
        "print(code, [name for name in ('numpy', 'llama_cpp', 'jinja2', 'redis') if name in sys.modules])"
    )
    times = []
    for _ in range(3):  # the best of three: the machine may have other things to do
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-P", "-c", script], cwd=repository, capture_output=True, text=True, check=False
        )
        times.append(time.monotonic() - began)
        assert done.stdout == "0 []\n", done.stderr
    assert min(times) < 2


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize(("policy", "code"), [("pass", 0), ("fail", 1)])
def test_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, code: int) -> None:
    """Outside a repository the hook says so, and does as --on-error says."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = invoke(tmp_path, monkeypatch, "--on-error", policy)
    assert result.return_value == code
    assert result.stderr.startswith("hunkwise: ")


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Puts a program in the place of the review, that notes how it is called and finds something."""
    calls: list[list[str]] = []

    def supervise(argv: list[str], limit: float) -> Ending:
        calls.append(argv[len(review_command(())) :])
        return Ending(1, 0.1)

    monkeypatch.setattr(hook, "supervise", supervise)
    return calls


@pytest.mark.usefixtures("bare_environment")
def test_staged(repository: Path, monkeypatch: pytest.MonkeyPatch, reviews: list[list[str]]) -> None:
    """Staged code is reviewed offline, with the hook's threshold, in less than the time limit."""
    (repository / "a.py").write_text(CODE.replace("//", "/"))
    git(repository, "add", ".")
    result = invoke(repository, monkeypatch, "--time-limit", "10", "--model", "qwen2.5-coder:0.5b")
    assert result.return_value == 1, result.output
    expected = "--staged --brief --max-time 8 --offline --fail-on high --model qwen2.5-coder:0.5b"
    assert reviews == [expected.split()]


@pytest.mark.usefixtures("bare_environment")
def test_configured_threshold(
    repository: Path, monkeypatch: pytest.MonkeyPatch, reviews: list[list[str]]
) -> None:
    """A threshold from the configuration holds for the hook, and one on the command line goes before it."""
    (repository / ".hunkwise.toml").write_text('fail_on = "low"\n')
    (repository / "a.py").write_text(CODE.replace("//", "/"))
    git(repository, "add", "a.py")
    invoke(repository, monkeypatch)
    invoke(repository, monkeypatch, "--fail-on", "critical")
    assert "--fail-on" not in reviews[0]
    assert reviews[1][reviews[1].index("--fail-on") + 1] == "critical"


@pytest.mark.usefixtures("bare_environment")
def test_push(repository: Path, monkeypatch: pytest.MonkeyPatch, reviews: list[list[str]]) -> None:
    """What git says on standard input is what is reviewed on a push."""
    old = git(repository, "rev-parse", "HEAD")
    (repository / "a.py").write_text(CODE.replace("//", "/"))
    git(repository, "commit", "-q", "-am", "second")
    new = git(repository, "rev-parse", "HEAD")
    lines = f"refs/heads/main {new} refs/heads/main {old}\n(delete) {ZERO} refs/heads/old {old}\n"
    result = invoke(repository, monkeypatch, "--push", "origin", input=lines)
    assert result.return_value == 1, result.output
    assert [call[:4] for call in reviews] == [["--from", old, "--to", new]]


def test_new_branch(repository: Path, tmp_path: Path) -> None:
    """A branch that the remote does not have begins where it left what the remote has."""
    git(tmp_path, "clone", "-q", str(repository), "clone")
    clone, first = tmp_path / "clone", git(repository, "rev-parse", "HEAD")
    git(clone, "checkout", "-q", "-b", "new")
    for number in "12":
        git(clone, "commit", "-q", "--allow-empty", "-m", number)
    new = git(clone, "rev-parse", "HEAD")
    line = f"refs/heads/new {new} refs/heads/new {ZERO}\n"
    expected = [Task("refs/heads/new", Source(starts=(first,), end=new))]
    assert from_lines([line], "origin", clone, os.environ) == expected
    unknown = line.replace(ZERO, "1" * 40)  # somebody else has pushed what we have not fetched
    assert from_lines([unknown], "origin", clone, os.environ) == expected


def test_first_push(repository: Path) -> None:
    """At the first push of all everything is new, told by git or by pre-commit."""
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    new = git(repository, "rev-parse", "HEAD")
    line = f"refs/heads/main {new} refs/heads/main {ZERO}\n"
    source = Source(starts=(EMPTY_TREE,), end=new)
    assert from_lines([line], "origin", repository, os.environ) == [Task("refs/heads/main", source)]
    environ = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main"}
    assert from_environment(environ, repository) == [Task("HEAD", source)]


def test_pre_commit_range(repository: Path) -> None:
    """A range that is no push is taken as it is; without one the index is meant, where something is staged."""
    environ = {"PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b"}
    assert from_environment(environ, repository) == [Task("a...b", Source(starts=("a",), end="b"))]
    assert from_environment({}, repository) == []
    (repository / "a.py").write_text("")
    git(repository, "add", "a.py")
    assert from_environment({}, repository) == [Task("the index", Source(staged=True))]


@pytest.mark.parametrize("line", ["x", "a b c d", f"r --output=x r {ZERO}", "\0" * 9])
def test_bad_lines(repository: Path, line: str) -> None:
    """What is no line of git's is refused."""
    with pytest.raises(GitError, match="pre-push"):
        from_lines([line], "origin", repository, os.environ)

"""Tools that are run: real ones where they are here, fakes that misbehave, and changes that try to steer them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from hunkwise.reviewer.config.settings import ANALYZERS
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.compiler import read_clang_tidy, read_cppcheck
from hunkwise.reviewer.linters.tools import process, programs
from hunkwise.reviewer.linters.tools.table import TOOLS, Tool, chosen
from hunkwise.reviewer.linters.tools.workshop import Heard, Workshop
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk, Line

CASES = Path(__file__).parents[2] / "cases" / "linters"
HERE = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def added(path: str, text: str) -> FileDiff:
    lines = tuple(Line("added", line, None, number) for number, line in enumerate(text.split("\n")[:-1], 1))
    return FileDiff(None, path, FileStatus.ADDED, (Hunk(0, 0, 1, len(lines), "", lines),))


def hear(shop: Workshop, name: str, texts: dict[str, str]) -> Heard:
    files = [added(path, text) for path, text in texts.items()]
    return shop.hear(TOOLS[name], files, lambda file: texts.get(file.path))


def real(name: str, *, trusted: bool = True) -> Workshop:
    shop = Workshop(programs.folders({"PATH": HERE}), trusted)
    if not shop.has(TOOLS[name]):
        pytest.skip(f"{name} is not here")
    return shop


PYTHON = "import yaml\n\n\ndef load(text, seen=[]):\n    return yaml.load(text)\n"
WORKFLOW = """\
on: pull_request_target
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
"""


@pytest.mark.parametrize(
    ("name", "path", "text", "rules"),
    [
        ("ruff", "a.py", PYTHON, {"B006", "S506"}),
        ("oxlint", "a.ts", "if (Number(1) == NaN) { f(); }\n", {"eslint(use-isnan)"}),
        ("shellcheck", "a.sh", "#!/bin/bash\nrm -rf $1/*\n", {"SC2115", "SC2086"}),
        ("hadolint", "web/Dockerfile", "FROM ubuntu:latest\n", {"DL3007"}),
        ("actionlint", ".github/workflows/a.yml", WORKFLOW, {"expression"}),
        ("zizmor", ".github/workflows/a.yml", WORKFLOW, {"template-injection", "dangerous-triggers"}),
        (
            "clang-tidy",
            "a.c",
            "int f(void) { int *p = 0; return *p; }\n",
            {"clang-analyzer-core.NullDereference"},
        ),
        ("cppcheck", "a.c", "int f(void) { int *p = 0; return *p; }\n", {"nullPointer"}),
    ],
)
def test_a_real_tool_reads_the_change(name: str, path: str, text: str, rules: set[str]) -> None:
    """Each tool that is here reads its files, whatever their names begin with, and none of others."""
    odd = str(Path(path).with_name(f"-{Path(path).name}")) if "Docker" not in path else f"-x/{path}"
    heard = hear(real(name), name, {path: text, odd: text, "README.md": text})
    assert heard.skipped == ()
    assert set(heard.read) == {path, odd}
    assert rules <= {each.rule for each in heard.reported if each.path == path}
    assert {each.path for each in heard.reported} <= {path, odd}


def test_ruff_brings_safe_fixes_only() -> None:
    """A fix that ruff calls unsafe is none."""
    heard = hear(
        real("ruff"), "ruff", {"a.py": "x = 1\nif x is 1:\n    pass\ndef f(y=[]):\n    y.append(1)\n"}
    )
    assert {each.rule: bool(each.edits) for each in heard.reported} == {"F632": True, "B006": False}


def test_a_file_that_a_compiler_gives_up_on_is_named() -> None:
    """A header that is not here ends what clang-tidy reads: it is said, and what was said before it is not."""
    good = "int f(void) { int *p = 0; return *p; }\n"
    heard = hear(real("clang-tidy"), "clang-tidy", {"a.c": f'{good}#include "ours.h"\n', "b.c": good})
    assert {each.path for each in heard.reported} == {"b.c"}
    assert heard.read == ("b.c",)
    (skip,) = heard.skipped
    assert (skip.path, skip.reason, skip.fault) == ("a.c", "clang-tidy: 'ours.h' file not found", False)


def test_new_syntax_is_no_fault_of_the_change() -> None:
    """What only the version that ruff is told does not know is not said to be wrong; what is wrong is."""
    shop = real("ruff")
    assert hear(shop, "ruff", {"a.py": 'name = "x"\nprint(t"{name}")\n'}).reported == ()
    assert [each.rule for each in hear(shop, "ruff", {"a.py": "def f(:\n"}).reported][:1] == [
        "invalid-syntax"
    ]


def test_a_change_can_not_configure_the_tool() -> None:
    """Configuration that comes with the change is not even there, and no plugin of it is loaded."""
    marker = "would be run"
    hostile = {
        "ruff.toml": 'lint.ignore = ["ALL"]\n',
        "pyproject.toml": '[tool.ruff]\nlint.ignore = ["ALL"]\n',
        ".oxlintrc.json": '{"rules": {"no-eval": "off"}, "jsPlugins": ["./plugin.js"]}',
        "oxlint.config.ts": f"throw new Error('{marker}')\n",
        ".shellcheckrc": "disable=all\n",
        ".hadolint.yaml": "ignored: [DL3007]\n",
    }
    assert "B006" in {each.rule for each in hear(real("ruff"), "ruff", {**hostile, "a.py": PYTHON}).reported}
    for name, path, text in (
        ("hadolint", "Dockerfile", "FROM ubuntu:latest\n"),
        ("oxlint", "a.js", "debugger\n"),
        ("shellcheck", "a.sh", "#!/bin/sh\nrm -rf $1/*\n"),
    ):
        shop = Workshop(programs.folders({"PATH": HERE}))
        if shop.has(TOOLS[name]):
            heard = hear(shop, name, {**hostile, path: text})
            assert heard.reported
            assert heard.read == (path,)
            assert heard.skipped == ()


def test_comments_of_a_stranger_silence_nothing() -> None:
    """`noqa` is heeded in a trusted change, and not in a stranger's."""
    text = {"a.py": "def load(text, seen=[]):  # noqa: B006\n    return text\n"}
    assert hear(real("ruff"), "ruff", text).reported == ()
    assert [each.rule for each in hear(real("ruff", trusted=False), "ruff", text).reported] == ["B006"]


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A folder for a program that calls itself ruff."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def write(folder: Path, script: str, first: str = "#!/bin/sh\n") -> None:
    (folder / "ruff").write_text(first + script)
    (folder / "ruff").chmod(0o755)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '{'", "its output can't be read: line 2, column 1: no JSON"),
        ("head -c 3000 /dev/urandom", "its output can't be read"),
        ("echo '{}'", "its output can't be read: the report: must be a list of messages"),
        ("", "its output can't be read"),
        (r"printf '\033[31mno such\342\200\256 rule\nmore' >&2; exit 99", "exit code 99: "),
        ("kill -9 $$", "killed by signal 9"),
        ("sleep 100", "it was not done within 1 s"),
        ("trap '' TERM INT HUP; while :; do :; done", "it was not done within 1 s"),
        ("yes", "it prints more than 100,000 bytes"),
        ("yes >&2", "it prints more than 100,000 bytes"),
        ("exec >&- 2>&-; sleep 100", "it was not done within 1 s"),
    ],
)
def test_a_tool_that_misbehaves_is_ended_and_named(
    fake: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    """Whatever a tool does, the review goes on: each file that it was for is named as a fault, with the reason."""
    monkeypatch.setattr(process, "MOST_OUTPUT", 100_000)
    monkeypatch.setattr(process, "MOST_ERRORS", 100_000)
    write(fake, script)
    started = time.monotonic()
    heard = hear(Workshop((str(fake), "/usr/bin", "/bin"), time_left=lambda: 1.0), "ruff", {"a.py": PYTHON})
    assert time.monotonic() - started < 10
    assert heard.reported == ()
    (skip,) = heard.skipped
    assert skip.fault
    assert skip.path == "a.py"
    assert skip.reason.startswith(f"ruff: {reason}")
    assert "\x1b" not in skip.reason
    assert "\u202e" not in skip.reason
    assert len(skip.reason) < 300


def test_what_a_tool_leaves_behind_is_ended_with_it(fake: Path, tmp_path: Path) -> None:
    """A child that holds the pipe holds up nobody, and does not live on."""
    write(fake, f"sleep 100 & echo $! > {tmp_path}/pid; echo '[]'")
    started = time.monotonic()
    heard = hear(Workshop((str(fake), "/usr/bin", "/bin")), "ruff", {"a.py": PYTHON})
    assert time.monotonic() - started < 20
    assert heard == Heard((), (), ("a.py",))
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_a_tool_sees_neither_secrets_nor_the_repository(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has an environment and a folder of its own, with copies of its files; both are gone then."""
    monkeypatch.setenv("GITHUB_TOKEN", "a secret")
    monkeypatch.setenv("PYTHONPATH", "a folder")
    told = tmp_path / "told"
    write(fake, f"(env; pwd; find . -type f; echo \"$@\") > {told}; echo '[]'")
    shop = Workshop((str(fake), "/usr/bin", "/bin"), trusted=False)
    hear(shop, "ruff", {"src/a.py": PYTHON, "b.js": "", "-c.py": "é\udcff"})
    lines = told.read_text().splitlines()
    assert not any("a secret" in line or "PYTHONPATH" in line for line in lines)
    home = next(line for line in lines if line.startswith("HOME=")).removeprefix("HOME=")
    assert home != os.environ.get("HOME")
    assert {line for line in lines if line.startswith("./")} == {"./src/a.py", "./-c.py"}
    assert lines[-1].endswith("--ignore-noqa --select F,E722,E9,B,S,PLE,PLW,PLR0124,PLR0133,ASYNC,RUF,SIM,PIE,PT "
                              "-- ./src/a.py ./-c.py")  # fmt: skip
    assert not Path(home).exists()


def test_files_that_can_not_be_handed_over_are_named(fake: Path) -> None:
    """No text, too much of it, a name that the file system refuses, a name that is a folder of another."""
    write(fake, "echo '[]'")
    texts = {"big.py": "x" * 3_000_000, "a.py/b.py": "", "a.py": "", f"{'n' * 300}.py": ""}
    files = [*(added(path, "x\n") for path in texts), added("unknown.py", "x\n")]
    heard = Workshop((str(fake), "/usr/bin", "/bin")).hear(
        TOOLS["ruff"], files, lambda file: texts.get(file.path)
    )
    assert {skip.path[:20]: (skip.reason, skip.fault) for skip in heard.skipped} == {
        "big.py": ("ruff: over 2,000,000 characters", False),
        "unknown.py": ("ruff: its whole text is not known", False),
        "a.py": ("ruff: it can't be copied: File exists", True),
        "n" * 20: ("ruff: it can't be copied: File name too long", True),
    }
    assert heard.read == ("a.py/b.py",)


def test_a_file_that_is_no_program_is_told(fake: Path) -> None:
    """What can't be started is named with the system's reason."""
    write(fake, "x", first="")
    (fake / "ruff").write_bytes(b"\x00\x01")
    (skip,) = hear(Workshop((str(fake),)), "ruff", {"a.py": PYTHON}).skipped
    assert skip.reason.startswith("ruff: it can't be started")


def test_without_time_or_program_the_files_are_named() -> None:
    """A tool that is named and not here, or for which no time is left, leaves its files unread, and says so."""
    (skip,) = hear(Workshop(()), "ruff", {"a.py": PYTHON, "a.js": ""}).skipped
    assert (skip.path, skip.reason, skip.fault) == ("a.py", "ruff: it is not installed", True)
    (late,) = hear(
        Workshop(programs.folders({"PATH": HERE}), time_left=lambda: 0.0), "ruff", {"a.py": PYTHON}
    ).skipped
    assert late.reason == "ruff: not reached within --max-time"


def test_many_files_are_read_in_several_runs(fake: Path, tmp_path: Path) -> None:
    """No command line grows beyond what the system takes."""
    write(fake, f"echo run >> {tmp_path}/runs; echo '[]'")
    heard = hear(Workshop((str(fake), "/usr/bin", "/bin")), "ruff", {f"{n}.py": "" for n in range(250)})
    assert len(heard.read) == 250
    assert (tmp_path / "runs").read_text().count("run") == 3


def test_programs_of_the_change_are_not_found(tmp_path: Path) -> None:
    """Relative folders never count; those in the checkout of a stranger's change neither, also behind a link."""
    repo, elsewhere = tmp_path / "repo", tmp_path / "bin"
    (repo / "bin").mkdir(parents=True)
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(repo / "bin")
    path = os.pathsep.join(["", ".", "bin", f"{repo}/bin", f"{tmp_path}/link", str(elsewhere)])
    own = str(Path(sys.prefix).absolute() / "bin")
    assert programs.folders({"PATH": path}) == (f"{repo}/bin", f"{tmp_path}/link", str(elsewhere), own)
    assert programs.folders({"PATH": path}, repo) == (str(elsewhere), own)
    assert programs.folders({}, Path(sys.prefix).parent) == (own,)


def everything(tool: Tool) -> bool:
    return True


def names(tools: tuple[list[Tool], list[str]]) -> list[str]:
    return [tool.name for tool in tools[0]]


def test_tools_are_chosen_by_name_or_as_they_are_here() -> None:
    """`auto` takes what is installed and safe; what needs trust is left out of a stranger's change."""
    safe = [name for name, tool in TOOLS.items() if tool.safe and not tool.trusted_only]
    assert names(chosen(["none"], everything, trusted=True)) == []
    assert names(chosen(["auto"], everything, trusted=False)) == safe
    assert names(chosen(["auto"], everything, trusted=True)) == [*safe, "clang-tidy", "cppcheck"]
    assert names(chosen(["auto"], lambda tool: tool.name == "ruff", trusted=True)) == ["ruff"]
    assert names(chosen(["ruff", "zizmor"], lambda tool: False, trusted=True)) == ["ruff", "zizmor"]
    tools, notes = chosen(["cppcheck"], everything, trusted=False)
    assert tools == []
    assert notes[0].startswith(
        "cppcheck is not run on a change that is not trusted, for what `#include` names"
    )


@pytest.mark.parametrize("name", ["staticcheck", "golangci-lint", "semgrep"])
def test_what_can_not_be_run_safely_says_why(name: str) -> None:
    """The sentence says what it would do, and how its report is taken instead."""
    with pytest.raises(UsageError, match=rf"{name} is not run here, for it.*--with sarif=FILE"):
        chosen([name], everything, trusted=True)


def test_the_table_is_whole() -> None:
    """Each tool that a setting can name is in the table, and says why it is safe or why it is not run."""
    assert set(ANALYZERS) == TOOLS.keys()
    for tool in TOOLS.values():
        assert tool.safe or tool.unsafe
        assert bool(tool.safe) == bool(tool.files) == bool(tool.arguments) == bool(tool.form)
        assert not tool.trusted_only or tool.unsafe
        assert not tool.safe or "{files}" in tool.arguments


def test_what_compilers_print_is_read() -> None:
    """Remarks are read, notes and code are not, and no line is too long or too odd."""
    found = list(read_clang_tidy((CASES / "clang-tidy.lines").read_bytes(), Root(("/home/ci/project",))))
    assert {each.path for each in found} == {"c.c"}
    assert "bugprone-assignment-in-if-condition" in {each.rule for each in found}
    odd = b"a.c:3:1: error: x [y] [nullPointer]\n/etc/passwd:1:1: error: root [z]\nb.c:1:2: note: n [q]\n"
    odd += b"c.c:99999999999:1: error: x [y]\n" + b":" * 30_000 + b" [" * 9_000 + b"]\n\xff\n"
    (one, outside) = read_cppcheck(odd, Root(("/home/ci/project",)))
    assert (one.message, one.rule, one.path) == ("x [y]", "nullPointer", "a.c")
    assert outside.path == ""


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_nothing_is_run_where_nothing_is_to_be_read(fake: Path, tmp_path: Path) -> None:
    """No process for a change without files of the tool."""
    write(fake, f"touch {tmp_path}/ran; echo '[]'")
    assert hear(Workshop((str(fake), "/usr/bin", "/bin")), "ruff", {"a.js": ""}) == Heard()
    assert not (tmp_path / "ran").exists()

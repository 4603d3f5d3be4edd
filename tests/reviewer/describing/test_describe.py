"""Descriptions: what facts say of changes, what a model may add, and that nothing is named that is not there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hunkwise.engine import Generated, ScriptedEngine
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.describing import prompt
from hunkwise.reviewer.describing.describe import described
from hunkwise.reviewer.describing.description import Description
from hunkwise.reviewer.describing.facts import PathKind, path_kind
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.describing.rendering import commit_message, render_markdown, render_text
from hunkwise.reviewer.describing.writer import Writer
from hunkwise.reviewer.diff.parse import parse_diff


def patch(path: str, body: str, *, head: str = "") -> str:
    """Write a patch of one hunk, with its counts."""
    lines = body.strip("\n").split("\n")
    old = sum(line[:1] in " -" for line in lines)
    new = sum(line[:1] in " +" for line in lines)
    start = f"@@ -{1 if old else 0},{old} +{1 if new else 0},{new} @@ {head}".rstrip()
    before, after = (f"a/{path}" if old else "/dev/null"), (f"b/{path}" if new else "/dev/null")
    mode = "" if old and new else ("deleted file mode 100644\n" if old else "new file mode 100644\n")
    return (
        f"diff --git a/{path} b/{path}\n{mode}--- {before}\n+++ {after}\n{start}\n" + "\n".join(lines) + "\n"
    )


def of(*patches: str) -> Description:
    return described(gather(parse_diff("".join(patches).encode())))


CALL = " def f(x):\n-    return x < 1\n+    return x <= 1\n"
NEW = "+def load(path):\n+    return open(path)\n"


@pytest.mark.parametrize(
    ("patches", "title", "kind"),
    [
        ([patch("a.py", CALL)], "Change `x < 1` to `x <= 1` in `f`", "fix"),
        ([patch("a.py", " a = 1\n-# teh end\n+# the end\n")], "Change `teh` to `the` in `a.py`", "docs"),
        ([patch("a.py", CALL), patch("b.py", CALL)], "Change `x < 1` to `x <= 1` in 2 files", "fix"),
        ([patch("src/a.py", NEW)], "Add `a.py` in `src`", "feature"),
        ([patch("src/a.py", NEW), patch("tests/test_a.py", NEW)], "Add `a.py` in `src`", "feature"),
        ([patch("a.py", NEW.replace("+", "-"))], "Remove `a.py`", "refactoring"),
        ([patch("tests/test_a.py", CALL)], "Change `x < 1` to `x <= 1` in `f`", "tests"),
        ([patch("docs/a.md", "-Old\n+New\n text\n")], "Change `Old` to `New` in `a.md`", "docs"),
        (
            [patch("requirements.txt", "-left-pad==1.2.0\n+left-pad==1.3.0\n x==1\n")],
            "Bump `left-pad` from 1.2.0 to 1.3.0",
            "chore",
        ),
        (
            [
                patch(
                    "pom.xml",
                    " <artifactId>guava</artifactId>\n-<version>31.1</version>\n+<version>33.0</version>\n",
                )
            ],
            "Bump `guava` from 31.1 to 33.0",
            "chore",
        ),
        ([patch("a.py", " def f():\n-  return 1\n+    return 1\n")], "Reformat `a.py`", "chore"),
        (
            [
                patch(
                    "a.go",
                    " func (s *Store) Get(k int) {\n+\tif k < 0 {\n+\t\treturn\n+\t}\n+\tlog(k)\n \tread(k)\n }\n",
                )
            ],
            "Return if `k < 0` in `Store.Get`",
            "fix",
        ),
        (
            ["diff --git a/x.py b/lib/x.py\nsimilarity index 100%\nrename from x.py\nrename to lib/x.py\n"],
            "Move `x.py` to `lib`",
            "refactoring",
        ),
        ([], "Change nothing", "chore"),
        (
            [patch("a.py", "-def area(width, height):\n+def area(width, height, depth=1):\n     return 0\n")],
            "Add `depth=1` to `area`",
            "feature",
        ),
        (
            [patch("a.py", "-def area(width, height):\n+def area(depth, width, height):\n     return 0\n")],
            "Add `depth` to `area`",
            "feature",
        ),
        ([patch("a.py", "+def alpha(): return 1\n")], "Add `a.py`", "feature"),
        ([patch("b.md", "+one line\n")], "Add `b.md`", "docs"),
        (
            [patch("app.cfg", "-version=7.4.0-alpha.3\n+version=7.4.0-alpha.4\n")],
            "Change the version from 7.4.0-alpha.3 to 7.4.0-alpha.4",
            "chore",
        ),
    ],
)
def test_facts_make_a_title(patches: list[str], title: str, kind: str) -> None:
    """The title says what is certain, and the kind what paths and symbols tell."""
    made = of(*patches)

    assert (made.title, str(made.kind)) == (title, kind)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("a.rb", " a = 1\n-b = 2\n c = 3\n+b = 2\n"),
        ("a.js", " f()\n-say('to' + 'x')\n+say('to ' + 'x')\n"),
        ("a.js", " f()\n-say('x\n+say('x'\n"),
        ("a.py", " for x in y:\n     say(x)\n-    done()\n+done()\n"),
        ("a.py", " if x:\n     say(x)\n-done()\n+    done()\n"),
        ("a.yml", " a:\n   b: 1\n-  c: 2\n+c: 2\n"),
    ],
)
def test_code_that_moves_is_not_reformatted(path: str, body: str) -> None:
    """A line that stands elsewhere, a blank in a string, another depth where depth has a meaning."""
    made = of(patch(path, body))

    assert "Reformat" not in made.title
    assert "only blanks" not in made.files[0].says.lower()


def test_no_change_is_said_to_be_none() -> None:
    """In the forms for people."""
    assert render_text(of()) == render_markdown(of()) == "Nothing changed.\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/a.py", PathKind.CODE),
        ("src/test/A.java", PathKind.TESTS),
        ("locales/it-IT.json", PathKind.SETTINGS),
        ("docs/conf.py", PathKind.CODE),
        ("docs/index.rst", PathKind.DOCS),
        ("go.sum", PathKind.LOCKED),
        ("go.mod", PathKind.DEPENDENCIES),
        (".github/workflows/ci.yml", PathKind.BUILD),
    ],
)
def test_paths_tell_kinds(path: str, kind: PathKind) -> None:
    """By name alone."""
    assert path_kind(path) is kind


def test_every_file_is_accounted_for() -> None:
    """Also one without text, one that can't be read, and those beyond what is listed."""
    patches = [patch(f"f{number}.py", CALL) for number in range(60)]
    binary = "diff --git a/x.png b/x.png\nnew file mode 100644\nindex 0000000..1111111\n"
    binary += "Binary files /dev/null and b/x.png differ\n"
    made = of(*patches, binary)

    assert {note.path for note in made.files} == {f"f{number}.py" for number in range(60)} | {"x.png"}
    assert "and 11 more files" in render_text(made)
    assert all(note.says for note in made.files)


def test_hostile_names_stay_text() -> None:
    """A path and a symbol full of marks act in no form, and the message of a commit has one title line."""
    made = of(patch("a\x1b[31m`@x`#1.py", " def f(x):\n-    a(x)\n-    b(x)\n+    c(`@team`, x)\n"))

    for text in (render_text(made), commit_message(made)):
        assert "\x1b" not in text
    assert "\x1b" not in (told := render_markdown(made))
    assert told.count("\n### ") == 0
    assert commit_message(made).split("\n")[1] == ""


def answers(title: str) -> ScriptedEngine:
    return ScriptedEngine(lambda bundle, question: Generated(question.id, f" {title}\n", "stop"))


def words(engine: ScriptedEngine, *patches: str) -> Description:
    facts = gather(parse_diff("".join(patches).encode()))
    return described(facts, Writer(engine).words(facts), "a model")


def test_a_model_words_the_title() -> None:
    """Its title is taken up to where it breaks off, and said to be its own."""
    made = words(answers("Accept one in `f` too, rather"), patch("a.py", CALL))

    assert (made.title, made.title_by, made.model) == ("Accept one in `f` too", "model", "a model")


@pytest.mark.parametrize(
    "title",
    [
        "Use `evil` here",
        "Use otherName here",
        "Fix CVE-2020-1 now",
        "use `f` now",
        "",
        "A\nB",
        "See http://x now",
    ],
)
def test_names_that_are_not_there_are_not_said(title: str) -> None:
    """Where an engine does not keep to the form, the facts speak."""
    made = words(answers(title), patch("a.py", CALL))

    assert (made.title_by, made.title) == ("facts", "Change `x < 1` to `x <= 1` in `f`")


def test_what_is_long_is_shown_in_parts() -> None:
    """Each part is asked about and fits; what was left out is named."""
    body = "".join(f"+    value_{number} = compute(value_{number - 1})\n" for number in range(2000))
    engine = answers("Compute values one by one")
    made = words(engine, patch("long.py", f" def f():\n{body}"), patch("b.py", CALL))

    assert len(engine.bundles) == 5  # three parts of the long file, the short one, and the whole
    assert made.notes == ("long.py: only a part of it was shown to the model",)
    assert all(note.model for note in made.files)
    assert "long.py: Compute values one by one." in engine.bundles[-1].shared[0].text


def test_the_form_keeps_names_in_view() -> None:
    """What the grammar admits is what the check after it lets through."""
    names = ("f", "a.b", "x+y")
    for title in ("Use `f` here", "Call `a.b`, then `x+y`"):
        assert prompt.keeps_to(title, names)
    for title in ("Use `f", "Use `a_b` here", "Use 2 here", "Use A here", "Use  two"):
        assert not prompt.keeps_to(title, names)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    Path("a.patch").write_text(
        patch("a.py", " def f(x):\n-    a(x)\n-    b(x)\n+    c(x)\n+    d(x)\n+    e(x)\n")
    )
    return tmp_path


def test_the_command(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds all; a commit's message is that alone; a diff that is none is refused."""
    assert run(hunkwise, ["describe", "a.patch", "--no-model", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["form"], document["version"]) == ("hunkwise-description", 1)
    assert document["files"][0]["changed"] == ["f"]
    assert run(hunkwise, ["describe", "a.patch", "--no-model", "--commit-message"]) == 0
    assert capsys.readouterr().out.split("\n")[:2] == ["Change `f` in `a.py`", ""]
    assert run(hunkwise, ["describe", "nothing.patch"]) == 2
    assert run(hunkwise, ["describe", "a.patch", "--staged"]) == 2


def test_without_a_model_the_facts_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that can't be had costs its words, and that is said."""

    def refuse(*_: object) -> object:
        raise EngineError("no model here")

    assert run(hunkwise, ["describe", "a.patch", "--words", "model"], refuse) == 0
    told = capsys.readouterr()
    assert "fix: Change `f` in `a.py`" in told.out
    assert "described without a model: no model here" in told.err


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


def test_whole_files_tell_more(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a repository a method is known with its class, which the hunk does not show."""
    lines = [
        "class Pool:",
        "    def lease(self):",
        *(f"        step({n})" for n in range(20)),
        "        return 1",
    ]
    git("init", "-q")
    Path("a.patch").unlink()
    Path("p.py").write_text("\n".join(lines) + "\n")
    git("add", "p.py")
    git("commit", "-q", "-m", "base")
    Path("p.py").write_text(
        "\n".join([*lines[:-1], "        self.count()", "        self.close()", "        return 2"]) + "\n"
    )
    assert run(hunkwise, ["describe", "--working", "--no-model"]) == 0
    assert "Use `self.count` in `Pool.lease`" in capsys.readouterr().out

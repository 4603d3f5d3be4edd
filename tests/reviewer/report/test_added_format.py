"""A report format that another package adds: nothing of this repository is touched for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.reviews import finding, review
from strangers import install

from hunkwise.engine.errors import PluginError
from hunkwise.reviewer.app.outputs import outputs
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.report import FORMATS, View, renderer

TOY = """
def render(review, view):
    return "".join(f"{found.path}\\n" for found in review.findings)
"""


def test_it_is_a_format_like_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named on the command line, in `-o NAME=FILE` and in the list of formats."""
    install(monkeypatch, tmp_path, "acme", {"hunkwise.formats:toy": "acme_toy:render"}, acme_toy=TOY)
    (tmp_path / "a.patch").write_text("--- a/a.md\n+++ b/a.md\n@@ -1 +1 @@\n-a\n+b\n")

    assert run(hunkwise, ["review", str(tmp_path / "a.patch"), "--format", "toy"]) == 0
    assert capsys.readouterr().out == ""
    assert outputs([f"toy={tmp_path}/out"], "text")[0].format == "toy"
    assert renderer("toy")(review(finding("a.py", 2)), View()) == "a.py\n"
    assert list(FORMATS) == [*FORMATS.rows, "toy"]


def test_the_example_of_the_how_to_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What CONTRIBUTING.md shows can be copied."""
    text = (Path(__file__).resolve().parents[3] / "CONTRIBUTING.md").read_text("utf-8")
    points = re.search(r'entry-points\."(?P<group>.+)"\]\n(?P<name>\w+) = "(?P<value>.+)"', text)
    code = re.search(r"```python\n(.*?def render.*?)```", text, re.DOTALL)
    assert points is not None
    assert code is not None
    key = f"{points['group']}:{points['name']}"
    install(monkeypatch, tmp_path, "acme-hunkwise", {key: points["value"]}, acme_hunkwise=code[1])

    assert renderer(points["name"])(review(finding("a.py", 2)), View()) == "a.py:2 'Wrong value'\n"


def test_an_unknown_format_is_refused_with_all_that_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error lists what other packages add."""
    install(monkeypatch, tmp_path, "acme", {"hunkwise.formats:toy": "acme_toy:render"}, acme_toy=TOY)

    with pytest.raises(UsageError, match="checkstyle, toy; did you mean toy"):
        outputs([f"toyy={tmp_path}/out"], "text")
    assert run(hunkwise, ["review", "-", "--format", "toyy"]) == 2
    assert "checkstyle, toy" in capsys.readouterr().err


def test_ours_can_not_be_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package that offers a name of ours is not asked for it, and the name is listed once."""
    install(monkeypatch, tmp_path, "acme", {"hunkwise.formats:json": "acme_no:render"})

    assert renderer("json").__module__ == "hunkwise.reviewer.report.interchange.json"
    assert list(FORMATS) == list(FORMATS.rows)


BROKEN = {
    "its import fails": ("import no_such_module", "No module named 'no_such_module'"),
    "it lacks what it names": ("", "has no attribute 'render'"),
    "it is of another kind": ("render = 3", "acme 1.0: acme_toy:render is no report format"),
    "it raises": ("def render(review, view): return 1 / 0", "ZeroDivisionError: division by zero"),
}


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_one_names_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    """What a stranger's code raises is no bug of ours: the error names the package, and what to do."""
    install(monkeypatch, tmp_path, "acme", {"hunkwise.formats:toy": "acme_toy:render"}, acme_toy=source)

    with pytest.raises(PluginError, match=r"acme 1\.0") as error:
        renderer("toy")(review(), View())

    assert said in str(error.value)


def test_two_packages_with_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither is taken by chance."""
    for name in ("acme", "apex"):
        install(monkeypatch, tmp_path, name, {"hunkwise.formats:toy": "acme_toy:render"}, acme_toy=TOY)

    with pytest.raises(PluginError, match=r"'toy' is offered by (acme 1\.0, apex 1\.0|apex 1\.0, acme 1\.0)"):
        renderer("toy")


@pytest.mark.parametrize("arguments", [["--help"], ["review", "--help"], ["post", "--help"]], ids=" ".join)
def test_help_reads_no_package(arguments: list[str]) -> None:
    """Entry points are not looked at for a help text: that takes as long as many packages are installed."""
    program = (
        "import sys, importlib.metadata as m; from hunkwise.reviewer.cli import hunkwise, run\n"
        "m.entry_points = lambda **_: sys.exit(9)\n"
        f"sys.exit(run(hunkwise, {arguments!r}))"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0

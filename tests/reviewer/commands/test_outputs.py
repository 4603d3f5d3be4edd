"""Where reports go, and when they have colours."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from hunkwise.reviewer.app.outputs import Output, colored, outputs, write_stdout
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import UsageError


def test_without_o_the_report_goes_to_standard_output() -> None:
    """The format alone decides what is printed."""
    assert outputs((), "json") == (Output("json"),)


def test_several_reports_are_written_at_once(tmp_path: Path) -> None:
    """Each -o names its format, or takes that of --format; a dash is the standard output."""
    asked = (f"sarif={tmp_path}/a.sarif", f"{tmp_path}/b=c.txt", "html=-")
    assert outputs(asked, "text") == (
        Output("sarif", tmp_path / "a.sarif"),
        Output("text", tmp_path / "b=c.txt"),
        Output("html", None),
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("json=",), "names no file"),
        (("-", "json=-"), "named twice"),
        (("no/such/folder/x",), "the folder does not exist"),
        ((".",), "or this is one"),
        (("n" * 300,), "can't be written: File name too long"),
        (("sraif=x",), "unknown format 'sraif'.*did you mean sarif"),
    ],
)
def test_what_can_not_be_written_is_refused_at_once(asked: tuple[str, ...], message: str) -> None:
    """A wrong -o fails before any work is done."""
    with pytest.raises(UsageError, match=message):
        outputs(asked, "text")


def test_what_is_reviewed_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name, another spelling of it, or a link; a file called like standard input is none of that."""
    monkeypatch.chdir(tmp_path)
    Path("x.patch").write_text("x")
    Path("link").symlink_to("x.patch")
    for asked in ("x.patch", "json=./x.patch", f"{tmp_path}/x.patch", "link"):
        with pytest.raises(UsageError, match="would overwrite what is reviewed"):
            outputs((asked,), "text", ("x.patch",))
    assert outputs(("./-",), "text", ("-",)) == (Output("text", Path("./-")),)


def test_a_reader_that_went_away_is_no_error() -> None:
    """`review … | head -1` ends quietly, and with the review's own exit code."""
    read, written = os.pipe()
    os.close(read)
    with io.FileIO(written, "w") as raw, io.BufferedWriter(raw) as stream:
        write_stdout("x" * 100_000, stream)


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "expected"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1", "TERM": "xterm"}, True, False),
        ("auto", {"NO_COLOR": "", "TERM": "xterm"}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_follow_the_conventions(
    choice: str, environ: dict[str, str], terminal: bool, expected: bool
) -> None:
    """--color goes first, then NO_COLOR, FORCE_COLOR, TERM and the terminal."""
    assert colored(choice, environ, terminal=terminal) is expected


def test_a_file_by_two_names_is_named_twice(tmp_path: Path) -> None:
    """Links and dots do not hide that one report would overwrite the other."""
    (tmp_path / "link").symlink_to("a")
    for other in ("link", "../" + tmp_path.name + "/a"):
        with pytest.raises(UsageError, match="named twice"):
            outputs((f"{tmp_path}/a", f"json={tmp_path}/{other}"), "text")


def test_a_report_that_does_not_fit_is_an_error() -> None:
    """A full disk behind the standard output is said."""
    with Path("/dev/full").open("wb") as full, pytest.raises(UsageError, match="No space left on device"):
        write_stdout("x", full)


@pytest.mark.parametrize(("epoch", "timed"), [("", True), ("1700000000", False)])
def test_a_review_says_how_long_it_took_unless_its_bytes_are_to_be_equal(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    epoch: str,
    timed: bool,
) -> None:
    """SOURCE_DATE_EPOCH, by which builds are made anew in equal bytes, leaves the time out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    Path("x.patch").write_text("--- /dev/null\n+++ b/a.md\n@@ -0,0 +1 @@\n+text\n")

    assert run(hunkwise, ["review", "x.patch", "--format", "json"]) == 0
    assert (json.loads(capsysbinary.readouterr().out)["seconds"] > 0) is timed

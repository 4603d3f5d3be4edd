"""`hunkwise ask` over a folder of documents that is no repository."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from answerer import answerer

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.cli import hunkwise, run

ASKED = "Which port does the server listen on?"
Ask = Callable[..., int]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """A folder of documents, indexed, and the command in it."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "port.md").write_text("# Ports\n\nThe server listens on port 11435.\n")
    (docs / "fish.md").write_text("# Whales\n\nThe whale listens to the server of the sea. \x1b[2J\n")
    monkeypatch.setenv("HUNKWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(docs)
    assert run(hunkwise, ["index"]) == 0

    def call(*arguments: str, engine: ScriptedEngine | None = None) -> int:
        return run(hunkwise, ["ask", *arguments], lambda *_: engine or answerer())

    return call


def test_an_answer_and_where_it_stands(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert ask(ASKED) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "It listens on port 11435.",
        "    port.md:3  “The server listens on port 11435.”",
    ]
    assert lines[2:] == [
        "",
        "See also:",
        "    fish.md:3  “The whale listens to the server of the sea. <U+001B>[2J”",
    ]


def test_what_changed_is_read_before_it_is_answered(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    Path("port.md").write_text("# Ports\n\nMore.\n\nThe server listens on port 11435.\n")
    capsys.readouterr()
    assert ask(ASKED) == 0
    assert "port.md:5" in capsys.readouterr().out


def test_a_part_of_the_files(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime("fish.md", (1_000_000_000, 1_000_000_000))  # no repository: the file's own time counts
    capsys.readouterr()
    only = ("--no-model", "--format", "json")
    for flags, found in (
        (["--since", "2001-10-01"], ["port.md"]),
        (["--since", "99999d"], ["port.md", "fish.md"]),
        (["--written-in", "markdown", "--kind", "document"], ["port.md", "fish.md"]),
    ):
        assert ask(ASKED, *only, *flags) == 0
        assert [each["path"] for each in json.loads(capsys.readouterr().out)["passages"]] == found
    for flags, why in (
        (["--since", "1999-02-30"], "1999-02-30: give a day"),
        (["--since", "\x1b[2J"], "<U+001B>[2J: give a day"),
        (["--written-in", "elvish"], "nothing that is indexed is written in elvish: markdown"),
    ):
        assert ask(ASKED, *only, *flags) == 2
        assert why in capsys.readouterr().err


def test_as_json(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert ask(ASKED, "--format", "json", "--in", "port.*") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["answer"][0]["line"], len(told["passages"])) == ("answered", 3, 1)


def test_what_nobody_wrote_is_refused(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert ask("Which port do gophers visit weekly?") == 1
    assert capsys.readouterr().out.startswith("The documents don't say.\n\nNearest:\n")
    assert ask("Xylophone quux?") == 1  # no word of it stands anywhere


def test_what_words_refuse_opens_no_model(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    def opened(*_: object) -> ScriptedEngine:
        raise AssertionError("a model is opened")

    assert run(hunkwise, ["ask", "Which port do gophers visit weekly?"], opened) == 1
    assert "a model is opened" not in capsys.readouterr().err
    assert run(hunkwise, ["ask", ASKED], opened) == 2
    assert "a model is opened" in capsys.readouterr().err


def test_without_a_model_the_passages_are_shown(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert ask("whale", "--no-model") == 0
    out = capsys.readouterr().out
    assert out.startswith("fish.md:1-")
    assert "\x1b" not in out  # what steers a terminal is spelled


def test_what_can_not_be_asked_is_said(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "file").write_text("no index")
    for arguments, why in (
        (["  "], "ask a question"),
        (["x" * 2000], "1000 are read at most"),
        (["port", "--index", str(tmp_path / "none")], "nothing is indexed"),
        (["port", "--index", str(tmp_path / "gone")], "no such folder"),
        (["port", "--index", str(tmp_path / "file")], "damaged"),
    ):
        assert ask(*arguments) == 2
        assert why in capsys.readouterr().err

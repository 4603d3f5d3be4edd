"""`hunkwise config`, `hunkwise init` and the project's guidelines."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.commands.setup.init import forge, template
from hunkwise.reviewer.config.guidelines import LARGEST_FILE, read_guidelines
from hunkwise.reviewer.config.layers import file_layer
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ConfigError


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository in which the command runs, in an empty home."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


def test_show_names_value_and_origin(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`config show` answers where a value comes from, for people and for programs."""
    (repository / ".hunkwise.toml").write_text("max_comments = 7\n")
    assert run(hunkwise, ["config", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["max_comments", "7", f"({repository}/.hunkwise.toml)"] for line in lines)
    assert run(hunkwise, ["config", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["max_comments"] == {"value": 7, "origin": f"{repository}/.hunkwise.toml"}
    assert shown["effort"] == {"value": "normal", "origin": "default"}


def test_check_finds_the_file_and_its_mistakes(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`config check` ends with 2 and a sentence where something is wrong, or nothing is there."""
    assert run(hunkwise, ["config", "check"]) == 2
    assert "hunkwise init" in capsys.readouterr().err
    (repository / ".hunkwise.toml").write_text("max_comments = 7\n")
    assert run(hunkwise, ["config", "check"]) == 0
    assert "1 setting, all fine" in capsys.readouterr().out
    (repository / "other.toml").write_text("max_commets = 7\n")
    assert run(hunkwise, ["config", "check", "other.toml"]) == 2
    assert "other.toml: unknown key 'max_commets'; did you mean max_comments?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("min_confidence = 0.5\nprecision_target = 0.8", ["exclude each other"]),
        ('model = "qwen2.5-coder:1.5"', ["qwen2.5-coder:1.5 is not on this machine"]),
        ('model = "./absent.gguf"', ["absent.gguf does not exist"]),
        ('model = "a b"', ["a b"]),
        ('guidelines = "absent.md"', ["absent.md: the guidelines can't be read"]),
        ('guidelines = "/etc/passwd"', ["inside the repository"]),
        ('baseline_file = "absent.json"', ["absent.json: the baseline can't be read"]),
        ('baseline_file = "broken.json"', ["broken.json: the baseline can't be used"]),
        ('guidelines = "absent.md"\nbaseline_file = "absent.json"', ["absent.md", "absent.json"]),
        ('exclude = ["[z-a]"]', ["exclude must be a list", "is no glob"]),
        ('[[rule]]\npaths = ["[z-a]"]', ["rule must be a list", "is no glob"]),
    ],
)
def test_check_finds_what_a_review_refuses(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    messages: list[str],
) -> None:
    """All of it at once, by asking the parts of a review themselves; nothing is fetched."""
    monkeypatch.setenv("HUNKWISE_MODELS", str(repository / "models"))
    monkeypatch.setenv("HUNKWISE_SOURCES", "/nowhere")
    (repository / ".hunkwise.toml").write_text(text)
    (repository / "broken.json").write_text("{}")
    assert run(hunkwise, ["config", "check"]) == 2
    shown = capsys.readouterr().err
    assert [message for message in messages if message not in shown] == []
    (repository / "a.patch").write_text("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-return a\n+return b\n")
    assert run(hunkwise, ["review", "a.patch"]) == 2


@pytest.mark.parametrize("text", ["[[rule]]\npaths = ['a']\ninstructions = 'x'", "guidelines = 'mine.md'"])
def test_check_says_what_guidelines_are_for(
    repository: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Whoever writes rules should know that they shape words, and find nothing."""
    (repository / "mine.md").write_text("Be brief.")
    (repository / ".hunkwise.toml").write_text(text)
    assert run(hunkwise, ["config", "check"]) == 0
    assert "by themselves they find nothing" in capsys.readouterr().err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`config schema` can be piped into a file for an editor."""
    assert run(hunkwise, ["config", "schema"]) == 0
    assert "max_comments" in json.loads(capsys.readouterr().out)["properties"]


def test_init_writes_once(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`init` never overwrites a file unless it is told to."""
    path = repository / ".hunkwise.toml"
    assert run(hunkwise, ["init"]) == 0
    assert path.read_text("utf-8") == template()
    path.write_text("mine")
    assert run(hunkwise, ["init"]) == 2
    assert path.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert run(hunkwise, ["init", "--force"]) == 0
    assert path.read_text("utf-8") == template()


def test_every_line_of_the_template_can_be_switched_on() -> None:
    """Without its comment signs the template is a valid file, and one that changes nothing but its rule."""
    lines = [line.removeprefix("#") for line in template().splitlines() if not line.startswith("# ")]
    values = file_layer(tomllib.loads("\n".join(lines)), "template").values
    assert len(values) > 8
    assert all(value == getattr(Config(), name) for name, value in values.items() if name != "rules")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:a/b.git", "github"),
        ("https://github.example.com/a/b", "github"),
        ("ssh://git@gitlab.example.com:22/a/b.git", "gitlab"),
        ("https://user@gitlab.com/github/b.git", "gitlab"),
        ("https://codeberg.org/github/x", ""),
        ("../somewhere", ""),
        ("", ""),
    ],
)
def test_the_forge_is_told_by_the_host(url: str, expected: str) -> None:
    """The name of a project or a user does not make it a forge."""
    assert forge(url) == expected


def test_guidelines_are_found_where_they_usually_are(repository: Path) -> None:
    """.hunkwise/guidelines.md is taken if it is there, from any folder inside; "none" takes nothing."""
    (repository / "src").mkdir()
    assert read_guidelines(Config(), repository / "src", os.environ) == ""
    (repository / ".hunkwise").mkdir()
    (repository / ".hunkwise" / "guidelines.md").write_text("Be brief: é")
    assert read_guidelines(Config(), repository / "src", os.environ) == "Be brief: é"
    assert read_guidelines(Config(guidelines="none"), repository, os.environ) == ""
    (repository / "AGENTS.md").write_text("agents")
    assert read_guidelines(Config(guidelines="AGENTS.md"), repository, os.environ) == "agents"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("missing.md", None, "can't be read: No such file"),
        ("binary.md", b"\xff", "must be UTF-8; byte 0 is not"),
        ("huge.md", b"x" * (LARGEST_FILE + 1), "more than 64,000 bytes"),
        ("../outside.md", None, "must be a file inside the repository"),
        ("/etc/passwd", None, "must be a file inside the repository"),
    ],
)
def test_guidelines_that_can_not_be_used_are_an_error(
    repository: Path, name: str, data: bytes | None, message: str
) -> None:
    """Guidelines that were named but can't be shown to the model are never silently left out."""
    if data is not None:
        (repository / name).write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_guidelines(Config(guidelines=name), repository, os.environ)


def test_a_link_does_not_lead_out_of_the_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The repository can't show the model a file of the machine; who runs the command can."""
    secret = tmp_path_factory.mktemp("other") / "secret"
    secret.write_text("x")
    (repository / ".hunkwise").mkdir()
    (repository / ".hunkwise" / "guidelines.md").symlink_to(secret)
    with pytest.raises(ConfigError, match="inside the repository"):
        read_guidelines(Config(), repository, os.environ)
    chosen = Config(guidelines=str(secret), origins={"guidelines": "flag"})
    assert read_guidelines(chosen, repository, os.environ) == "x"


def test_check_knows_what_no_model_was_measured_for(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A precision is asked of weights that nobody calibrated: refused before they are loaded."""
    monkeypatch.setattr("hunkwise.reviewer.judge.likelihood.precision.shipped_layers", dict)
    (repository / ".hunkwise.toml").write_text("precision_target = 0.8")
    assert run(hunkwise, ["config", "check"]) == 2
    assert "no precision was ever measured for qwen2.5-coder:1.5b" in capsys.readouterr().err

"""The configuration: precedence, origins, and messages for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hunkwise.reviewer.config import Config, keys, plain, schema, settings
from hunkwise.reviewer.config_files import find, load, read_file
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.types import Category, Severity


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder that looks like the root of a repository, with a folder inside."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "src").mkdir()
    return tmp_path / "repo"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_flags_go_before_environment_before_files(repository: Path, tmp_path: Path) -> None:
    """Each value comes from the nearest place that sets it, and its origin is known."""
    own = write(repository / ".hunkwise.toml", 'language = "German"\neffort = "deep"\nmax_comments = 3\n')
    user = write(tmp_path / "hunkwise" / "config.toml", 'effort = "quick"\nmodel = "m"\n')
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "HUNKWISE_MAX_COMMENTS": "4", "HUNKWISE_LANGUAGE": "Polish"}
    config = load(flags={"language": "Czech"}, environ=environ, folder=repository / "src")
    values = (config.language, config.max_comments, config.effort, config.model, config.min_confidence)
    assert values == ("Czech", 4, "deep", "m", 0.86)
    names = ("language", "max_comments", "effort", "model", "min_confidence")
    origins = [config.origin(name) for name in names]
    assert origins == ["flag", "environment", str(own), str(user), "default"]


@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "GITLAB_CI"])
def test_the_model_runs_apart_in_ci(name: str, repository: Path) -> None:
    """Unless somebody says otherwise, in any place that may; a variable that says no is no CI."""
    environ = {name: "true"}
    found = load(flags={}, environ=environ, folder=repository)
    assert (found.isolate, found.origin("isolate")) == (True, "CI")
    assert not load(flags={"isolate": False}, environ=environ, folder=repository).isolate
    assert not load(flags={}, environ={**environ, "HUNKWISE_ISOLATE": "no"}, folder=repository).isolate
    assert not load(flags={}, environ={name: "false"}, folder=repository).isolate
    write(repository / ".hunkwise.toml", "isolate = false\n")
    assert not load(flags={}, environ=environ, folder=repository).isolate
    assert load(flags={}, environ=environ, folder=repository, trusted=False).isolate


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    """CI systems pass inputs that were not given as empty variables."""
    assert load(flags={}, environ={"HUNKWISE_EFFORT": ""}, folder=Path("/")) == Config()


def test_a_named_file_takes_the_place_of_the_repositorys(repository: Path, tmp_path: Path) -> None:
    """--config goes before HUNKWISE_CONFIG, and both before what lies in the repository."""
    write(repository / ".hunkwise.toml", 'language = "German"\nmax_comments = 3\n')
    environ = {"HUNKWISE_CONFIG": str(write(tmp_path / "a.toml", 'language = "Polish"\n'))}
    other = write(tmp_path / "b.toml", 'language = "Czech"\n')
    named = load(flags={}, environ=environ, folder=repository)
    assert (named.language, named.max_comments) == ("Polish", 5)
    assert load(flags={}, environ=environ, folder=repository, file=other).language == "Czech"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MIN_SEVERITY", "high", Severity.HIGH),
        ("FAIL_ON", "none", None),
        ("MIN_CONFIDENCE", "0.25", 0.25),
        ("OFFLINE", "yes", True),
        ("CATEGORIES", "security, performance", (Category.SECURITY, Category.PERFORMANCE)),
        ("EXCLUDE", "docs/**,*.lock", ("docs/**", "*.lock")),
    ],
)
def test_variables_are_read_by_kind(name: str, text: str, value: object) -> None:
    """A variable's text becomes the value that a file would give."""
    config = load(flags={}, environ={f"HUNKWISE_{name}": text}, folder=Path("/"))
    assert getattr(config, name.lower()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_coments = 3", "unknown key 'max_coments'; did you mean max_comments?"),
        ("min-severity = 'low'", "unknown key 'min-severity'; did you mean min_severity?"),
        ("min_severity = 'bad'", "min_severity must be one of critical, high, medium, low, info"),
        ("min_confidence = 2", "min_confidence must be a number from 0 to 1"),
        ("min_confidence = nan", "min_confidence must be a number from 0 to 1"),
        ("max_comments = true", "max_comments must be a whole number from 1 to 1,000"),
        ("max_comments = 2.0", "max_comments must be a whole number from 1 to 1,000"),
        ("offline = 'yes'", "offline must be true or false"),
        ('language = "a\\nb"', "language must be one line of at most 60 printable characters"),
        ("include = 'src'", "include must be a list of at most 200"),
        ("categories = ['typos']", "categories must be a list, each item one of correctness,"),
        ("rule = [{instructions = 'x'}]", "rule must be a list, each item a table with paths = [...]"),
        (
            "[[rule]]\npaths = ['a']\nx = 1",
            "each item a table with the keys paths, instructions, categories,",
        ),
        (
            "[[rule]]\npaths = ['a']\nmin_severity = 1",
            "each item a table whose min_severity is one of critical",
        ),
        ("a = ", "not valid TOML"),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    """Whatever is wrong in a file, the error says where and what to write instead."""
    path = write(tmp_path / "x.toml", text)
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"\xff", b"a = 1\n" * 200_000, b"a = " + b"[" * 5000, b"a = " + b"9" * 5000]
)
def test_a_file_that_is_no_configuration_is_an_error(tmp_path: Path, data: bytes) -> None:
    """Binary, huge and deeply nested files are refused with a sentence."""
    (tmp_path / "x.toml").write_bytes(data)
    with pytest.raises(ConfigError):
        read_file(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HUNKWISE_MIN_SEVERTY", "did you mean HUNKWISE_MIN_SEVERITY?"),
        ("HUNKWISE_RULE", "unknown variable HUNKWISE_RULE"),
        ("HUNKWISE_MAX_TIME", "HUNKWISE_MAX_TIME must be a whole number"),
    ],
)
def test_a_wrong_variable_is_an_error(name: str, message: str) -> None:
    """A misspelt variable is never silently ignored."""
    with pytest.raises(ConfigError, match="environment: ") as caught:
        load(flags={}, environ={name: "x"}, folder=Path("/"))
    assert message in str(caught.value)


def test_the_nearest_file_up_to_the_root_holds(repository: Path, tmp_path: Path) -> None:
    """Files above the repository's root do not count; in one folder .hunkwise.toml goes first."""
    write(tmp_path / ".hunkwise.toml", "")
    assert find(repository / "src") is None
    project = write(repository / "pyproject.toml", "[tool.hunkwise]\nmax_comments = 2\n")
    assert find(repository / "src") == project
    own = write(repository / ".hunkwise.toml", "")
    assert find(repository / "src") == own
    write(repository / "src" / "pyproject.toml", "[tool.other]\n")
    assert find(repository / "src") == own


def test_only_our_table_of_a_pyproject_counts(repository: Path) -> None:
    """Other tools' tables are none of our business."""
    write(repository / "pyproject.toml", "[tool.ruff]\nx = 1\n[tool.hunkwise]\nmax_comments = 2\n")
    assert load(flags={}, environ={}, folder=repository).max_comments == 2


def test_a_stranger_can_only_make_the_review_stricter(repository: Path) -> None:
    """From the head of a pull request no key is taken that names a model or lets problems through."""
    write(
        repository / ".hunkwise.toml",
        'model = "evil"\nexclude = ["**"]\nmin_severity = "critical"\nmin_confidence = 0.1\n'
        'max_comments = 1\nfail_on = "high"\nlanguage = "French"\n[[rule]]\npaths = ["a"]\n',
    )
    config = load(flags={}, environ={}, folder=repository, trusted=False)
    expected = Config(min_confidence=0.1, fail_on=Severity.HIGH, language="French")
    assert config == expected
    assert len(config.ignored) == 5
    flagged = load(flags={"fail_on": None}, environ={}, folder=repository, trusted=False)
    assert flagged.fail_on is None


def test_one_bar_holds(repository: Path) -> None:
    """Of confidence and precision the nearer layer's counts; one layer can't ask for both."""
    own = write(repository / ".hunkwise.toml", "precision_target = 0.8\n")
    assert load(flags={}, environ={}, folder=repository).precision_target == 0.8
    flagged = load(flags={"min_confidence": 0.5}, environ={}, folder=repository)
    assert (flagged.min_confidence, flagged.precision_target) == (0.5, 0.0)
    environ = {"HUNKWISE_MIN_CONFIDENCE": "0.5"}
    aimed = load(flags={"precision_target": 0.9}, environ=environ, folder=repository)
    assert (aimed.precision_target, aimed.origin("precision_target")) == (0.9, "flag")
    write(own, "precision_target = 0.8\nmin_confidence = 0.5\n")
    with pytest.raises(ConfigError, match=r"\.hunkwise\.toml: min_confidence and precision_target exclude"):
        load(flags={}, environ={}, folder=repository)


def test_a_stranger_can_not_lift_the_bar_of_a_precision(repository: Path) -> None:
    """What the bar is, is not known until the model is, so no other is taken in its place."""
    write(repository / ".hunkwise.toml", "min_confidence = 0.7\n")
    config = load(flags={"precision_target": 0.7}, environ={}, folder=repository, trusted=False)
    assert (config.precision_target, len(config.ignored)) == (0.7, 0)
    environ = {
        "XDG_CONFIG_HOME": str(
            write(repository / "u/hunkwise/config.toml", "precision_target = 0.7\n").parents[1]
        )
    }
    config = load(flags={}, environ=environ, folder=repository, trusted=False)
    assert (config.precision_target, config.min_confidence, len(config.ignored)) == (0.7, 0.86, 1)


def test_the_published_schema_describes_the_defaults() -> None:
    """The JSON Schema for editors is valid, and the defaults are valid under it."""
    jsonschema.Draft7Validator.check_schema(schema())
    defaults = {key: plain(getattr(Config(), name)) for key, name in keys().items()}
    jsonschema.validate(json.loads(json.dumps(defaults)), schema())


def test_every_default_is_a_value_that_a_file_may_hold() -> None:
    """What is shown as default can be written into a file again."""
    for name, about in settings().items():
        value = getattr(Config(), name)
        assert about.kind.check(plain(value)) == value


def test_the_limits_are_those_of_the_diff() -> None:
    """The defaults of the limits are kept in one place and repeated nowhere else by another number."""
    from hunkwise.reviewer.diff import Limits

    defaults = Config()
    for name in ("bytes", "files", "hunks", "lines", "line_length"):
        assert getattr(defaults, f"max_{name}") == getattr(Limits(), name)

"""A project's own rules: read from .hunkwise/rules, from the base where the change is not trusted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hunkwise.reviewer.checks.pack import check_names, known_ids, own_rules
from hunkwise.reviewer.checks.run import RuleSet, inspect
from hunkwise.reviewer.commands.quality.rules import command
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.findings.suppressions import idle
from hunkwise.reviewer.types import Severity

OWN = """\
id: ours-no-print
languages: [python]
dimension: maintainability
severity: low
title: print($WHAT) in a library
message: What is printed reaches no log.
advice: Use the logger.
rule: {pattern: print($WHAT)}
bad:
  - |
    print(x)  # hit
good:
  - |
    log.info(x)
"""
NEW = b"""\
diff --git a/a.py b/a.py
new file mode 100644
--- /dev/null
+++ b/a.py
@@ -0,0 +1,2 @@
+import x
+print(x.secret)
"""


def test_an_own_rule_is_read_as_ours_are() -> None:
    """It makes a remark with its names in view, that says whose rule it is."""
    change = parse_diff(NEW)
    (found,), missed = inspect(
        change.files[0], change, RuleSet(own=own_rules([("a.yml", OWN)]), off=("python-*",))
    )

    assert missed is None
    assert (found.title, found.start_line, found.severity) == (
        "print(x.secret) in a library",
        2,
        Severity.LOW,
    )
    assert (found.source.rule, found.witnesses[0].says) == ("ours-no-print", "a rule of the project")
    assert not found.calibrated


def test_rules_are_turned_off_and_given_severities() -> None:
    """By id, or by a glob of ids."""
    change = parse_diff(NEW)
    own = own_rules([("a.yml", OWN)])
    graded, _ = inspect(
        change.files[0],
        change,
        RuleSet(own=own, off=("python-*",), severities={"ours-no-print": Severity.HIGH}),
    )

    assert [found.severity for found in graded] == [Severity.HIGH]
    assert inspect(change.files[0], change, RuleSet(own=own, off=("ours-*", "python-*"))) == ((), None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("id: ours-no-print", "id: Nope"), "id must be words"),
        (("severity: low", "severity: bad"), "severity must be one of critical"),
        (("advice: Use the logger.\n", ""), "advice is missing"),
        (("rule: {pattern: print($WHAT)}", "check: anything"), "a rule of a team is data"),
        (("rule: {pattern: print($WHAT)}", "rule: {pattern: [1}"), "no YAML"),
        (("languages: [python]", "languages: [cobol]"), "'cobol' is none of languages"),
        (("title: ", "titel: "), "unknown key 'titel'"),
        (("id: ours-no-print", "id: python-yaml-load-unsafe"), "another rule with the id"),
        (("rule: {pattern: print($WHAT)}", "rule: &a {any: [*a]}"), "aliases"),
    ],
)
def test_a_wrong_rule_is_told(change: tuple[str, str], says: str) -> None:
    """With its file and what is wrong."""
    with pytest.raises(ConfigError, match=says) as told:
        own_rules([("a.yml", OWN.replace(*change))])
    assert str(told.value).startswith("a.yml: ")


def test_a_pattern_that_is_none_is_a_fault_of_the_review() -> None:
    """The file is named as not read, with what ast-grep says."""
    change = parse_diff(NEW)
    wrong = OWN.replace("pattern: print($WHAT)", "kind: no_such_kind")
    found, missed = inspect(
        change.files[0], change, RuleSet(own=own_rules([("a.yml", wrong)]), off=("python-*",))
    )

    assert found == ()
    assert missed is not None
    assert missed.fault
    assert "ours-no-print" in missed.reason


def test_the_verb_lists_shows_and_tests_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does ours."""
    folder = tmp_path / ".hunkwise" / "rules"
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text(OWN, "utf-8")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke

    assert "ours-no-print" in run(command, ["list", "--language", "python"]).output
    assert "What is printed reaches no log." in run(command, ["show", "ours-no-print"]).output
    assert run(command, ["test", "ours-no-print"]).exit_code == 0
    (folder / "a.yml").write_text(OWN.replace("log.info(x)", "print(y)"), "utf-8")
    done = run(command, ["test", "ours-no-print"])
    assert (done.exit_code, "good example 1" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("rule: {pattern: print($WHAT)}", "check: anything"), "a rule of a team is data"),
        (("rule: {pattern: print($WHAT)}", "flow: 5"), "flow must be a mapping"),
        (("rule: {pattern: print($WHAT)}", "rule: print"), "rule must be a mapping"),
    ],
)
def test_a_file_that_is_tried_is_read_as_a_projects(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    """Wherever it lies: what a project can't have is told, and ends in no traceback."""
    file = tmp_path / "a.yml"
    file.write_text(OWN.replace(*change), "utf-8")

    assert says in str(CliRunner().invoke(command, ["test", str(file)]).exception)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python-yaml-load-unsave", "did you mean python-yaml-load-unsafe?"),
        ("pyhton-*", "there is no rule 'pyhton-*'"),
        ("zzz", "`hunkwise rules list` lists them"),
    ],
)
def test_a_setting_that_names_no_rule_is_told(name: str, said: str) -> None:
    """With the nearest id; ids of ours, of the project and of other tools are known."""
    own = own_rules([("a.yml", OWN)])
    check_names({"disabled_rules": ["python-*", "ours-*", "ruff:S999", "bash-*"]}, own)

    with pytest.raises(ConfigError, match=re.escape(said)) as told:
        check_names({"disabled_rules": ["python-*", name]}, own)
    assert str(told.value).startswith("disabled_rules: ")


def test_a_comment_that_names_no_rule_is_told() -> None:
    """It silences what it names, which is nothing; rules of other tools have names that are not known here."""

    def told(names: str) -> str:
        return idle(
            f"load(x)  # hunkwise: ignore[{names}] -- ours", lambda: known_ids(own_rules([("a.yml", OWN)]))
        )

    assert "did you mean python-yaml-load-unsafe?" in told("security, python-yaml-load-unsave")
    assert "there is no rule 'go-nothing-of-the-kind-here'" in told("go-nothing-of-the-kind-here")
    for names in ("python-yaml-load-unsafe", "ours-no-print", "ruff:s608", "no-unused-vars", "B006"):
        assert told(names) == ""

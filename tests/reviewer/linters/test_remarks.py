"""From reports to findings: changed lines, kinds, severities, twins and fixes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from edits import edit

from hunkwise.reviewer.linters import maps
from hunkwise.reviewer.linters.claims import Claim, joined
from hunkwise.reviewer.linters.edits import applied
from hunkwise.reviewer.linters.maps import kind_of, names_of, page_of
from hunkwise.reviewer.linters.remarks import claims
from hunkwise.reviewer.linters.reported import Edit, Reported
from hunkwise.reviewer.types import Category, Finding, Severity, Source, Suggestion, Witness

MAPS = Path(maps.__file__).with_name("maps")
REST = "\n\n\ndef close():\n    pass\n"
OLD = "import yaml\n\n\ndef load(text):\n    return text" + REST
NEW = "import yaml\n\n\ndef load(text, seen=[]):\n    seen.append(text)\n    return yaml.load(text)" + REST
CHANGE = edit(OLD, NEW)  # adds lines 4 to 6


def said(line: int = 4, rule: str = "B006", tool: str = "ruff", **more: object) -> Reported:
    made = Reported(tool, rule, "a.py", line, line, Severity.HIGH, f"{rule} is wrong here")
    return replace(made, **more)  # type: ignore[arg-type]


def made(*reported: Reported) -> tuple[Claim, ...]:
    return claims(reported, CHANGE.files, CHANGE.text)


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        ((4, 4), (4, 4)),
        ((1, 1), None),  # an old line
        ((3, 5), (4, 5)),  # begins above, is short, and holds an added line
        ((1, 40), None),  # a whole file that begins on an old line
        ((4, 40), (4, 4)),  # a whole function: its first line
        ((5, 9), (5, 9)),  # as far as the hunk shows lines
        ((0, 0), None),  # a file, and no line
        ((400, 401), None),
    ],
)
def test_only_added_lines_are_remarked_on(lines: tuple[int, int], at: tuple[int, int] | None) -> None:
    """A remark sits on lines that the change adds, and nowhere else."""
    found = [claim.finding for claim in made(said(start_line=lines[0], end_line=lines[1]))]
    assert [(each.start_line, each.end_line) for each in found] == ([at] if at else [])


def test_a_finding_says_who_makes_it() -> None:
    """Tool, rule, page, kind and words; its confidence is not measured."""
    (claim,) = made(said(message="Mutable default. Use None.", url="https://example.com/B006", cwe=7))
    found = claim.finding
    assert found.source == Source("ruff", "B006", "https://example.com/B006", 7)
    assert found.witnesses == (Witness("ruff", "B006"),)
    assert (found.category, found.severity) == (Category.CORRECTNESS, Severity.MEDIUM)
    assert found.title == "Mutable default. Use None"
    assert found.message.startswith("The default is made once")
    assert not found.calibrated
    assert found.code == ("def load(text, seen=[]):",)


def test_what_is_not_in_the_change_is_not_said() -> None:
    """Other files, files outside the repository, and files that come twice in a series get nothing."""
    assert made(said(path="b.py"), said(path="")) == ()
    twice = tuple(replace(CHANGE.files[0], part=part) for part in (1, 2))
    assert claims([said()], twice, CHANGE.text) == ()


@pytest.mark.parametrize(
    ("tool", "rule", "kind", "severity"),
    [
        ("ruff", "S608", "sql-injection", Severity.MEDIUM),
        ("Ruff", "S602", "command-injection", Severity.HIGH),
        ("ruff", "E501", None, None),
        ("ruff", "D100", None, None),
        ("ruff", "SIM102", None, None),
        ("ruff", "T201", None, None),  # print
        ("ruff", "B999", "", Severity.MEDIUM),  # new, and of a family that looks for defects
        ("ruff", "F841", None, None),
        ("eslint", "no-eval", "code-execution", Severity.HIGH),
        ("eslint", "@typescript-eslint/no-floating-promises", "dropped-task", Severity.MEDIUM),
        ("eslint", "@typescript-eslint/no-explicit-any", None, None),
        ("eslint", "our-plugin/no-raw-sql", "", Severity.MEDIUM),
        ("oxlint", "eslint(use-isnan)", "nan-comparison", Severity.HIGH),
        ("oxlint", "typescript(no-for-in-array)", "loop-slip", Severity.MEDIUM),
        ("oxlint", "eslint-plugin-unicorn(no-accessor-recursion)", "wrong-return", Severity.MEDIUM),
        ("oxlint", "unicorn(no-array-sort)", None, None),
        ("Hadolint", "SC2086", "unquoted", Severity.LOW),
        ("Hadolint", "DL3008", None, None),
        ("clang-tidy", "readability-identifier-naming", None, None),
        ("clang-tidy", "clang-analyzer-core.uninitialized.Assign", "used-before-set", Severity.HIGH),
        ("cppcheck", "invalidPrintfArgType_s", "wrong-format", Severity.MEDIUM),
        ("golangci-lint", "errcheck", "unchecked-result", Severity.MEDIUM),
        ("somebody's", "x", "", Severity.MEDIUM),
    ],
)
def test_rules_are_called_by_our_kinds(
    tool: str, rule: str, kind: str | None, severity: Severity | None
) -> None:
    """Kinds and severities are ours; noise has none; what no map knows is at most medium."""
    found = kind_of(Reported(tool, rule, "a.py", 1, 1, Severity.CRITICAL, ""))
    assert (found and found.name, found and found.severity) == (kind, severity)


def test_unmapped_rules_keep_their_level_and_what_the_tool_calls_security() -> None:
    """Below medium the tool's own level counts."""
    found = kind_of(Reported("x", "y", "a", 1, 1, Severity.INFO, "", security=True))
    assert found is not None
    assert (found.category, found.severity) == (Category.SECURITY, Severity.INFO)


def test_our_own_remarks_keep_kind_and_severity() -> None:
    """A report of hunkwise, fed back, is not graded anew."""
    found = kind_of(Reported("hunkwise", "performance", "a", 1, 1, Severity.HIGH, ""))
    assert found is not None
    assert (found.category, found.severity) == (Category.PERFORMANCE, Severity.HIGH)


def test_the_maps_are_whole() -> None:
    """Each kind that a map names is described and used, and no rule is in a map twice."""
    kinds = tomllib.loads((MAPS / "kinds.toml").read_text("utf-8"))
    used = set()
    for file in MAPS.glob("*.rules.toml"):
        table = tomllib.loads(file.read_text("utf-8"))
        assert table.keys() <= {"aliases", "off", "rules", "pages", "borrowed", "severities", "phrases"}, (
            file.name
        )
        patterns = [*table["off"], *(rule for rules in table["rules"].values() for rule in rules)]
        assert len(patterns) == len(set(patterns)), file.name
        assert all("*" not in pattern[:-1] for pattern in patterns), file.name
        used |= table["rules"].keys()
    assert used == kinds.keys()
    assert all(kind["about"].endswith(".") for kind in kinds.values())


@pytest.mark.parametrize(
    ("tool", "rule", "url", "page"),
    [
        ("shellcheck", "SC2086", "", "https://www.shellcheck.net/wiki/SC2086"),
        ("eslint", "no-eval", "", "https://eslint.org/docs/latest/rules/no-eval"),
        ("eslint", "@typescript-eslint/await-thenable", "", "https://typescript-eslint.io/rules/await-thenable"),
        ("hadolint", "DL3002", "", "https://github.com/hadolint/hadolint/wiki/DL3002"),
        ("Hadolint", "SC2086", "", "https://www.shellcheck.net/wiki/SC2086"),
        ("clang-tidy", "bugprone-use-after-move", "", "https://clang.llvm.org/extra/clang-tidy/checks/bugprone/use-after-move.html"),
        ("staticcheck", "SA5011", "", "https://staticcheck.dev/docs/checks/#SA5011"),
        ("ruff", "B006", "https://docs.astral.sh/ruff/rules/x", "https://docs.astral.sh/ruff/rules/x"),
        ("nobody", "x", "", ""),
        ("shellcheck", "a b\"><x", "", ""),
    ],
)  # fmt: skip
def test_a_remark_links_to_its_rule(tool: str, rule: str, url: str, page: str) -> None:
    """The page that the report names, or the one that the tool has for the rule."""
    assert page_of(Reported(tool, rule, "a", 1, 1, Severity.LOW, "", url=url)) == page


def test_two_tools_with_one_kind_make_one_remark() -> None:
    """One finding has both as witnesses; other kinds and other lines stay by themselves."""
    found = made(
        said(6, "S506"),
        said(6, "B506", "bandit"),
        said(6, "S301"),  # the same kind by the same tool
        said(6, "F821"),
        said(5, "S506"),
        said(6, "S506"),
    )
    assert [(claim.finding.start_line, claim.kind) for claim in found] == [
        (5, "unsafe-deserialization"),
        (6, "unsafe-deserialization"),
        (6, "undefined-name"),
    ]
    assert {(each.name, each.says) for each in found[1].finding.witnesses} == {
        ("ruff", "S506"),
        ("bandit", "B506"),
        ("ruff", "S301"),
    }


def test_the_same_rule_on_the_same_line_is_said_once() -> None:
    """Two reports of one tool, or one read twice, make no twins, also of rules that no map knows."""
    found = made(said(4, "X1", "own"), said(4, "X1", "own"), said(4, "X2", "own"))
    assert [claim.finding.source.rule for claim in found] == ["X1", "X2"]
    assert [len(claim.finding.witnesses) for claim in found] == [1, 1]


def ours(rule: str, line: int) -> Finding:
    (claim,) = made(said(line, "S506"))
    return replace(claim.finding, source=Source("hunkwise", rule), witnesses=(Witness("rule", rule),))


def test_a_rule_of_ours_takes_its_twin_in() -> None:
    """Where a rule of ours names the tool's rule, there is one finding, ours, with both as witnesses."""
    also = {"python-yaml-load-unsafe": frozenset({"ruff:S506", "bandit:B506"})}
    mine = ours("python-yaml-load-unsafe", 6)
    found = joined([mine], made(said(6, "S506"), said(5, "S506"), said(6, "F821")), also)
    assert [each.source.rule for each in found] == ["python-yaml-load-unsafe", "S506", "F821"]
    assert [witness.name for witness in found[0].witnesses] == ["rule", "ruff"]
    assert len(joined([mine], made(said(6, "S506")), {})) == 2


def test_names_in_rules_of_ours_are_those_of_the_tool() -> None:
    """Rules of oxlint are ESLint's, and the SC rules of hadolint are ShellCheck's."""
    assert "eslint:no-eval" in names_of(said(rule="eslint(no-eval)", tool="oxlint"))
    assert "shellcheck:SC2086" in names_of(said(rule="SC2086", tool="Hadolint"))
    assert names_of(said(rule="S506")) == {"ruff:S506"}


SHOWN = {
    3: "",
    4: "def load(text, seen=[]):",
    5: "    seen.append(text)  # é",
    6: "    return yaml.load(text)",
}


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        ([Edit(4, 21, 4, 23, "None")], (4, 4, "def load(text, seen=None):")),
        (
            [Edit(4, 21, 4, 23, "None"), Edit(5, 1, 5, 1, "    x\n")],
            (4, 4, "def load(text, seen=None):\n    x"),
        ),
        ([Edit(6, 1, 6, 0, "    return 1")], (6, 6, "    return 1")),
        ([Edit(5, 1, 6, 1, "")], (5, 5, "")),  # the line with its end
        (
            [Edit(6, 1, 7, 1, "    return 1\n")],
            (6, 6, "    return 1"),
        ),  # 7 is beyond the hunk, and not needed
        ([Edit(4, 1, 6, 0, "def load(text, seen=[]):\n    pass")], (5, 6, "    pass")),
        ([Edit(5, 5, 5, 9, "x")], None),  # columns in a line that is not ASCII
        ([Edit(4, 21, 4, 23, "[]")], None),  # nothing changes
        ([Edit(4, 21, 4, 99, "x")], None),
        ([Edit(4, 21, 4, 23, "a"), Edit(4, 22, 4, 24, "b")], None),  # one over the other
        ([Edit(2, 1, 4, 1, "")], None),  # above what is shown
        ([Edit(6, 1, 9, 0, "")], None),
        ([Edit(6, 0, 6, 3, "")], None),
        ([Edit(6, 9, 6, 3, "")], None),
        ([], None),
        ([Edit(6, 1, 7, 1, "x")], None),  # the line end would go
    ],
)
def test_edits_become_whole_lines(edits: list[Edit], result: tuple[int, int, str] | None) -> None:
    """The lines that change, and no more; nothing where it can't be told what is meant."""
    assert applied(edits, SHOWN) == result


def test_a_fix_is_offered_where_it_applies_and_parses() -> None:
    """A tool's fix becomes a suggestion that was tried on the file."""
    (good,) = made(said(4, edits=(Edit(4, 21, 4, 23, "None"),)))
    assert good.finding.suggestion == Suggestion(4, 4, "def load(text, seen=None):", verified=True)
    (bad,) = made(said(4, edits=(Edit(4, 21, 4, 23, "("),)))
    assert bad.finding.suggestion is None

"""Each file in cases/ holds a flow, and code with `hit` at the end of the lines where it must be said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.checks.flow import Functions, check_spec, flows
from hunkwise.reviewer.checks.flow.steps.grammar import LANGUAGES, Grammar, grammar
from hunkwise.reviewer.languages.syntax import tree

CASES = [
    (path.stem, language, yaml.safe_load(path.read_text("utf-8")))
    for path in sorted((Path(__file__).parent / "cases").glob("*.yml"))
    for language in yaml.safe_load(path.read_text("utf-8"))["languages"]
]
SPECS = [(case["flow"], language) for _, language, case in CASES]


def _lines(flow: dict[str, Any], language: str, text: str) -> list[int]:
    return [found.node.range().start.line + 1 for found in flows(flow, tree(language, text), language)]


@pytest.mark.parametrize(
    ("language", "case"), [case[1:] for case in CASES], ids=[f"{case[0]} {case[1]}" for case in CASES]
)
def test_a_flow_is_found_where_it_is_and_nowhere_else(language: str, case: dict[str, Any]) -> None:
    lines = case["text"].split("\n")

    check_spec(case["flow"], language)

    wanted = [n for n, line in enumerate(lines, 1) if line.rstrip().endswith(("# hit", "// hit"))]
    assert _lines(case["flow"], language, case["text"]) == wanted


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_text_raises(data: st.DataObject) -> None:
    """Whatever is left of a text, or put into it, is looked at without a complaint."""
    _, language, case = data.draw(st.sampled_from(CASES))
    text = case["text"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    middle = data.draw(
        st.sampled_from(["", "(", "}", "\n", "if x:", "else", "{ x = ", "return", "\x00", "é", "'"])
    )
    flow, other = data.draw(st.sampled_from([spec for spec in SPECS if spec[1] == language]))

    list(flows(flow, tree(other, text[:start] + middle + text[end:]), other))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_tables_of_a_language_hold(language: str) -> None:
    """All kinds and patterns of the tables are those of the grammar."""
    known = grammar(language)
    for name in known.sources:
        check_spec({"kind": "taint", "sources": [name], "sinks": [{"pattern": "f($SINK)"}]}, language)
        check_spec(
            {"kind": "taint", "sources": list(known.sources[name]), "sinks": [{"pattern": "f($SINK)"}]},
            language,
        )


@pytest.mark.parametrize("tables", sorted(set(LANGUAGES.values())))
def test_kinds_in_tables_exist(tables: tuple[str, ...]) -> None:
    """A kind of node that no grammar of the table has is a slip of the pen."""
    languages = [language for language, its in LANGUAGES.items() if tables[-1] in its]
    known = grammar(languages[0])
    sets = [
        getattr(known, name) for name, kind in Grammar.__annotations__.items() if kind == "frozenset[str]"
    ]
    kinds = set(known.roles).union(*sets) - known.flags - known.parameters

    unknown = [kind for kind in sorted(kinds) if not any(_is_kind(kind, language) for language in languages)]

    assert unknown == []


def _is_kind(kind: str, language: str) -> bool:
    try:
        tree(language, "").find({"rule": {"kind": kind}})
    except RuntimeError:
        return False
    return True


def test_one_reading_serves_many_flows() -> None:
    """The functions of a file are made once and handed to each flow."""
    text = "import os\ndef f():\n    os.system(os.getenv('A'))\n"
    functions = Functions(tree("python", text), "python")
    flow = {"kind": "taint", "sources": ["environment"], "sinks": [{"pattern": "os.system($SINK)"}]}

    once, again = (list(flows(flow, functions, "python")) for _ in range(2))

    assert [found.names["SOURCE"].text() for found in once] == ["os.getenv('A')"]
    assert len(again) == 1


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        ([], "must be a mapping"),
        ({"kind": "magic"}, "kind must be one of"),
        ({"kind": "taint", "sources": ["request"]}, "sinks is missing"),
        (
            {"kind": "taint", "sources": ["moon"], "sinks": [{"pattern": "f($SINK)"}]},
            "no sources named 'moon'",
        ),
        ({"kind": "taint", "sources": ["request"], "sinks": [{"pattern": "f($X)"}]}, r"\$SINK"),
        (
            {"kind": "taint", "sources": ["request"], "sinks": ["f($SINK)"]},
            "must be a list of ast-grep rules",
        ),
        ({"kind": "obligation", "open": [{"pattern": "f()"}], "close": [{"kind": "moon"}]}, "close: .*moon"),
        (
            {"kind": "obligation", "open": [{"pattern": "f()"}], "close": [{"pattern": "g()"}], "on": "x"},
            "on must",
        ),
        ({"kind": "unread", "assign": [{"pattern": "$A = $B"}]}, "of must name"),
        ({"kind": "unread", "assign": [{"pattern": "$A = $B"}], "off": "A"}, "'off' is no key"),
    ],
)
def test_a_wrong_flow_is_told(flow: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_spec(flow, "python")


def test_a_language_without_data_flow_is_told() -> None:
    with pytest.raises(ValueError, match="no data flow for bash"):
        list(
            flows(
                {"kind": "unread", "assign": [{"pattern": "$A=$B"}], "of": "A"}, tree("bash", "a=1"), "bash"
            )
        )

"""Go templates: published formats against what Go's own text/template writes, mistakes, and hostile templates.

The expected prompts in cases/gotemplate were written by Go 1.27's text/template under Ollama's rules.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine.errors import EngineError, ModelfileError
from hunkwise.engine.models.gotemplate.parser import FUNCTIONS
from hunkwise.engine.models.gotemplate.template import compile_template

CASES = Path(__file__).parents[2] / "cases" / "gotemplate"
ODD = {"every-construct", "response-in-both-branches"}  # not the format of any model
TEMPLATES = sorted(path.stem for path in CASES.glob("*.gotmpl"))


def load(name: str) -> Any:
    return json.loads((CASES / name).read_text(encoding="utf-8"))


def template(name: str) -> str:
    return (CASES / f"{name}.gotmpl").read_text(encoding="utf-8")


CHATS = {name: [(role, content) for role, content in chat] for name, chat in load("chats.json").items()}
BAD = load("bad.json")


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_prompts_are_those_of_go(name: str, chat: str) -> None:
    """Each template writes for each chat what Go's text/template writes under Ollama's rules."""
    assert compile_template(template(name)).render(CHATS[chat]) == load(f"{name}.json")[chat]


@pytest.mark.parametrize("case", BAD["compile"], ids=lambda case: case["template"][:40])
def test_mistakes_are_placed(case: dict[str, str]) -> None:
    """A template that does not parse is refused with line, column and fault."""
    with pytest.raises(ModelfileError) as caught:
        compile_template(case["template"])
    assert str(caught.value) == case["error"]


@pytest.mark.parametrize("case", BAD["render"], ids=lambda case: case["template"][:40])
def test_wrong_values_are_placed(case: dict[str, str]) -> None:
    """A template that goes wrong while it runs says where and why."""
    compiled = compile_template(case["template"])
    with pytest.raises(ModelfileError) as caught:
        compiled.render([("system", "be kind"), ("user", "hi")])
    assert str(caught.value) == case["error"]


def test_source_is_named() -> None:
    """Errors name the file that the template came from."""
    with pytest.raises(ModelfileError, match=r"^reviewer\.Modelfile:1:4: unknown function 'x'$"):
        compile_template("{{ x }}", "reviewer.Modelfile")


def test_clock_matters_only_where_it_is_asked() -> None:
    """A template may mention the date on a path that this chat does not take."""
    compiled = compile_template(
        "{{ if .System }}{{ .System }}{{ else }}{{ currentDate }}{{ end }}{{ .Prompt }}"
    )
    assert compiled.render([("system", "S"), ("user", "U")]) == "SU"


def test_system_is_put_first_unless_the_chat_has_one() -> None:
    """The Modelfile's SYSTEM is for chats that don't begin with a system message."""
    compiled = compile_template("{{ range .Messages }}[{{ .Role }} {{ .Content }}]{{ end }}")
    assert compiled.render([("user", "U")], system="S") == "[system S][user U]"
    assert compiled.render([("system", "T"), ("user", "U")], system="S") == "[system T][user U]"
    assert compiled.render([], system="S") == "[system S]"


def test_fill_in_the_middle() -> None:
    """With a suffix the prompt is the user's text and the suffix; a template without .Suffix can't do that."""
    compiled = compile_template(template("qwen2.5-coder-fim"))
    expected = "<|fim_prefix|>def f(\n<|fim_suffix|>\n return 1<|fim_middle|>"
    assert compiled.render([("user", "def f(\n")], suffix="\n return 1") == expected
    with pytest.raises(EngineError, match=r"TEMPLATE has no \.Suffix"):
        compile_template(template("chatml")).render([("user", "a")], suffix="b")


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name not in ODD])
@settings(max_examples=5, deadline=None)
@given(contents=st.tuples(*[st.text(min_size=1, max_size=20)] * 3))
def test_contents_come_through_verbatim(name: str, contents: tuple[str, ...]) -> None:
    """Texts of the user and the assistant are in the prompt as they are, in their order."""
    marked = [f"⟦{index}{content}⟧" for index, content in enumerate(contents)]
    prompt = compile_template(template(name)).render(
        list(zip(("user", "assistant", "user"), marked, strict=True))
    )
    at = [prompt.find(text) for text in marked]
    assert -1 not in at
    assert at == sorted(at)


HOSTILE = {
    "endless loop": "{{ range 1000000000 }}{{ end }}",
    "loops in loops": "{{ range 9999 }}{{ range 9999 }}{{ range 9999 }}x{{ end }}{{ end }}{{ end }}",
    "doubling text": '{{ $x := "aaaaaaaaaa" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}',
    "doubling json": '{{ $x := "<<<<" }}{{ range 99 }}{{ $x = json $x }}{{ end }}',
    "wide numbers": '{{ range 1000000 }}{{ printf "%1000d" 1 }}{{ end }}',
    "comparing long texts": (
        '{{ $x := "a" }}{{ range 20 }}{{ $x = print $x $x }}{{ end }}'
        "{{ range 400000 }}{{ if eq $x $x }}{{ end }}{{ end }}"
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_stopped(name: str) -> None:
    """A template that would run or grow without end is stopped within seconds."""
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"the prompt template (runs too long|makes too much text)"):
        compile_template(HOSTILE[name]).render([("user", "hi")])
    assert time.monotonic() - started < 20


def test_huge_templates_are_refused() -> None:
    """A template of megabytes is refused before it is parsed."""
    with pytest.raises(ModelfileError, match="more than 1048576 characters"):
        compile_template("a" * 2_000_000)


words = st.sampled_from(
    [
        *FUNCTIONS,
        *("if", "else", "end", "range", "with", "break", "continue", "define", "nil", "true", "false"),
        *(".System", ".Messages", ".Content", ".Role", ".Response", ".Prompt", ".", "$", "$x", "$i", ".A.B"),
        *(
            ":=",
            "=",
            "|",
            "(",
            ")",
            ",",
            '"a"',
            "`b`",
            "'c'",
            "1",
            "-2",
            "3.5",
            "0x1f",
            "{{",
            "}}",
            "- ",
            "/*",
            "*/",
        ),
        *(" ", "\n", "text", "%d", "\\"),
    ]
)
soup = st.lists(words, max_size=25).map(" ".join)
actions = st.lists(st.lists(words, max_size=6).map(lambda parts: "{{ " + " ".join(parts) + " }}"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(text=st.text() | soup | actions.map("".join))
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    """Any template compiles and renders to text, or raises EngineError."""
    try:
        prompt = compile_template(text).render(
            [("system", "S"), ("user", "U"), ("assistant", "A"), ("user", "V")]
        )
    except EngineError:
        return
    assert isinstance(prompt, str)

"""Names of models: Ollama's grammar, and paths that stay inside the store."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine.errors import InvalidName
from hunkwise.engine.models.names import ModelName, parse_name

CASES = Path(__file__).parents[2] / "cases" / "names"


def load(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((CASES / name).read_text(encoding="utf-8"))
    return rows


@pytest.mark.parametrize("case", load("good.json"), ids=lambda case: case["text"])
def test_good(case: dict[str, Any]) -> None:
    """A good name has the listed parts, its listed short form, and reads back from both forms."""
    name = parse_name(case["text"])
    assert list(name.filepath()) == case["parts"]
    assert name.short() == case["short"]
    assert name.scheme == case.get("scheme", "https")
    assert name.is_hugging_face is case.get("hugging_face", False)
    assert parse_name(str(name)) == name
    assert parse_name(name.short()).short() == name.short()


@pytest.mark.parametrize("case", load("bad.json"), ids=lambda case: case["text"])
def test_bad(case: dict[str, Any]) -> None:
    """A bad name is refused with the part that is wrong and why."""
    with pytest.raises(InvalidName) as caught:
        parse_name(case["text"])
    assert str(caught.value) == case["error"]


@pytest.mark.parametrize(
    ("limit", "name"),
    [(350, "{}/b/c:d"), (80, "a/{}/c:d"), (80, "a/b/{}:d"), (80, "a/b/c:{}"), (240, "hf.co/b/c:{}")],
)
def test_limits(limit: int, name: str) -> None:
    """Each part may be as long as its limit and no longer."""
    parse_name(name.format("x" * limit))
    with pytest.raises(InvalidName, match=f"has {limit + 1} characters; at most {limit} are allowed"):
        parse_name(name.format("x" * (limit + 1)))


def test_a_name_can_not_be_made_past_the_parser() -> None:
    """The parts of a name are checked however it is made."""
    with pytest.raises(InvalidName, match=r"the model '\.\.' must begin"):
        ModelName("registry.ollama.ai", "library", "..", "latest")


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(st.sampled_from("ab.:/_-~\\\n"), max_size=20))
def test_paths_never_escape(text: str) -> None:
    """Whatever is accepted is four plain path components that lead nowhere else."""
    try:
        name = parse_name(text)
    except InvalidName:
        return
    for part in name.filepath():
        assert part not in ("", ".", "..")
        assert PurePosixPath(part).parts == (part,)
    assert parse_name(str(name)) == name

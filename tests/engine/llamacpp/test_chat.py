"""Bundles become tokens without the template ever seeing a content."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.llamacpp import chat, template
from hunkwise.engine.llamacpp.chat import Chat, cut, turns
from hunkwise.engine.types import Bundle, Choose, ModelSpec, Segment


def test_neighbours_of_one_role_are_one_message() -> None:
    """Segments are grouped by role, in order."""
    a, b, c, d = Segment("a", "system"), Segment("b"), Segment("c"), Segment("d", "assistant")

    assert turns((a, b, c, d)) == (("system", (a,)), ("user", (b, c)), ("assistant", (d,)))


def test_a_rendered_template_is_cut_at_its_placeholders() -> None:
    """Words stay words, placeholders become numbers of messages."""
    rendered = "<s>@@hunkwise-message-0@@</s><u>@@hunkwise-message-1@@</u>"

    assert cut(rendered, 2) == ("<s>", 0, "</s><u>", 1, "</u>")


def test_a_template_that_drops_a_message_is_refused() -> None:
    """No segment of a prompt may vanish silently."""
    with pytest.raises(CorruptModel, match="drops message 1 of 2"):
        cut("<u>@@hunkwise-message-1@@</u>", 2)


CASES = Path(__file__).parents[2] / "cases" / "chat"  # the shapes of what models bring, in our own words
SHAPES = sorted(CASES.glob("*.jinja"))
REFUSED = json.loads((CASES / "refused.json").read_text(encoding="utf-8"))


class Words:
    """A vocabulary whose tokens are characters; the first two are BOS and EOS."""

    special = SimpleNamespace(bos=0, eos=1)

    def __init__(self) -> None:
        self.seen = ["<s>", "</s>"]

    def text(self, token: int) -> str:
        return self.seen[token]

    def start(self) -> Any:
        return np.array([], np.int32)

    def tokenize(self, text: str) -> Any:
        self.seen += [char for char in text if char not in self.seen]
        return np.array([self.seen.index(char) for char in text], np.int32)

    tokenize_frame = tokenize


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render without a child process, so that many templates take no time."""

    def render(text: str, chats: Any, **more: Any) -> str:
        try:
            return template.expand({"template": text, "chats": chats, **more})
        except Exception as error:  # noqa: BLE001 - as the child tells of any
            raise CorruptModel(f"the model's chat template fails: {error}{template.ADVICE}") from None

    monkeypatch.setattr(chat, "render", render)


def prompt(of: str, spec: ModelSpec = ModelSpec("m", "d", ())) -> str:  # noqa: B008 - frozen
    """What a model with such a template is shown of a review."""
    vocab = Words()
    opened = Chat(vocab, spec, of)  # type: ignore[arg-type]
    opened.check(100_000)
    question = Choose("q", (Segment("<QUESTION>"),), ("Yes", "No"))
    layout = opened.layout(Bundle((Segment("<TASK>", "system"), Segment("<CODE>")), (question,)))
    return "".join(vocab.seen[token] for part in (layout.shared, layout.questions[0]) for token in part)


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_a_models_own_template_renders(path: Path, in_process: None) -> None:
    """Each takes the chat of a review whole and opens the answer; the text beside it is the prompt."""
    text = prompt(path.read_text(encoding="utf-8"))
    assert text == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert re.search("<TASK>.*<CODE><QUESTION>", text, re.DOTALL)


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_can_t_be_used_is_refused_when_the_model_is_loaded(
    name: str, in_process: None
) -> None:
    """The sentence says what the template complains of, and what to do."""
    with pytest.raises(CorruptModel, match=REFUSED[name]["says"]) as caught:
        prompt(REFUSED[name]["template"])
    assert "write another as TEMPLATE in a Modelfile over the model" in str(caught.value)


def test_a_model_without_a_template_is_refused() -> None:
    """With the same advice; and a TEMPLATE is all it needs."""
    with pytest.raises(CorruptModel, match="no chat template; write another as TEMPLATE"):
        Chat(Words(), ModelSpec("m", "d", ()), None).check(1000)  # type: ignore[arg-type]
    spec = ModelSpec("m", "d", (), template="{{ .System }}|{{ .Prompt }}|")
    assert prompt("{% unknown %}", spec) == "<TASK>|<CODE><QUESTION>|"


def test_a_template_that_leaves_no_room_is_refused(in_process: None) -> None:
    """When the model is loaded, not as a prompt too long for each hunk."""
    wide = "{{ 'x' * 5000 }}{% for m in messages %}{{ m.content }}{% endfor %}"
    with pytest.raises(CorruptModel, match=r"takes 50\d\d tokens by itself and the context holds 4096"):
        Chat(Words(), ModelSpec("m", "d", ()), wide).check(4096)  # type: ignore[arg-type]

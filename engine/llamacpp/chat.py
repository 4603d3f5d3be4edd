"""Bundles to token ids: the chat template gives the frame, the caller's segments fill it.

The template only ever sees placeholders. Its output is cut there; the frame's pieces may hold special
tokens, the contents may not, and each segment is tokenised by itself, so that equal beginnings of two
prompts are equal tokens.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.llamacpp.native import Tokens
from hunkwise.engine.llamacpp.template import ADVICE, render
from hunkwise.engine.llamacpp.vocab import Vocab, join
from hunkwise.engine.models.gotemplate.template import compile_template
from hunkwise.engine.types import Bundle, Choose, Embed, ModelSpec, Question, Role, Segment

Roles = tuple[Role, ...]
Chats = list[list[tuple[Role, str]]]
Frame = tuple[str | int, ...]  # the template's words, and the number of the message that goes between them

_HOLE = "@@hunkwise-message-{}@@"
_HOLES = re.compile(r"@@hunkwise-message-(\d+)@@")
_REMEMBERED = 256  # tokenised segments


@dataclass(frozen=True, slots=True)
class Layout:
    """A bundle in token ids: what all questions share, and what each adds.

    The first `lasting` shared tokens are the system message, which other bundles begin with as well.
    """

    shared: Tokens
    questions: tuple[Tokens, ...]
    lasting: int = 0


def cut(text: str, count: int) -> Frame:
    """Split a rendered template at its placeholders; raises CorruptModel if a message is missing."""
    parts = _HOLES.split(text)
    frame = tuple(part if index % 2 == 0 else int(part) for index, part in enumerate(parts))
    missing = set(range(count)) - {part for part in frame if isinstance(part, int)}
    if missing:
        raise CorruptModel(f"the model's chat template drops message {min(missing) + 1} of {count}{ADVICE}")
    return frame


def turns(segments: Sequence[Segment]) -> tuple[tuple[Role, tuple[Segment, ...]], ...]:
    """Join neighbouring segments of one role into messages."""
    grouped: list[tuple[Role, list[Segment]]] = []
    for segment in segments:
        if grouped and grouped[-1][0] == segment.role:
            grouped[-1][1].append(segment)
        else:
            grouped.append((segment.role, [segment]))
    return tuple((role, tuple(held)) for role, held in grouped)


class Chat:
    """The prompt format of one model. Used by one thread at a time."""

    def __init__(self, vocab: Vocab, spec: ModelSpec, template: str | None) -> None:
        self._vocab = vocab
        self._spec = spec
        self._template = template  # Jinja, of the GGUF
        self._frames: dict[Roles, Frame] = {}
        self._tokens: OrderedDict[str, Tokens] = OrderedDict()

    def check(self, limit: int) -> None:
        """Lay out a chat of the shape that reviews use, so that a template fails when the model is loaded.

        Raises CorruptModel, also where no room is left in `limit` tokens; ModelfileError for a TEMPLATE.
        """
        probe = Choose("probe", (Segment("answer"),), ("Yes", "No"))
        layout = self.layout(Bundle((Segment("task", "system"), Segment("code")), (probe,)))
        tokens = len(layout.shared) + len(layout.questions[0])
        if tokens >= limit:
            raise CorruptModel(
                f"the model's chat template takes {tokens} tokens by itself and the context holds {limit}{ADVICE}"
            )

    def layout(self, bundle: Bundle) -> Layout:
        """Tokenise a bundle that `check_bundle` let pass; raises InvalidQuestion for a marker the model lacks."""
        prompts = [self._asked(bundle.shared, question) for question in bundle.questions]
        if not prompts:
            return Layout(np.empty(0, np.int32), ())
        # A template could frame two questions differently: only what is truly equal is shared.
        length, lasting = min(shared for _, shared, _ in prompts), min(system for _, _, system in prompts)
        first = prompts[0][0]
        for tokens, _, _ in prompts[1:]:
            differs = np.nonzero(first[:length] != tokens[:length])[0]
            length = int(differs[0]) if len(differs) else length
        questions = tuple(tokens[length:] for tokens, _, _ in prompts)
        return Layout(first[:length], questions, min(lasting, length))

    def _asked(self, shared: tuple[Segment, ...], question: Question) -> tuple[Tokens, int, int]:
        if isinstance(question, Embed):
            return self._vocab.whole(question.text), 0, 0
        return self._prompt(shared, question.prompt)

    def _prompt(self, shared: tuple[Segment, ...], own: tuple[Segment, ...]) -> tuple[Tokens, int, int]:
        """Return a prompt, how many of its tokens are shared, and how many the system message takes."""
        segments = shared + own
        if not segments or segments[0].role == "raw":
            return self._raw(segments, len(shared))
        return self._chat(segments, len(shared))

    def _raw(self, segments: tuple[Segment, ...], count: int) -> tuple[Tokens, int, int]:
        parts = [self._vocab.start()]
        for number, segment in enumerate(segments):
            if segment.marker and not (number == 0 and segment.marker == "bos" and len(parts[0])):
                parts.append(np.array([self._vocab.marker(segment.marker)], np.int32))
            frame = segment.special
            parts.append(self._vocab.tokenize_frame(segment.text) if frame else self._data(segment.text))
            if number + 1 == count:
                shared = sum(map(len, parts))
        return join(parts), shared if count else 0, 0

    def _chat(self, segments: tuple[Segment, ...], count: int) -> tuple[Tokens, int, int]:
        opening = [Segment(text, role) for role, text in self._spec.messages]
        if self._spec.system is not None and not any(segment.role == "system" for segment in segments):
            opening.insert(0, Segment(self._spec.system, "system"))
        boundary = len(opening) + count  # segments before it are shared
        messages = turns((*opening, *segments))
        numbers, first = [], 0
        for _, held in messages:
            numbers.append(first)
            first += len(held)
        begun = messages[-1][0] == "assistant"  # the answer's first words
        framed = len(messages) - begun
        pieces = (*self._frame(tuple(role for role, _ in messages[:framed])), *([framed] if begun else []))
        parts = [self._vocab.start()]
        shared = system = 0
        for piece in pieces:
            if isinstance(piece, str):
                tokens = self._vocab.tokenize_frame(piece)
                opens = len(parts) == 1 and tokens[:1].tolist() == parts[0].tolist()
                parts.append(tokens[1:] if opens else tokens)  # the template may spell the BOS token itself
                continue
            for number, segment in enumerate(messages[piece][1], numbers[piece]):
                parts.append(self._data(segment.text))
                if count and number + 1 == boundary:
                    shared = sum(map(len, parts))
            if messages[piece][0] == "system":
                system = sum(map(len, parts))
        return join(parts), shared, system

    def _data(self, text: str) -> Tokens:
        known = self._tokens.get(text)
        if known is None:
            known = self._tokens[text] = self._vocab.tokenize(text)
        self._tokens.move_to_end(text)
        if len(self._tokens) > _REMEMBERED:
            self._tokens.popitem(last=False)
        return known

    def _frame(self, roles: Roles) -> Frame:
        known = self._frames.get(roles)
        if known is None:
            known = self._frames[roles] = self._render(roles)
        return known

    def _render(self, roles: Roles) -> Frame:
        """Render a chat of placeholders, in the first of the shapes that the template takes whole."""
        holes = [_HOLE.format(index) for index in range(len(roles))]
        chats = [list(zip(roles, holes, strict=True))]
        if roles[:2] == ("system", "user"):
            # Some templates (Gemma's) know no system role: its text then opens the user's message.
            chats.append([("user", "\n\n".join(holes[:2])), *chats[0][2:]])
        by = self._by_jinja if self._spec.template is None else self._by_gotemplate
        return cut(by(chats, holes), len(roles))

    def _by_jinja(self, chats: Chats, holes: list[str]) -> str:
        if self._template is None:
            raise CorruptModel(f"the model has no chat template{ADVICE}")
        special, text = self._vocab.special, self._vocab.text
        plain = [[{"role": role, "content": content} for role, content in chat] for chat in chats]
        # Those of models that see pictures may take contents only as lists of typed parts.
        typed = [
            [{"role": role, "content": [{"type": "text", "text": content}]} for role, content in chat]
            for chat in chats
        ]
        bos, eos = (text(token) if token is not None else "" for token in (special.bos, special.eos))
        return render(self._template, [*plain, *typed], bos=bos, eos=eos, needed=holes)

    def _by_gotemplate(self, chats: Chats, holes: list[str]) -> str:
        template = compile_template(self._spec.template or "")
        for chat in chats:
            text = template.render(chat)
            if all(hole in text for hole in holes):
                break
        return text

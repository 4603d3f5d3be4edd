"""What the server tells of a model: read from its files, without loading it."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hunkwise.engine import GgufHeader, ModelSpec, Vocabulary, fim_spelling, go_form, read_header

_KEPT = 64  # descriptions


@dataclass(frozen=True)
class Described:
    """A model by the header of its weights and its Modelfile.

    `abilities` are the words by which Ollama's clients know what a model can do. `fim` are the tokens that ask
    it to fill in, before a prefix, a suffix and the middle; empty if it has none.
    """

    spec: ModelSpec
    header: GgufHeader
    fim: tuple[str, ...]
    abilities: tuple[str, ...]

    @cached_property
    def template(self) -> str:
        """The Go template of the Modelfile, or one that says what the file's own does."""
        own = self.spec.template
        return own if own is not None else go_form(self.header.chat_template, self.fim)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The spelling of its tokens. Raises CorruptModel."""
        return Vocabulary(self.header)

    @property
    def parameters(self) -> int:
        """Count the weights."""
        return sum(math.prod(tensor.shape) for tensor in self.header.tensors)

    @property
    def details(self) -> dict[str, object]:
        """Say what Ollama's lists say of every model."""
        family = self.header.architecture
        return {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": human_count(self.parameters),
            "quantization_level": self.header.quantization,
            "context_length": self.header.context_length,
            "embedding_length": self.header.embedding_length,
        }


class Descriptions:
    """Describes models, each once as long as its files stay the same. Thread-safe; reads the disk."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, int, str | None], Described] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, spec: ModelSpec) -> Described:
        """Describe a model. Raises ModelError."""
        path = spec.weights[0]
        key = (path, path.stat().st_mtime_ns, spec.template)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = describe(spec)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def describe(spec: ModelSpec) -> Described:
    """Read what there is to tell of a model. Raises ModelError."""
    header = read_header(spec.weights[0])
    fim = fim_spelling(header) or ()
    return Described(spec, header, fim, _abilities(spec, header, fills_in=bool(fim)))


def _abilities(spec: ModelSpec, header: GgufHeader, *, fills_in: bool) -> tuple[str, ...]:
    if f"{header.architecture}.pooling_type" in header.metadata:
        return ("embedding",)
    found = ["completion"]
    if spec.template is None and "tools" in (header.chat_template or ""):
        found.append("tools")
    if spec.template is None and _thinks(header.chat_template or ""):
        found.append("thinking")
    if fills_in or ".Suffix" in (spec.template or ""):
        found.append("insert")
    return tuple(found)


def _thinks(template: str) -> bool:
    """Tell by its Jinja template whether a model thinks aloud, between the tags that most have for it."""
    return "enable_thinking" in template or "</think>" in template


def human_count(number: int) -> str:
    """Write a count of weights as Ollama does: 494.03M, 1.5B."""
    for unit, size, form in (("B", 10**9, ".1f"), ("M", 10**6, ".2f"), ("K", 10**3, ".0f")):
        if number >= size:
            return f"{number / size:{form}}{unit}"
    return str(number)

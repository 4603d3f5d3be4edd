"""What the header of a GGUF file says: plain values, and the questions the engine asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.models.gguf.ggml import FILE_TYPES, GUESSED

_MAX_LAYERS = 1 << 12  # a hostile file may claim billions

Number = int | float | bool


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array in the metadata: what it holds and how many; `values` only of short arrays of numbers."""

    kind: str  # "string", "u32", "f32", …
    count: int
    values: tuple[Number, ...] = ()


Value = Number | str | ArrayInfo


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor. `shape` has the row's length first; `offset` counts bytes from `data_offset`."""

    name: str
    shape: tuple[int, ...]
    type: str  # "Q4_K", "F32", …
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about itself. Sizes and offsets in bytes.

    The properties raise CorruptModel where the metadata lacks what they need or has it in a wrong type.
    """

    path: Path
    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    file_size: int

    @property
    def architecture(self) -> str:
        """llama.cpp's name of the architecture, such as "qwen2"; the prefix of most keys."""
        return self._text("general.architecture")

    @property
    def kind(self) -> str:
        """Either "model", "adapter", "mmproj" or the like; older files say nothing and are models."""
        return self._text("general.type") if "general.type" in self.metadata else "model"

    @property
    def quantization(self) -> str:
        """What most weights are stored as, such as "Q4_K_M"; "unknown" if the file does not say."""
        value = self.metadata.get("general.file_type")
        return FILE_TYPES.get(value & ~GUESSED, "unknown") if isinstance(value, int) else "unknown"

    @property
    def block_count(self) -> int:
        """Number of layers."""
        count = self._whole("block_count")
        if count > _MAX_LAYERS:
            raise self._wrong(f"{self.architecture}.block_count is {count}, more than {_MAX_LAYERS}")
        return count

    @property
    def context_length(self) -> int:
        """Tokens the model was trained for."""
        return self._whole("context_length")

    @property
    def embedding_length(self) -> int:
        """Width of the residual stream."""
        return self._whole("embedding_length")

    @property
    def head_counts(self) -> tuple[int, ...]:
        """Attention heads of each layer; 0 in layers without attention."""
        return self._per_layer("attention.head_count")

    @property
    def kv_head_counts(self) -> tuple[int, ...]:
        """Heads of keys and values of each layer: what the KV cache pays for."""
        key = "attention.head_count_kv"
        return self._per_layer(key) if self._key(key) in self.metadata else self.head_counts

    @property
    def key_length(self) -> int:
        """Width of one head's key."""
        return self._head_width("attention.key_length")

    @property
    def value_length(self) -> int:
        """Width of one head's value."""
        return self._head_width("attention.value_length")

    @property
    def sliding_window(self) -> int:
        """Tokens that windowed attention sees; 0 if all layers see everything."""
        return self._whole("attention.sliding_window", 0)

    @property
    def expert_count(self) -> int:
        """Experts of each layer; 0 in dense models."""
        return self._whole("expert_count", 0)

    @property
    def vocabulary(self) -> int:
        """Number of tokens; 0 if the file has no vocabulary."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        return tokens.count if isinstance(tokens, ArrayInfo) else self._whole("vocab_size", 0)

    @property
    def chat_template(self) -> str | None:
        """The Jinja template of the prompt."""
        key = "tokenizer.chat_template"
        return self._text(key) if key in self.metadata else None

    @property
    def fim_tokens(self) -> tuple[int, int, int] | None:
        """Token ids that mark prefix, suffix and middle, if the metadata names all three.

        None proves nothing: llama.cpp also knows such tokens by their spelling, which is in the vocabulary.
        """
        for names in (("fim_pre", "fim_suf", "fim_mid"), ("prefix", "suffix", "middle")):
            ids = [self.metadata.get(f"tokenizer.ggml.{name}_token_id") for name in names]
            pre, suf, mid = ids
            if isinstance(pre, int) and isinstance(suf, int) and isinstance(mid, int):
                return pre, suf, mid
        return None

    @property
    def weight_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(prod(tensor.shape) for tensor in self.tensors)

    @property
    def layer_bytes(self) -> tuple[int, ...]:
        """Bytes of each layer's tensors (`blk.N.…`)."""
        layers = [0] * self.block_count
        for tensor in self.tensors:
            prefix, _, rest = tensor.name.partition(".")
            index = rest.partition(".")[0]
            if prefix == "blk" and index.isascii() and index.isdigit() and int(index) < len(layers):
                layers[int(index)] += tensor.nbytes
        return tuple(layers)

    @property
    def embedding_bytes(self) -> int:
        """Bytes of the token embeddings, which llama.cpp keeps in the CPU's memory."""
        return sum(tensor.nbytes for tensor in self.tensors if tensor.name.startswith("token_embd."))

    @property
    def output_bytes(self) -> int:
        """Bytes of the output layer; where it shares the embeddings, their size: a GPU gets its own copy."""
        own = sum(tensor.nbytes for tensor in self.tensors if tensor.name.startswith("output"))
        tied = all(tensor.name != "output.weight" for tensor in self.tensors)
        return own + (self.embedding_bytes if tied else 0)

    def _key(self, name: str) -> str:
        return f"{self.architecture}.{name}"

    def _wrong(self, message: str) -> CorruptModel:
        return CorruptModel(f"{self.path}: {message}")

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        if not isinstance(value, str):
            raise self._wrong(f"the metadata has no text {key}; is this a language model?")
        return value

    def _whole(self, name: str, default: int | None = None) -> int:
        value = self.metadata.get(self._key(name), default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(
                f"the metadata has no whole number {self._key(name)}; is this a language model?"
            )
        return value

    def _per_layer(self, name: str) -> tuple[int, ...]:
        value = self.metadata.get(self._key(name))
        if not isinstance(value, ArrayInfo):
            return (self._whole(name),) * self.block_count
        counts = tuple(count for count in value.values if isinstance(count, int) and count >= 0)
        if not len(counts) == value.count == self.block_count:
            raise self._wrong(f"{self._key(name)} must have one whole number for each layer")
        return counts

    def _head_width(self, name: str) -> int:
        heads = max(self.head_counts, default=0)
        return self._whole(name, self.embedding_length // heads if heads else 0)

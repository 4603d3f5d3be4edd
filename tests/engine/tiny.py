"""The smallest models that llama.cpp loads: each foretells the next letter from the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

CORPUS = """def add(first, second):
    return first + second
for index in range(10):
    print(index, "the quick brown fox jumps over the lazy dog")
"""
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDTH = 288  # of the residual stream: one place for each token, rounded up to nine heads of 32


def _letters() -> list[str]:
    """GPT-2's spelling of the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def bigrams() -> NDArray[np.float32]:
    """Log-probabilities of the next token after each, from a line or two of code and English."""
    counts = np.full((WIDTH, WIDTH), 0.01, np.float32)
    text = CORPUS.encode()
    for last, following in pairwise(text):
        counts[last, following] += 1
        counts[:, following] += 0.01  # common letters also follow what was never seen
    logs: NDArray[np.float32] = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return logs


def tensors() -> dict[str, NDArray[np.float32]]:
    """A layer that adds nothing, between an embedding that is the token and an output that is the table."""
    square = np.zeros((WIDTH, WIDTH), np.float32)
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    ones = np.ones(WIDTH, np.float32)
    return {
        "token_embd.weight": np.eye(WIDTH, dtype=np.float32),
        **{f"blk.0.{name}.weight": square for name in names},
        "blk.0.attn_norm.weight": ones,
        "blk.0.ffn_norm.weight": ones,
        "output_norm.weight": ones,
        "output.weight": (bigrams().T / np.float32(WIDTH**0.5)).copy(),
    }


def write(
    path: Path,
    changed: Mapping[str, NDArray[np.float32] | None] | None = None,
    *,
    architecture: str = "llama",
    context: int = 2048,
    rope: float = 10000.0,
    template: str | None = CHATML,
    extra: Mapping[str, int] | None = None,
    special: Sequence[str] = (),
) -> Path:
    """Write a model.

    `changed` replaces tensors, None leaves one out; `extra` adds numbers to the metadata, `special` adds tokens.
    """
    writer: Any = gguf.GGUFWriter(str(path), architecture)
    writer.add_block_count(1)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(9)
    writer.add_head_count_kv(9)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(rope)
    for name, value in (extra or {}).items():
        writer.add_uint32(name, value)
    tokens = [*_letters(), *SPECIAL, *special]
    tokens += [f"<|unused{number}|>" for number in range(WIDTH - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 256 + [3] * (WIDTH - 256))
    writer.add_token_merges(["Ā ā"])  # a file without any is refused
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)
    for name, values in {**tensors(), **(changed or {})}.items():
        if values is not None:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_bert(path: Path, *, pooling: int = 2, context: int = 64) -> Path:
    """Write an embedding model in which every token sees all others: a layer of BERT with random weights."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁one", "▁two", "▁same"]
    random = np.random.default_rng(7)
    width = 32

    def square(rows: int = width) -> NDArray[np.float32]:
        return random.normal(0, 0.3, (rows, width)).astype(np.float32)

    writer: Any = gguf.GGUFWriter(str(path), "bert")
    writer.add_block_count(1)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(width)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-6)
    writer.add_causal_attention(False)
    writer.add_uint32("bert.pooling_type", pooling)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types([3] * 5 + [1] * 3)
    writer.add_token_type_count(2)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_unk_token_id(1)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    tensors = {"token_embd": square(len(words)), "position_embd": square(context), "token_types": square(2)}
    tensors |= {f"blk.0.{name}": square() for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    tensors |= {f"blk.0.{name}": square() for name in ("ffn_up", "ffn_down")}
    for name, values in tensors.items():
        writer.add_tensor(f"{name}.weight", values)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.bias", np.zeros(width, np.float32))
    for name in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))
        writer.add_tensor(f"{name}.bias", np.zeros(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

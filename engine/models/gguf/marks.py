"""How a vocabulary spells the tokens that ask a model to fill in the middle."""

from __future__ import annotations

from hunkwise.engine.models.gguf.header import GgufHeader

# llama.cpp's src/llama-vocab.cpp: before the prefix, before the suffix, before the middle
_SPELLINGS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
    ("<PRE>", "<SUF>", "<MID>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),
)
_MOST = 64 << 20  # bytes of a header that are searched; large vocabularies take 10


def fim_spelling(header: GgufHeader) -> tuple[str, str, str] | None:
    """Find the three tokens in a file's vocabulary; None where it has none that llama.cpp knows."""
    data = beginning(header)
    for spelling in _SPELLINGS:
        # in the file each is a string of its own: its length in 8 bytes, then its bytes
        texts = [word.encode() for word in spelling]
        if all(len(text).to_bytes(8, "little") + text in data for text in texts):
            return spelling
    return None


def beginning(header: GgufHeader) -> bytes:
    """Read what stands before the weights; nothing where the file is gone."""
    try:
        with header.path.open("rb") as file:
            return file.read(min(header.data_offset, _MOST))
    except OSError:
        return b""

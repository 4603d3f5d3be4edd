"""Token ids as text, by the two kinds of vocabulary that most files have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest
import tiny

from hunkwise.engine import Vocabulary, read_header
from hunkwise.engine.errors import CorruptModel


def sentencepiece(path: Path, kind: str = "llama") -> Path:
    writer: Any = gguf.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(["<s>", "▁Hi", "▁there", "<0xC3>", "<0xA9>", "!"])
    writer.add_bos_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_bytes_and_special_tokens(tmp_path: Path) -> None:
    vocabulary = Vocabulary(read_header(tiny.write(tmp_path / "tiny.gguf")))
    assert len(vocabulary) == tiny.WIDTH
    assert vocabulary.text([*"é\n".encode(), 258]) == "é\n<|im_end|>"
    assert vocabulary.text([0xC3]) == "\ufffd"
    assert vocabulary.without_begin([258, 97]) == [258, 97]


def test_words_with_blanks(tmp_path: Path) -> None:
    vocabulary = Vocabulary(read_header(sentencepiece(tmp_path / "words.gguf")))
    assert vocabulary.without_begin([0, 1, 2]) == [1, 2]
    assert vocabulary.text([1, 2, 5]) == "Hi there!"
    assert vocabulary.text([3, 4]) == "é"


def test_another_kind(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="can't be read here"):
        Vocabulary(read_header(sentencepiece(tmp_path / "other.gguf", "rwkv")))

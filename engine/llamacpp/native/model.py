"""Weights in memory, with their vocabulary and adapters."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from hunkwise.engine.errors import CorruptModel, InvalidQuestion, NativeFailure, UnusableModel
from hunkwise.engine.llamacpp.native.batch import Tokens
from hunkwise.engine.llamacpp.native.library import forget_log, llama, log_cause

Adapter = Any  # a pointer to a loaded LoRA file


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids of the tokens with a meaning of their own; None where the model has none."""

    bos: int | None
    eos: int | None
    add_bos: bool
    fim_prefix: int | None
    fim_suffix: int | None
    fim_middle: int | None


def _token(token: int) -> int | None:
    return token if token >= 0 else None


class Model:
    """Weights in memory; a context manager. `split` is the share of each GPU, `name` what messages call it."""

    def __init__(
        self,
        weights: Sequence[Path],
        *,
        gpu_layers: int = 0,
        main_gpu: int = 0,
        split: Sequence[float] = (),
        use_mmap: bool = True,
        repack: bool = False,
        vocabulary_only: bool = False,
        name: str = "the model",
    ) -> None:
        if not weights or not all(path.is_file() for path in weights):
            raise CorruptModel(f"no such weights file: {', '.join(map(str, weights)) or '(none)'}")
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        parameters.main_gpu = main_gpu
        parameters.vocab_only = vocabulary_only
        parameters.load_mode = llama.LLAMA_LOAD_MODE_MMAP if use_mmap else llama.LLAMA_LOAD_MODE_NONE
        parameters.use_extra_bufts = repack
        none = (ctypes.c_void_p * 1)()  # a list that ends at once
        if not gpu_layers:  # else llama.cpp takes memory of every GPU, and has them do the large products
            parameters.devices = ctypes.addressof(none)
        shares = (ctypes.c_float * llama.llama_max_devices())(*split[: llama.llama_max_devices()])
        if split:
            parameters.tensor_split = shares
        self.name = name
        forget_log()
        paths = (ctypes.c_char_p * len(weights))(*(str(path).encode() for path in weights))
        if len(weights) == 1:
            self.handle = llama.llama_model_load_from_file(paths[0], parameters)
        else:
            self.handle = llama.llama_model_load_from_splits(paths, len(weights), parameters)
        if not self.handle:
            raise CorruptModel(f"llama.cpp can't load {weights[0]}: {log_cause()}")
        if llama.llama_model_has_encoder(self.handle) or not llama.llama_model_has_decoder(self.handle):
            self.close()
            raise UnusableModel(
                f"{weights[0]} is an encoder, which writes no text; choose a model that is a decoder"
            )
        self.vocabulary = llama.llama_model_get_vocab(self.handle)
        self.size = int(llama.llama_vocab_n_tokens(self.vocabulary))  # of the vocabulary
        self.width = int(llama.llama_model_n_embd_out(self.handle))  # of its vectors
        self.context_trained = int(llama.llama_model_n_ctx_train(self.handle))
        self._piece = ctypes.create_string_buffer(4096)

    def adapter(self, path: Path) -> Adapter:
        """Load a LoRA file; it lives as long as the model. Raises CorruptModel."""
        if not path.is_file():
            raise CorruptModel(f"no such adapter file: {path}")
        forget_log()
        handle = llama.llama_adapter_lora_init(self.handle, str(path).encode())
        if not handle:
            raise CorruptModel(f"llama.cpp can't load the adapter {path}: {log_cause()}")
        return handle

    def close(self) -> None:
        """Free the weights; harmless when done twice."""
        handle, self.handle = self.handle, None
        if handle:
            llama.llama_model_free(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def has_state_cells(self) -> bool:
        """True for recurrent and hybrid models, whose sequences can't be cut back to an earlier position."""
        recurrent, hybrid = llama.llama_model_is_recurrent, llama.llama_model_is_hybrid
        return bool(recurrent(self.handle) or hybrid(self.handle))

    def bytes_of_weights(self) -> int:
        """Total size of the tensors in bytes."""
        return int(llama.llama_model_size(self.handle))

    def chat_template(self) -> str | None:
        """Return the Jinja template of the GGUF, if it has one."""
        text = llama.llama_model_chat_template(self.handle, None)
        return None if text is None else text.decode("utf-8", "replace")

    def tokenize(self, text: bytes, *, special: bool, whole: bool = False) -> Tokens:
        """Tokenise valid UTF-8; with `special`, texts of special tokens become those tokens.

        With `whole`, the model's tokens for the beginning and the end of a text come around it.
        """
        if len(text) >= 2**30:
            raise InvalidQuestion(f"a text of {len(text)} bytes is too long to tokenise")
        room = len(text) + 8
        tokens = np.empty(room, np.int32)
        pointer = tokens.ctypes.data_as(llama.llama_token_p)
        count = llama.llama_tokenize(self.vocabulary, text, len(text), pointer, room, whole, special)
        if count < 0:
            raise NativeFailure(f"llama.cpp can't tokenise a text of {len(text)} bytes ({count})")
        return tokens[:count].copy()

    def piece(self, token: int) -> bytes:
        """Return the bytes of one token, the text of special tokens included."""
        if not 0 <= token < self.size:
            raise InvalidQuestion(f"token {token} is outside the vocabulary of {self.size}")
        room = len(self._piece)
        count = llama.llama_token_to_piece(self.vocabulary, token, self._piece, room, 0, True)
        if count < 0:
            raise CorruptModel(f"token {token} is longer than {room} bytes")
        return self._piece.raw[:count]

    def is_control(self, token: int) -> bool:
        """Tell whether a token steers the model instead of spelling text."""
        bits = llama.llama_vocab_get_attr(self.vocabulary, token)
        if bits & llama.LLAMA_TOKEN_ATTR_USER_DEFINED:
            text = self.piece(token)
            return text.startswith(b"<") and text.endswith(b">")
        return bool(bits & llama.LLAMA_TOKEN_ATTR_CONTROL)

    def ends_generation(self, token: int) -> bool:
        """Tell whether a token ends a turn or a text."""
        return bool(llama.llama_vocab_is_eog(self.vocabulary, token))

    def special_tokens(self) -> SpecialTokens:
        """Return the ids of the special tokens."""
        vocabulary = self.vocabulary
        return SpecialTokens(
            bos=_token(llama.llama_vocab_bos(vocabulary)),
            eos=_token(llama.llama_vocab_eos(vocabulary)),
            add_bos=bool(llama.llama_vocab_get_add_bos(vocabulary)),
            fim_prefix=_token(llama.llama_vocab_fim_pre(vocabulary)),
            fim_suffix=_token(llama.llama_vocab_fim_suf(vocabulary)),
            fim_middle=_token(llama.llama_vocab_fim_mid(vocabulary)),
        )

    def tokenizer_pointers(self) -> tuple[int, int]:
        """Return the addresses of the vocabulary and of `llama_tokenize`, for llguidance."""
        function = ctypes.cast(llama._lib.llama_tokenize, ctypes.c_void_p)  # noqa: SLF001
        return int(self.vocabulary), int(function.value or 0)

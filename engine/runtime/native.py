"""The one file that faces llama.cpp (through llama-cpp-python's ctypes layer) and ggml's device list.

A wrong argument aborts the whole process (GGML_ASSERT), so everything is checked here before each call.
ctypes releases the GIL inside every call. Only `Model.tokenize` may be called from several threads at
once; one thread owns a `Context`. All token and position arrays are int32.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from hunkwise.engine.errors import CorruptModel, InvalidQuestion, MissingExtra, NativeFailure

# llama.cpp's threads meet at hundreds of barriers a token. libgomp spins there by default, which on a machine
# that has other work all but stops a step; it reads this when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import llama_cpp.llama_cpp as llama
    import numpy as np
    from llama_cpp._ggml import libggml
    from numpy.typing import NDArray
except (ImportError, OSError, RuntimeError) as error:  # absent, or its library does not load
    raise MissingExtra("llama-cpp-python", "local") from error

Tokens = NDArray[np.int32]
Row = NDArray[np.float32]  # logits of one position, [n_vocab]
Rows = NDArray[np.float32]  # logits of several, [outputs, n_vocab]
State = NDArray[np.uint8]  # a sequence's cells, in llama.cpp's own format
Adapter = Any  # a pointer to a loaded LoRA file
DeviceKind = Literal["cpu", "gpu", "integrated", "accelerator"]

KV_TYPES: Mapping[str, int] = {"f16": 1, "q8_0": 8, "q4_0": 2}  # enum ggml_type
_KINDS: Mapping[int, DeviceKind] = {0: "cpu", 1: "gpu", 2: "integrated", 3: "accelerator"}
MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ

# llama.cpp has one logger per process; its lines end in this ring, never on stdout or stderr.
_LOG: deque[str] = deque(maxlen=200)


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, _user_data: object) -> None:
    if level != 4:  # GGML_LOG_LEVEL_DEBUG
        _LOG.append(text.decode("utf-8", "replace"))


llama.llama_log_set(_log, None)
llama.llama_backend_init()


def log_tail(lines: int = 12) -> str:
    """Return the last lines llama.cpp logged."""
    return "".join(tuple(_LOG)[-lines:]).strip()


def _bind(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(libggml, name)
    function.restype, function.argtypes = result, list(arguments)
    return function


def devices() -> tuple[tuple[str, str, DeviceKind, int, int], ...]:
    """List what ggml can compute on: (name, description, kind, free bytes, total bytes)."""
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    count = _bind("ggml_backend_dev_count", size)
    get = _bind("ggml_backend_dev_get", pointer, size)
    name = _bind("ggml_backend_dev_name", ctypes.c_char_p, pointer)
    description = _bind("ggml_backend_dev_description", ctypes.c_char_p, pointer)
    kind = _bind("ggml_backend_dev_type", ctypes.c_int, pointer)
    memory = _bind("ggml_backend_dev_memory", None, pointer, ctypes.POINTER(size), ctypes.POINTER(size))
    found = []
    for index in range(count()):
        device, free, total = get(index), size(), size()
        memory(device, ctypes.byref(free), ctypes.byref(total))
        what = _KINDS.get(kind(device))
        if what is not None:
            texts = (name(device).decode(), description(device).decode().strip())
            found.append((*texts, what, int(free.value), int(total.value)))
    return tuple(found)


def build() -> str:
    """Name the native build: llama.cpp's version, ggml's commit, and the devices' names."""
    version = llama.llama_version().decode()
    commit = _bind("ggml_commit", ctypes.c_char_p)().decode()
    return f"llama.cpp {version} (ggml {commit}) on {', '.join(device[0] for device in devices())}"


def system_info() -> str:
    """Return llama.cpp's line about CPU features and backends."""
    return str(llama.llama_print_system_info().decode())


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
    """Weights in memory; a context manager. `split` is the share of each GPU."""

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
    ) -> None:
        if not weights or not all(path.is_file() for path in weights):
            raise CorruptModel(f"no such weights file: {', '.join(map(str, weights)) or '(none)'}")
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        parameters.main_gpu = main_gpu
        parameters.vocab_only = vocabulary_only
        parameters.load_mode = llama.LLAMA_LOAD_MODE_MMAP if use_mmap else llama.LLAMA_LOAD_MODE_NONE
        parameters.use_extra_bufts = repack
        shares = (ctypes.c_float * llama.llama_max_devices())(*split[: llama.llama_max_devices()])
        if split:
            parameters.tensor_split = shares
        paths = (ctypes.c_char_p * len(weights))(*(str(path).encode() for path in weights))
        if len(weights) == 1:
            self.handle = llama.llama_model_load_from_file(paths[0], parameters)
        else:
            self.handle = llama.llama_model_load_from_splits(paths, len(weights), parameters)
        if not self.handle:
            raise CorruptModel(f"llama.cpp can't load {weights[0]}: {log_tail(3)}")
        self.vocabulary = llama.llama_model_get_vocab(self.handle)
        self.size = int(llama.llama_vocab_n_tokens(self.vocabulary))  # of the vocabulary
        self.context_trained = int(llama.llama_model_n_ctx_train(self.handle))
        self._piece = ctypes.create_string_buffer(4096)

    def adapter(self, path: Path) -> Adapter:
        """Load a LoRA file; it lives as long as the model. Raises CorruptModel."""
        if not path.is_file():
            raise CorruptModel(f"no such adapter file: {path}")
        handle = llama.llama_adapter_lora_init(self.handle, str(path).encode())
        if not handle:
            raise CorruptModel(f"llama.cpp can't load the adapter {path}: {log_tail(2)}")
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

    def tokenize(self, text: bytes, *, special: bool) -> Tokens:
        """Tokenise valid UTF-8; with `special`, texts of special tokens become those tokens."""
        if len(text) >= 2**30:
            raise InvalidQuestion(f"a text of {len(text)} bytes is too long to tokenise")
        room = len(text) + 8
        tokens = np.empty(room, np.int32)
        pointer = tokens.ctypes.data_as(llama.llama_token_p)
        count = llama.llama_tokenize(self.vocabulary, text, len(text), pointer, room, False, special)
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


class Batch:
    """Tokens for one `decode`, in numpy arrays that the C struct points into; filled by slices.

    A Python loop over llama.cpp's own batch takes 900 µs for 512 tokens; this takes 2 µs.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.outputs = 0
        self.tokens = np.zeros(capacity, np.int32)
        self.positions = np.zeros(capacity, np.int32)
        self.sequences = np.zeros(capacity, np.int32)
        self.wanted = np.zeros(capacity, np.int8)
        self._ones = np.ones(capacity, np.int32)
        self._rows = self.sequences.ctypes.data + 4 * np.arange(capacity, dtype=np.uintp)
        self.struct = llama.llama_batch(
            n_tokens=0,
            token=self.tokens.ctypes.data_as(llama.llama_token_p),
            embd=None,
            pos=self.positions.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            n_seq_id=self._ones.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=self._rows.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
            logits=self.wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def clear(self) -> None:
        """Forget all tokens."""
        self.count = self.outputs = 0

    @property
    def room(self) -> int:
        """How many more tokens fit."""
        return self.capacity - self.count

    def add(self, tokens: Tokens, position: int, sequence: int, outputs: int) -> None:
        """Append tokens at `position` and after, with logits for the last `outputs` of them."""
        start, end = self.count, self.count + len(tokens)
        if end > self.capacity or not 0 <= outputs <= len(tokens):
            raise NativeFailure(f"a batch of {self.capacity} tokens can't take {len(tokens)} more at {start}")
        self.tokens[start:end] = tokens
        self.positions[start:end] = np.arange(position, position + len(tokens), dtype=np.int32)
        self.sequences[start:end] = sequence
        self.wanted[start:end] = 0
        self.wanted[end - outputs : end] = 1
        self.count, self.outputs = end, self.outputs + outputs


class Context:
    """A KV cache of `cells` tokens shared by `sequences` sequences, and the decoder over it.

    `decode_seconds` and `decode_calls` count the time inside llama_decode.
    """

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        sequences: int,
        batch: int,
        outputs: int,
        threads: int,
        kv_type: str = "f16",
        flash_attention: bool | None = None,
    ) -> None:
        if not 1 <= sequences <= MAX_SEQUENCES or cells < 1 or batch < 1 or outputs < sequences:
            raise InvalidQuestion(
                f"a context of {cells} cells, {sequences} sequences, batch {batch} is not possible"
            )
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = min(batch, cells)
        parameters.n_seq_max = sequences
        # Outputs size the compute buffer: [outputs, n_vocab] floats; more than that in a batch aborts.
        parameters.n_outputs_max = parameters.n_outputs_max_per_seq = min(outputs, batch)
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.type_k = parameters.type_v = KV_TYPES[kv_type]
        parameters.flash_attn_type = -1 if flash_attention is None else int(flash_attention)
        parameters.kv_unified = True  # one pool, so that a fork costs metadata only
        parameters.offload_kqv = True
        parameters.no_perf = True
        # ggml asks before each node of the graph whether to stop. strlen of the flag is the answer, in C and
        # without the GIL: 0 for an empty string, else 1.
        self._flag = ctypes.create_string_buffer(2)
        strlen = ctypes.CDLL(None).strlen
        parameters.abort_callback = ctypes.cast(strlen, llama.ggml_abort_callback)
        parameters.abort_callback_data = ctypes.addressof(self._flag)
        self.model = model
        self.handle = llama.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise NativeFailure(f"llama.cpp can't make a context of {cells} tokens: {log_tail(4)}")
        self.memory = llama.llama_get_memory(self.handle)
        self.cells = int(llama.llama_n_ctx(self.handle))
        self.sequences = sequences
        self.batch = int(llama.llama_n_ubatch(self.handle))
        self.outputs = int(parameters.n_outputs_max)
        self.decode_seconds = 0.0
        self.decode_calls = 0
        self._beside = ThreadPoolExecutor(1, "hunkwise-beside")

    def close(self) -> None:
        """Free the cache; harmless when done twice."""
        self._beside.shutdown()
        handle, self.handle = self.handle, None
        if handle:
            llama.llama_free(handle)

    def adapt(self, adapters: Sequence[tuple[Adapter, float]]) -> None:
        """Apply LoRA adapters of the model, each with its scale, to all that is computed from now on."""
        handles = (llama.llama_adapter_lora_p_ctypes * len(adapters))(*(handle for handle, _ in adapters))
        scales = (ctypes.c_float * len(adapters))(*(scale for _, scale in adapters))
        if llama.llama_set_adapters_lora(self.handle, handles, len(adapters), scales):
            raise NativeFailure(f"llama.cpp refuses the adapters: {log_tail(2)}")

    def decode(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> Rows:
        """Compute the batch and look at its logits, [outputs, n_vocab], valid until the next `decode`.

        `meanwhile` runs in a thread beside it. Raises NativeFailure, with the cache as it was before.
        """
        if not 0 < batch.count <= self.batch or batch.outputs > self.outputs:
            raise NativeFailure(
                f"a batch of {batch.count} tokens with {batch.outputs} outputs is not possible"
            )
        used = slice(0, batch.count)
        lowest, highest = int(batch.tokens[used].min()), int(batch.tokens[used].max())
        if lowest < 0 or highest >= self.model.size or int(batch.sequences[used].max()) >= self.sequences:
            raise NativeFailure(f"a batch holds token {highest} or a sequence the context does not have")
        batch.struct.n_tokens = batch.count
        beside = self._beside.submit(meanwhile) if meanwhile else None
        started = time.perf_counter()
        status = llama.llama_decode(self.handle, batch.struct)
        if status == 0 and batch.outputs:
            llama.llama_synchronize(self.handle)
        self.decode_seconds += time.perf_counter() - started
        self.decode_calls += 1
        if beside:
            beside.result()
        if status:
            raise NativeFailure(f"llama_decode failed with {status}: {log_tail(2)}")
        if not batch.outputs:
            return np.empty((0, self.model.size), np.float32)
        return np.ctypeslib.as_array(llama.llama_get_logits(self.handle), (batch.outputs, self.model.size))

    def interrupt(self) -> None:
        """Make the running and the next `decode` fail soon, until `resume`. From any thread; works on the CPU."""
        self._flag.raw = b"x\0"

    def resume(self) -> None:
        """Take `interrupt` back."""
        self._flag.raw = b"\0\0"

    def _check(self, sequence: int) -> int:
        if not 0 <= sequence < self.sequences:
            raise NativeFailure(f"sequence {sequence} is outside 0..{self.sequences - 1}")
        return sequence

    def fork(self, source: int, target: int, length: int) -> None:
        """Let `target` share the first `length` tokens of `source`; no data is copied."""
        if source != target and length > 0:
            llama.llama_memory_seq_cp(self.memory, self._check(source), self._check(target), 0, length)

    def cut(self, sequence: int, length: int) -> bool:
        """Keep the first `length` tokens of a sequence; False if the model can't (recurrent state)."""
        return bool(llama.llama_memory_seq_rm(self.memory, self._check(sequence), length, -1))

    def clear(self) -> None:
        """Forget all sequences."""
        llama.llama_memory_clear(self.memory, True)

    def size(self, sequence: int) -> int:
        """Return how many bytes `save` would give."""
        return int(llama.llama_state_seq_get_size(self.handle, self._check(sequence)))

    def save(self, sequence: int) -> State:
        """Copy a sequence's cells to host memory."""
        state = np.empty(self.size(sequence), np.uint8)
        pointer = state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        written = llama.llama_state_seq_get_data(self.handle, pointer, len(state), sequence)
        if written != len(state):
            raise NativeFailure(f"sequence {sequence} was saved as {written} bytes instead of {len(state)}")
        return state

    def restore(self, sequence: int, state: State) -> bool:
        """Put back cells that `save` of this same context gave; False if there is no room."""
        pointer = state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        return bool(llama.llama_state_seq_set_data(self.handle, pointer, len(state), self._check(sequence)))

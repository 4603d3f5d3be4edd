"""The KV cache and the decoder over it. One thread owns a `Context`."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from hunkwise.engine.errors import InvalidQuestion, NativeFailure
from hunkwise.engine.llamacpp.native.batch import Batch
from hunkwise.engine.llamacpp.native.library import forget_log, llama, log_cause
from hunkwise.engine.llamacpp.native.model import Adapter, Model

Row = NDArray[np.float32]  # logits of one position, [n_vocab]
Rows = NDArray[np.float32]  # logits of several, [outputs, n_vocab]
State = NDArray[np.uint8]  # a sequence's cells, in llama.cpp's own format

KV_TYPES: Mapping[str, int] = {"f16": 1, "q8_0": 8, "q4_0": 2}  # enum ggml_type
MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ


def log_total(row: Row) -> float:
    """Return the logarithm of the sum of exp(row): what turns a logit into a log-probability."""
    top = row.max()
    weights = row - top
    np.exp(weights, out=weights)  # in place: half the time of a second copy
    return float(top) + math.log(float(weights.sum(dtype=np.float64)))


def log_probabilities(row: Row, tokens: Sequence[int]) -> tuple[float, ...]:
    """Return how likely tokens are by a row of logits. Raises NativeFailure where one is ruled out (-inf)."""
    total = log_total(row)
    values = tuple(float(row[token]) - total for token in tokens)
    if not all(map(math.isfinite, values)):
        raise NativeFailure("the model rules out a token of the text that it should read (its logit is -inf)")
    return values


class Context:
    """A KV cache of `cells` tokens shared by `sequences` sequences, and the decoder over it.

    `decode_seconds` and `decode_calls` count the time inside llama_decode. With `whole` a sequence is computed
    in one batch: its tokens see those after them too.
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
        whole: bool = False,
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
        parameters.pooling_type = llama.LLAMA_POOLING_TYPE_NONE  # `embedding.py` makes one vector of many
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
        forget_log()
        self.handle = llama.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise NativeFailure(f"llama.cpp can't make a context of {cells} tokens: {log_cause()}")
        self.memory = llama.llama_get_memory(self.handle)
        self.cells = int(llama.llama_n_ctx(self.handle))
        self.sequences = sequences
        self.whole = whole
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

    @property
    def has_state_cells(self) -> bool:
        """True if a sequence can't go back to an earlier token (recurrent state)."""
        return self.model.has_state_cells

    def new_batch(self) -> Batch:
        """Make an empty batch for `decode`."""
        return Batch(self.batch)

    def adapt(self, adapters: Sequence[tuple[Adapter, float]]) -> None:
        """Apply LoRA adapters of the model, each with its scale, to all that is computed from now on."""
        handles = (llama.llama_adapter_lora_p_ctypes * len(adapters))(*(handle for handle, _ in adapters))
        scales = (ctypes.c_float * len(adapters))(*(scale for _, scale in adapters))
        if llama.llama_set_adapters_lora(self.handle, handles, len(adapters), scales):
            raise NativeFailure(f"llama.cpp refuses the adapters: {log_cause()}")

    def decode(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> Rows:
        """Compute the batch and look at its logits, [outputs, n_vocab], valid until the next `decode`.

        `meanwhile` runs in a thread beside it. Raises NativeFailure, with the cache as it was before.
        """
        self._compute(batch, meanwhile)
        if not batch.outputs:
            return np.empty((0, self.model.size), np.float32)
        logits = llama.llama_get_logits(self.handle)
        return self._checked(np.ctypeslib.as_array(logits, (batch.outputs, self.model.size)))

    def embed(self, batch: Batch) -> Rows:
        """Compute the batch and look at the vectors of its tokens, [tokens, width], valid until the next call.

        Every token is an output then. Raises NativeFailure, with the cache as it was before.
        """
        if batch.outputs != batch.count:
            raise NativeFailure(
                f"{batch.outputs} of {batch.count} tokens are outputs; all must be, for vectors"
            )
        llama.llama_set_embeddings(self.handle, True)
        try:
            self._compute(batch)
            vectors = llama.llama_get_embeddings(self.handle)
        finally:
            llama.llama_set_embeddings(self.handle, False)
        rows: Rows = np.ctypeslib.as_array(vectors, (batch.outputs, self.model.width))
        if not np.isfinite(rows).all():
            raise NativeFailure(self._no_numbers())
        return rows

    def _compute(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> None:
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
            raise NativeFailure(f"llama_decode failed with {status}: {log_cause()}")

    def _checked(self, rows: Rows) -> Rows:
        """Refuse logits that no answer can be read from: the one place where a sick model is found out."""
        highest = rows.max(axis=1)  # NaN if one is
        if not np.isfinite(highest).all():
            raise NativeFailure(self._no_numbers())
        if (highest == rows.min(axis=1)).any():
            raise NativeFailure(
                f"{self.model.name} finds every token equally likely: its weights are empty or damaged; "
                "check it with `hunkwise model verify`"
            )
        return rows

    def _no_numbers(self) -> str:
        return (
            f"{self.model.name} computes numbers that are none (NaN or infinite): its weights or settings are "
            "damaged, or the device computes wrongly; check it with `hunkwise model verify`"
        )

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

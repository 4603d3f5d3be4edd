"""The GGUF header reader: against ggml's own writer and reader, and against broken and hostile files."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunkwise.engine.errors import CorruptModel, ModelError, ModelNotFound
from hunkwise.engine.models.gguf.ggml import FILE_TYPES, TENSOR_TYPES
from hunkwise.engine.models.gguf.reader import ArrayInfo, GgufHeader, read_header

# What gguf 0.19 does not know yet; the sizes are those of llama.cpp's ggml.c
NEWER = {"Q2_0"}


def write_model(path: Path, *, layers: int = 2, tied: bool = False, alignment: int = 32) -> Path:
    """Write a small model with every kind of metadata."""
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_custom_alignment(alignment)
    writer.add_block_count(layers)
    writer.add_context_length(4096)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv([2] * layers)
    writer.add_file_type(15)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token {n}" for n in range(50)])
    writer.add_token_types([1] * 50)
    writer.add_chat_template("{{ 'grüß' }}")
    writer.add_uint32("tokenizer.ggml.fim_pre_token_id", 7)
    writer.add_uint32("tokenizer.ggml.fim_suf_token_id", 9)
    writer.add_uint32("tokenizer.ggml.fim_mid_token_id", 8)
    writer.add_int8("test.i8", -8)
    writer.add_int16("test.i16", -16)
    writer.add_uint64("test.u64", 2**63)
    writer.add_int64("test.i64", -(2**40))
    writer.add_float32("test.f32", 0.5)
    writer.add_float64("test.f64", 0.1)
    writer.add_bool("test.yes", True)
    writer.add_array("test.floats", [1.5, 2.5])
    writer.add_tensor("token_embd.weight", np.ones((50, 64), np.float16))
    for layer in range(layers):
        writer.add_tensor(f"blk.{layer}.attn_q.weight", np.ones((64, 64), np.float32))
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(3 + layer, np.float32))
    writer.add_tensor("output_norm.weight", np.ones(64, np.float32))
    if not tied:
        writer.add_tensor("output.weight", np.ones((50, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("gguf") / "small.gguf")


@pytest.fixture(scope="module")
def header(small: Path) -> GgufHeader:
    return read_header(small)


def test_well_known_values(header: GgufHeader) -> None:
    """The questions the engine asks are answered from the metadata."""
    assert (header.version, header.architecture, header.kind) == (3, "qwen2", "model")
    assert (header.block_count, header.context_length, header.embedding_length) == (2, 4096, 64)
    assert (header.head_counts, header.kv_head_counts) == ((4, 4), (2, 2))
    assert (header.key_length, header.value_length, header.sliding_window, header.expert_count) == (
        16,
        16,
        0,
        0,
    )
    assert (header.quantization, header.vocabulary, header.fim_tokens) == ("Q4_K_M", 50, (7, 9, 8))
    assert header.chat_template == "{{ 'grüß' }}"


def test_metadata_of_every_type(header: GgufHeader) -> None:
    """Numbers keep their value, big arrays are described, small arrays of numbers are kept."""
    kept = {key: header.metadata[key] for key in header.metadata if key.startswith("test.")}
    assert kept == {
        "test.i8": -8,
        "test.i16": -16,
        "test.u64": 2**63,
        "test.i64": -(2**40),
        "test.f32": 0.5,
        "test.f64": 0.1,
        "test.yes": True,
        "test.floats": ArrayInfo("f32", 2, (1.5, 2.5)),
    }
    assert header.metadata["tokenizer.ggml.tokens"] == ArrayInfo("string", 50)


def test_weights_by_place(header: GgufHeader) -> None:
    """Bytes are told apart by layer, embeddings and output."""
    assert header.layer_bytes == (64 * 64 * 4 + 3 * 4, 64 * 64 * 4 + 4 * 4)
    assert header.embedding_bytes == 50 * 64 * 2
    assert header.output_bytes == 64 * 4 + 50 * 64 * 4
    assert header.weight_bytes == sum(header.layer_bytes) + header.embedding_bytes + header.output_bytes


def test_tied_output_counts_the_embeddings_again(tmp_path: Path) -> None:
    """A model without an output layer uses the embeddings, which a GPU needs a copy of."""
    header = read_header(write_model(tmp_path / "tied.gguf", tied=True))
    assert header.output_bytes == 64 * 4 + header.embedding_bytes


@pytest.mark.parametrize("alignment", [32, 64, 4096])
def test_agrees_with_ggmls_own_reader(tmp_path: Path, alignment: int) -> None:
    """Names, shapes, types, sizes and places are those that the gguf package reads."""
    path = write_model(tmp_path / "model.gguf", layers=3, alignment=alignment)
    header, other = read_header(path), gguf.GGUFReader(path)
    assert header.data_offset == other.data_offset
    assert header.alignment == other.alignment == alignment
    ours = [(t.name, t.shape, t.type, t.nbytes, header.data_offset + t.offset) for t in header.tensors]
    theirs = [
        (t.name, tuple(t.shape.tolist()), t.tensor_type.name, int(t.n_bytes), int(t.data_offset))
        for t in other.tensors
    ]
    assert ours == theirs
    keys = {key for key in other.fields if not key.startswith("GGUF.")}
    assert set(header.metadata) == keys
    for key in keys:
        ours_value, theirs_value = header.metadata[key], other.fields[key].contents()
        if isinstance(ours_value, ArrayInfo):
            assert ours_value.count == len(theirs_value)
        else:
            assert ours_value == theirs_value


def test_types_agree_with_the_gguf_package() -> None:
    """The tables of tensor and file types are those of the gguf package, and what is newer than it."""
    ours = {kind.name: (code, kind.block, kind.size) for code, kind in TENSOR_TYPES.items()}
    theirs = {kind.name: (kind.value, *size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    theirs["Q8_1"] = (9, 32, 36)  # the package says 40; ggml-common.h has two halves and 32 bytes
    assert {name: ours[name] for name in ours if name not in NEWER} == theirs
    names = {
        kind.value: kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        for kind in gguf.LlamaFileType
        if kind is not gguf.LlamaFileType.GUESSED
    }
    assert {code: name for code, name in FILE_TYPES.items() if name not in NEWER} == names


def test_every_truncation_is_found(small: Path, tmp_path: Path) -> None:
    """A file cut anywhere before its last tensor's end is refused, and the message names file and place."""
    data = small.read_bytes()
    last = read_header(small).tensors[-1]
    end = read_header(small).data_offset + last.offset + last.nbytes
    path = tmp_path / "cut.gguf"
    for length in itertools.chain(range(0, 2500, 7), range(2500, end, 997), [end - 1]):
        path.write_bytes(data[:length])
        with pytest.raises(CorruptModel, match=r"cut\.gguf: .*\(at byte \d+\)"):
            read_header(path)
    path.write_bytes(data[:end])
    assert read_header(path).tensors[-1] == last


def entry(key: str, kind: int, value: bytes) -> bytes:
    name = key.encode()
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def tensor(name: bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", kind, offset)


def build(
    *entries: bytes, tensors: tuple[bytes, ...] = (), magic: bytes = b"GGUF", version: int = 3, pad: int = 256
) -> bytes:
    counts = struct.pack("<IQQ", version, len(tensors), len(entries))
    return magic + counts + b"".join(entries) + b"".join(tensors) + bytes(pad)


U32 = struct.Struct("<I").pack
U64 = struct.Struct("<Q").pack
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "magic number needs 4 bytes"),
    "wrong magic": (build(magic=b"GGUX"), "is not a GGUF file; it begins with b'GGUX'"),
    "git-lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
    "web page": (b"<!DOCTYPE html><html></html>", "is a web page"),
    "old ggml": (b"lmgg" + bytes(100), "old GGML format"),
    "big-endian": (build(version=0x03000000), "is a big-endian GGUF"),
    "version 1": (build(version=1), "is GGUF version 1; versions 2 and 3"),
    "version 4": (build(version=4), "is GGUF version 4"),
    "version 0": (build(version=0), "is GGUF version 0"),
    "a billion keys": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 10**9) + bytes(99),
        "keys is 1000000000, more than",
    ),
    "negative tensors": (
        b"GGUF" + struct.pack("<IqQ", 3, -1, 0) + bytes(99),
        "tensors is 18446744073709551615",
    ),
    "more keys than bytes": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 9000) + bytes(99),
        "keys is 9000 and the file",
    ),
    "endless key": (build(U64(2**63)), "claims 9223372036854775808 bytes"),
    "long key": (build(entry("k" * 5000, 4, U32(1))), "has 5000 bytes, more than the 4096"),
    "key not UTF-8": (build(text(b"\xff\xfe") + U32(4) + U32(1)), "metadata key 1 of 1 is not UTF-8"),
    "text not UTF-8": (build(entry("a", 8, text(b"\xc3("))), "the text 'a' is not UTF-8"),
    "endless text": (build(entry("a", 8, U64(2**40))), "the text 'a' claims 1099511627776 bytes"),
    "unknown type": (build(entry("a", 13, U32(1))), "'a' has the unknown type 13"),
    "duplicate key": (
        build(entry("a", 4, U32(1)), entry("a", 4, U32(2))),
        "the metadata key 'a' comes twice",
    ),
    "endless array": (build(entry("a", 9, U32(4) + U64(2**62))), "'a' claims 4611686018427387904 elements"),
    "overflowing array": (build(entry("a", 9, U32(12) + U64(2**61))), "'a' claims 2305843009213693952"),
    "endless texts": (build(entry("a", 9, U32(8) + U64(2**61))), "'a' claims 2305843009213693952 elements"),
    "text of an array too long": (
        build(entry("a", 9, U32(8) + U64(2) + U64(2**63) + U64(1))),
        "a text of 'a' needs",
    ),
    "nested arrays": (build(entry("a", 9, U32(9) + U64(1) + U32(9) + U64(1))), "is an array of arrays"),
    "array of nothing known": (build(entry("a", 9, U32(99) + U64(1))), "'a' has the unknown type 99"),
    "alignment 0": (build(entry("general.alignment", 4, U32(0))), "alignment is not a power of two"),
    "alignment 24": (build(entry("general.alignment", 4, U32(24))), "alignment is not a power of two"),
    "alignment as text": (
        build(entry("general.alignment", 8, text(b"32"))),
        "alignment is not a power of two",
    ),
    "alignment of 64 bits": (build(entry("general.alignment", 10, U64(32))), "not a 32-bit unsigned number"),
    "long tensor name": (build(tensors=(tensor(b"t" * 64, (1,), 0, 0),)), "64 bytes, more than the 63"),
    "five dimensions": (build(tensors=(tensor(b"t", (1,) * 5, 0, 0),)), "5 dimensions, more than 4"),
    "negative shape": (build(tensors=(tensor(b"t", (2**64 - 1,), 0, 0),)), "impossible shape"),
    "empty shape": (build(tensors=(tensor(b"t", (0, 4), 0, 0),)), "impossible shape"),
    "overflowing shape": (build(tensors=(tensor(b"t", (2**40, 2**40), 0, 0),)), "impossible shape"),
    "removed tensor type": (build(tensors=(tensor(b"t", (32,), 4, 0),)), "unknown type 4; the file may need"),
    "half a block": (
        build(tensors=(tensor(b"t", (33,), 2, 0),)),
        "rows of 33, which Q4_0 can't cut into 32s",
    ),
    "tensor behind the end": (build(tensors=(tensor(b"t", (2**30,), 0, 0),)), "cut short: tensor 't' ends"),
    "overflowing offset": (build(tensors=(tensor(b"t", (1,), 0, 2**64 - 32),)), "is at offset 184467"),
    "gap before a tensor": (build(tensors=(tensor(b"t", (1,), 0, 32),)), "at offset 32 instead of 0"),
    "overlapping tensors": (
        build(tensors=(tensor(b"t", (9,), 0, 0), tensor(b"u", (9,), 0, 32))),
        "tensor 'u' is at offset 32 instead of 64",
    ),
    "duplicate tensor": (
        build(tensors=(tensor(b"t", (8,), 0, 0), tensor(b"t", (8,), 0, 32))),
        "'t' comes twice",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path) -> None:
    """Each way to lie about the contents gives an error that says what is wrong."""
    data, message = HOSTILE[name]
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(CorruptModel) as caught:
        read_header(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_smallest_files_are_fine(tmp_path: Path) -> None:
    """No keys and no tensors, a scalar tensor, and version 2 are all legal."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(build(pad=0))
    assert read_header(path).tensors == ()
    path.write_bytes(build(tensors=(tensor(b"t", (), 0, 0),), version=2))
    assert read_header(path).tensors[0].nbytes == 4


def bad_layers(count: int) -> bytes:
    return build(entry("general.architecture", 8, text(b"x")), entry("x.block_count", 4, U32(count)))


QUESTIONS: dict[str, tuple[bytes, Callable[[GgufHeader], object], str]] = {
    "no architecture": (build(), lambda h: h.architecture, "no text general.architecture"),
    "a billion layers": (
        bad_layers(10**9),
        lambda h: h.layer_bytes,
        "x.block_count is 1000000000, more than",
    ),
    "no heads": (bad_layers(2), lambda h: h.head_counts, "no whole number x.attention.head_count"),
    "template is a number": (
        build(entry("tokenizer.chat_template", 4, U32(1))),
        lambda h: h.chat_template,
        "no text tokenizer.chat_template",
    ),
    "heads of too few layers": (
        build(
            entry("general.architecture", 8, text(b"x")),
            entry("x.block_count", 4, U32(3)),
            entry("x.attention.head_count", 9, U32(4) + U64(2) + U32(1) + U32(1)),
        ),
        lambda h: h.head_counts,
        "must have one whole number for each layer",
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_missing_answers_are_named(name: str, tmp_path: Path) -> None:
    """A question that the metadata can't answer raises CorruptModel and names the key."""
    data, ask, message = QUESTIONS[name]
    path = tmp_path / "odd.gguf"
    path.write_bytes(data)
    header = read_header(path)
    with pytest.raises(CorruptModel, match=message):
        ask(header)


def test_not_a_readable_file(tmp_path: Path) -> None:
    """A missing file, a folder and an impossible path are told apart from a corrupt model."""
    with pytest.raises(ModelNotFound, match="does not exist"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match="is not a file"):
        read_header(tmp_path)
    with pytest.raises(ModelError, match="can't read"):
        read_header(tmp_path / "a\0b")


def test_memory_stays_small(tmp_path: Path) -> None:
    """A vocabulary of 100 000 tokens costs less than 2 MB while it is passed over."""
    words = b"".join(text(b"word%d" % n) for n in range(100_000))
    path = tmp_path / "wide.gguf"
    path.write_bytes(build(entry("tokenizer.ggml.tokens", 9, U32(8) + U64(100_000) + words)))
    tracemalloc.start()
    header = read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.vocabulary == 100_000
    assert peak < 2_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_never_give_a_traceback(small: Path, tmp_path: Path, data: st.DataObject) -> None:
    """A file with bytes changed, inserted and cut off is read, or refused with CorruptModel."""
    mutated = bytearray(small.read_bytes()[:4096])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, 2200))
        new = data.draw(
            st.sampled_from([b"\xff" * 8, bytes(8), b"\x7f", b"\x00", b"\x09"]) | st.binary(max_size=9)
        )
        mutated[at : at + data.draw(st.sampled_from([0, len(new)]))] = new
    path = tmp_path / "mutated.gguf"
    path.write_bytes(mutated[: data.draw(st.integers(0, len(mutated)))] + bytes(100_000))
    questions = [name for name in dir(GgufHeader) if isinstance(getattr(GgufHeader, name), property)]
    try:
        header = read_header(path)
        for question in questions:
            getattr(header, question)
    except CorruptModel as error:
        assert str(error).startswith(str(path))  # noqa: PT017


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300))
def test_junk_after_the_magic_never_gives_a_traceback(tmp_path: Path, junk: bytes) -> None:
    """Any bytes after a good start are read, or refused with CorruptModel."""
    path = tmp_path / "junk.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + struct.pack("<QQ", 1, 1) + junk)
    try:
        read_header(path)
    except CorruptModel as error:
        assert "junk.gguf" in str(error)  # noqa: PT017

"""The header of a GGUF file, read in milliseconds: metadata, table of tensors, whether all data is there.

Layout: ggml's gguf.h. Big arrays (vocabularies) are passed over. A file is hostile until checked: each length
against the file's size, each tensor's place against what llama.cpp will accept.
"""

from __future__ import annotations

import math
import stat
import struct
from pathlib import Path
from types import MappingProxyType

from hunkwise.engine.errors import ModelError, ModelNotFound
from hunkwise.engine.models.gguf.cursor import Cursor
from hunkwise.engine.models.gguf.ggml import TENSOR_TYPES
from hunkwise.engine.models.gguf.header import ArrayInfo, GgufHeader, TensorInfo, Value

__all__ = ["ArrayInfo", "GgufHeader", "TensorInfo", "Value", "read_header"]

# What a real file never exceeds by far, so that a hostile one costs little time and memory
_MAX_KEYS = 1 << 14
_MAX_TENSORS = 1 << 14
_MAX_KEY = 1 << 12  # bytes
_MAX_TEXT = 1 << 20  # bytes; the longest chat templates have some 30 kB
_MAX_KEPT = 1 << 22  # bytes of all keys, texts and small arrays together
_MAX_VALUES = 1 << 10  # numbers of an array that are kept: per-layer settings have one for each layer
_MAX_STRINGS = 1 << 24  # strings of all arrays together
_MAX_NAME = 63  # bytes; GGML_MAX_NAME less its NUL
_MAX_DIMENSIONS = 4
_INT64 = 2**63 - 1

_U32 = struct.Struct("<I")
# enum gguf_type
_KINDS = {
    0: "u8",
    1: "i8",
    2: "u16",
    3: "i16",
    4: "u32",
    5: "i32",
    6: "f32",
    7: "bool",
    8: "string",
    9: "array",
    10: "u64",
    11: "i64",
    12: "f64",
}
_FORMS = {
    "u8": struct.Struct("<B"),
    "i8": struct.Struct("<b"),
    "u16": struct.Struct("<H"),
    "i16": struct.Struct("<h"),
    "u32": _U32,
    "i32": struct.Struct("<i"),
    "f32": struct.Struct("<f"),
    "bool": struct.Struct("<?"),
    "u64": struct.Struct("<Q"),
    "i64": struct.Struct("<q"),
    "f64": struct.Struct("<d"),
}
_NOT_GGUF = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the weights; run: git lfs pull"),
    (b"<", "is a web page, not the weights; the download went to a login or error page"),
    (b"lmgg", "is in the old GGML format; get a GGUF of the model"),
    (b"fmgg", "is in the old GGMF format; get a GGUF of the model"),
    (b"tjgg", "is in the old GGJT format; get a GGUF of the model"),
    (b"PK\x03\x04", "is a zip archive; get a GGUF of the model"),
)


def read_header(path: Path) -> GgufHeader:
    """Read and check the header of `path`.

    Raises CorruptModel, naming file, fault and place, where llama.cpp could not load the file; ModelNotFound
    where there is none; ModelError where it can't be read. A file cut short is found out by its header.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a file")
        with path.open("rb", buffering=0) as file:
            return _read(Cursor(file, status.st_size, path), path)
    except FileNotFoundError:
        raise ModelNotFound(f"{path} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise ModelError(f"can't read {path}: {error}") from None


def _read(cursor: Cursor, path: Path) -> GgufHeader:
    version = _version(cursor)
    tensor_count = _count(cursor, "the number of tensors", _MAX_TENSORS, 24)
    key_count = _count(cursor, "the number of metadata keys", _MAX_KEYS, 13)
    metadata = _metadata(cursor, key_count)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise cursor.wrong("general.alignment is not a power of two")
    tensors = tuple(_tensor(cursor) for _ in range(tensor_count))
    data_offset = -(-cursor.at // alignment) * alignment
    _check_places(tensors, alignment, cursor.size - data_offset, cursor)
    return GgufHeader(path, version, MappingProxyType(metadata), tensors, alignment, data_offset, cursor.size)


def _version(cursor: Cursor) -> int:
    start = cursor.take(min(cursor.size, 32), "the magic number")
    cursor.at = 0
    for magic, message in _NOT_GGUF:
        if start.startswith(magic):
            raise cursor.wrong(message)
    if cursor.take(4, "the magic number") != b"GGUF":
        cursor.at = 0
        raise cursor.wrong(f"is not a GGUF file; it begins with {start[:4]!r} instead of b'GGUF'")
    version = _U32.unpack(cursor.take(4, "the version"))[0]
    if version and not version & 0xFFFF:
        raise cursor.wrong("is a big-endian GGUF; get the little-endian file of the model")
    if version not in (2, 3):
        raise cursor.wrong(f"is GGUF version {version}; versions 2 and 3 can be read")
    return int(version)


def _count(cursor: Cursor, what: str, most: int, least_bytes: int) -> int:
    """Read how many there are of something that takes at least `least_bytes` each."""
    count = cursor.length(what)
    if count > most:
        raise cursor.wrong(f"{what} is {count}, more than the {most} that make sense")
    if count * least_bytes > cursor.left:
        raise cursor.wrong(f"{what} is {count} and the file has {cursor.left} bytes left: it is cut short")
    return count


def _metadata(cursor: Cursor, count: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    kept = strings = 0
    for index in range(count):
        key = cursor.text(f"metadata key {index + 1} of {count}", _MAX_KEY)
        if key in metadata:
            raise cursor.wrong(f"the metadata key {key!r} comes twice")
        value = metadata[key] = _value(cursor, key, _MAX_STRINGS - strings)
        kept += len(key)
        if isinstance(value, str):
            kept += len(value)
        elif isinstance(value, ArrayInfo):
            kept += 8 * len(value.values)
            strings += value.count if value.kind == "string" else 0
        if kept > _MAX_KEPT:
            raise cursor.wrong(f"the metadata is larger than the {_MAX_KEPT} bytes that make sense")
    return metadata


def _value(cursor: Cursor, key: str, strings_left: int) -> Value:
    kind = _kind(cursor, key)
    if kind == "array":
        return _array(cursor, key, strings_left)
    if kind == "string":
        return cursor.text(f"the text {key!r}", _MAX_TEXT)
    if key == "general.alignment" and kind != "u32":
        raise cursor.wrong("general.alignment is not a 32-bit unsigned number")
    return cursor.number(_FORMS[kind], f"the number {key!r}")


def _kind(cursor: Cursor, key: str) -> str:
    code = _U32.unpack(cursor.take(4, f"the type of {key!r}"))[0]
    if code not in _KINDS:
        raise cursor.wrong(f"{key!r} has the unknown type {code}")
    return _KINDS[code]


def _array(cursor: Cursor, key: str, strings_left: int) -> ArrayInfo:
    kind = _kind(cursor, key)
    if kind == "array":
        raise cursor.wrong(f"{key!r} is an array of arrays, which GGUF readers refuse")
    count = cursor.length(f"the length of {key!r}")
    size = 8 if kind == "string" else _FORMS[kind].size
    if count * size > cursor.left:
        raise cursor.wrong(f"{key!r} claims {count} elements, more than the file can hold: it is cut short")
    if kind == "string":
        if count > strings_left:
            raise cursor.wrong(f"{key!r} claims {count} texts, more than make sense")
        cursor.skip_texts(count, f"a text of {key!r}")
        return ArrayInfo(kind, count)
    if count > _MAX_VALUES:
        cursor.skip(count * size, f"the array {key!r}")
        return ArrayInfo(kind, count)
    raw = cursor.take(count * size, f"the array {key!r}")
    return ArrayInfo(kind, count, tuple(value for (value,) in _FORMS[kind].iter_unpack(raw)))


def _tensor(cursor: Cursor) -> TensorInfo:
    name = cursor.text("the name of a tensor", _MAX_NAME)
    dimensions = _U32.unpack(cursor.take(4, f"the dimensions of tensor {name!r}"))[0]
    if dimensions > _MAX_DIMENSIONS:
        raise cursor.wrong(f"tensor {name!r} has {dimensions} dimensions, more than {_MAX_DIMENSIONS}")
    shape = tuple(cursor.length(f"the shape of tensor {name!r}") for _ in range(dimensions))
    if not all(0 < length <= _INT64 for length in shape) or math.prod(shape) > _INT64:
        raise cursor.wrong(f"tensor {name!r} has the impossible shape {shape}")
    code = _U32.unpack(cursor.take(4, f"the type of tensor {name!r}"))[0]
    if code not in TENSOR_TYPES:
        raise cursor.wrong(
            f"tensor {name!r} has the unknown type {code}; the file may need a newer llama.cpp"
        )
    kind = TENSOR_TYPES[code]
    row = shape[0] if shape else 1
    if row % kind.block:
        raise cursor.wrong(
            f"tensor {name!r} has rows of {row}, which {kind.name} can't cut into {kind.block}s"
        )
    nbytes = math.prod(shape) // kind.block * kind.size
    return TensorInfo(name, shape, kind.name, cursor.length(f"the offset of tensor {name!r}"), nbytes)


def _check_places(tensors: tuple[TensorInfo, ...], alignment: int, room: int, cursor: Cursor) -> None:
    """Hold that the tensors lie one behind the other, as llama.cpp demands, and inside the file."""
    expected = 0
    names: set[str] = set()
    for tensor in tensors:
        if tensor.name in names:
            raise cursor.wrong(f"the tensor {tensor.name!r} comes twice")
        names.add(tensor.name)
        if tensor.offset != expected:
            raise cursor.wrong(f"tensor {tensor.name!r} is at offset {tensor.offset} instead of {expected}")
        end = tensor.offset + tensor.nbytes
        if end > room:
            raise cursor.wrong(
                f"the file is cut short: tensor {tensor.name!r} ends {end - room} bytes behind its end; "
                "fetch it again"
            )
        expected = -(-end // alignment) * alignment

"""What ggml can compute on, and what the native build is."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, Literal

from hunkwise.engine.llamacpp.native.library import libggml, llama

DeviceKind = Literal["cpu", "gpu", "integrated", "accelerator"]

_KINDS: Mapping[int, DeviceKind] = {0: "cpu", 1: "gpu", 2: "integrated", 3: "accelerator"}


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

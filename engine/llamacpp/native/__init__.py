"""llama.cpp and ggml, and nothing else: the only package that calls native code.

A wrong argument aborts the whole process (GGML_ASSERT), so everything is checked here before each call. Only
`Model.tokenize` may be called from several threads at once; one thread owns a `Context`. All token and position
arrays are int32.
"""

from hunkwise.engine.llamacpp.native import library
from hunkwise.engine.llamacpp.native.batch import Batch, Tokens
from hunkwise.engine.llamacpp.native.context import (
    MAX_SEQUENCES,
    Context,
    Row,
    Rows,
    State,
    log_probabilities,
)
from hunkwise.engine.llamacpp.native.devices import build, devices, system_info
from hunkwise.engine.llamacpp.native.model import Model
from hunkwise.engine.llamacpp.native.sampler import Sampler

__all__ = [
    "MAX_SEQUENCES",
    "Batch",
    "Context",
    "Model",
    "Row",
    "Rows",
    "Sampler",
    "State",
    "Tokens",
    "build",
    "devices",
    "library",
    "log_probabilities",
    "system_info",
]

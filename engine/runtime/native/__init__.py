"""llama.cpp and ggml, and nothing else: the only package that calls native code.

A wrong argument aborts the whole process (GGML_ASSERT), so everything is checked here before each call. Only
`Model.tokenize` may be called from several threads at once; one thread owns a `Context`. All token and position
arrays are int32.
"""

from hunkwise.engine.runtime.native import library  # first: it says what is missing
from hunkwise.engine.runtime.native.batch import Batch, Tokens
from hunkwise.engine.runtime.native.context import (
    MAX_SEQUENCES,
    Context,
    Row,
    Rows,
    State,
    log_probabilities,
)
from hunkwise.engine.runtime.native.devices import build, devices, system_info
from hunkwise.engine.runtime.native.model import Model
from hunkwise.engine.runtime.native.sampler import Sampler

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

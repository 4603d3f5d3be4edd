"""The one file that imports llama.cpp, through llama-cpp-python's ctypes layer, and keeps what it logs.

ctypes releases the GIL inside every call.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections import deque

from hunkwise.engine.errors import BrokenExtra, MissingExtra

# llama.cpp's threads meet at hundreds of barriers a token. libgomp spins there by default, which on a machine
# that has other work all but stops a step; it reads this when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import llama_cpp.llama_cpp as llama
    from llama_cpp._ggml import libggml
except ImportError as error:
    raise MissingExtra("llama-cpp-python", "local") from error
except (OSError, RuntimeError) as error:  # its shared library is not there, or does not load
    raise BrokenExtra("llama-cpp-python", "local", str(error)) from error

__all__ = ["forget_log", "libggml", "llama", "log_cause"]

_ERROR = 4  # GGML_LOG_LEVEL_ERROR in ggml.h; llama-cpp-python's own table has other numbers
# llama.cpp has one logger per process; its errors end in this ring, never on stdout or stderr.
_LOG: deque[str] = deque(maxlen=200)
_WHERE = re.compile(r"^(?:[\w.:~]+: |error loading model: )*")  # the C++ functions that speak


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, _user_data: object) -> None:
    if level == _ERROR:
        _LOG.append(text.decode("utf-8", "replace"))


@ctypes.CFUNCTYPE(None, ctypes.c_char_p)  # type: ignore[untyped-decorator]
def _aborting(message: bytes) -> None:
    """Say on stderr why the process ends, with the errors before it: a GPU's are logged and not in the message."""
    said = "".join(_LOG)[-2000:].encode()
    os.write(2, message + b"\n" + said)


llama.llama_log_set(_log, None)
libggml.ggml_set_abort_callback(_aborting)
llama.llama_backend_init()


def forget_log() -> None:
    """Forget what was logged: what comes now is about what is done next."""
    _LOG.clear()


def log_cause() -> str:
    """Return the first error that llama.cpp logged, which is the cause; later ones say what failed by it."""
    said = (_WHERE.sub("", line).strip() for line in "".join(_LOG).splitlines())
    return next(filter(None, said), "it gives no reason")[:500]

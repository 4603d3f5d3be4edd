"""What can go wrong in the engine; each message says what, where, and what to do next.

EngineError
├── MissingExtra           an optional package is not installed
│   └── BrokenExtra        it is installed, but does not load
├── ModelfileError         a Modelfile does not parse; carries line and column
├── InvalidName            a model name breaks the grammar of names
├── ModelError
│   ├── ModelNotFound      no source has the model
│   ├── DownloadFailed     a source broke off, or refused
│   ├── CorruptModel       the bytes are not what the digest or the GGUF header says
│   └── UnusableModel      it loads, and computes or writes nothing that can be used
├── StoreError             the store is locked, full or not writable
├── InvalidQuestion        an argument the engine refuses before it reaches native code
├── PromptTooLong          more tokens than the context holds; carries both counts
├── DoesNotFit             no plan fits the model into this machine's memory
├── PluginError            another package's format, forge or engine is broken
├── QueueFull              the bounded queue is full; carries when to try again
├── Cancelled              the caller took the question back
├── Closed                 the engine was closed before it was asked
├── DeadlineExceeded       the question's deadline passed first
├── Unreachable            a server can't be reached, or broke off
├── AccessDenied           a server wants a token, or another one
└── NativeFailure          the program that computes reported a failure, or its process died
    └── Interrupted        it died in the middle of a text; asked again, it may be written
"""

from __future__ import annotations


class EngineError(Exception):
    """Root of all errors of the engine. `str(error)` is one or two sentences for the user."""


class MissingExtra(EngineError):
    """An optional package is not installed; the message names the `pip install`."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'hunkwise[{extra}]'")
        self.package = package
        self.extra = extra


class BrokenExtra(MissingExtra):
    """An optional package is installed and of no use: its native library does not load, for `reason`."""

    def __init__(self, package: str, extra: str, reason: str) -> None:
        super().__init__(package, extra)
        what = f"{package} is installed, but its library does not load ({reason})"
        self.args = (f"{what}; run: pip install --force-reinstall --no-cache-dir {package}",)


class ModelfileError(EngineError):
    """A Modelfile does not parse; `str()` is `source:line:column: message`, line and column 1-based."""

    def __init__(self, message: str, *, source: str = "Modelfile", line: int = 1, column: int = 1) -> None:
        super().__init__(f"{source}:{line}:{column}: {message}")
        self.source = source
        self.line = line
        self.column = column


class InvalidName(EngineError):
    """A model name breaks the grammar `[host/][namespace/]model[:tag]`."""


class ModelError(EngineError):
    """A model can't be found, fetched or read."""


class ModelNotFound(ModelError):
    """No source that may be asked has the model."""


class DownloadFailed(ModelError):
    """A source refused, broke off, or sent something else than was asked for."""


class CorruptModel(ModelError):
    """The bytes contradict the digest or the GGUF format."""


class UnusableModel(ModelError):
    """A model is sound as a file and of no use: another kind of model, or one whose weights are damaged."""


class StoreError(EngineError):
    """The model store can't be read or written: locked, full, or without permission."""


class InvalidQuestion(EngineError):
    """An argument is refused before it reaches native code."""


class PromptTooLong(EngineError):
    """A bundle needs more tokens than the context holds. Nothing was run and nothing was cut."""

    def __init__(self, what: str, tokens: int, limit: int) -> None:
        super().__init__(
            f"{what} needs {tokens} tokens and the context holds {limit}; "
            "split the input or raise num_ctx in the Modelfile"
        )
        self.tokens = tokens
        self.limit = limit


class DoesNotFit(EngineError):
    """No plan fits the model into the memory that is free."""


class PluginError(EngineError):
    """What another package adds can't be loaded or fails; the message names the package."""


class QueueFull(EngineError):
    """The bounded queue is full. `retry_after` is in seconds."""

    def __init__(self, waiting: int, retry_after: float) -> None:
        super().__init__(f"the engine's queue is full ({waiting} waiting); try again in {retry_after:.1f} s")
        self.waiting = waiting
        self.retry_after = retry_after


class Cancelled(EngineError):
    """The caller took the bundle back before it was answered."""


class Closed(EngineError):
    """The engine was closed before it was asked."""


class DeadlineExceeded(EngineError):
    """The bundle's deadline passed before it was answered."""


class Unreachable(EngineError):
    """A server can't be reached, or broke off. Another one may answer."""


class AccessDenied(EngineError):
    """A server wants a token, or does not take the one it was given."""


class NativeFailure(EngineError):
    """The program that computes reported a failure, or the process that ran it died."""


class Interrupted(NativeFailure):
    """The process died in the middle of a text of which a part was told. Asked again, it may be written."""

"""What users write for a model: a name, a path to a GGUF file, or one to a Modelfile."""

from __future__ import annotations

from pathlib import Path

from hunkwise.engine.errors import ModelfileError, ModelNotFound
from hunkwise.engine.models.image import path_in
from hunkwise.engine.models.modelfile import modelfile
from hunkwise.engine.regular import read_regular

MODELFILE_LIMIT = 16 << 20  # bytes


def path_of(text: str) -> Path | None:
    """Tell a path from a name. Only what is written as one is: a file in the folder can't pose as a name."""
    if Path(text).name == "Modelfile" and "\0" not in text:
        return Path(text)
    return path_in(text, Path())


def read_modelfile(path: Path) -> modelfile.Modelfile:
    """Read and check a Modelfile. Raises ModelfileError, and ModelNotFound if it can't be read."""
    try:
        data = read_regular(path, MODELFILE_LIMIT + 1)
    except OSError as error:
        raise ModelNotFound(f"{path} can't be read: {error.strerror or error}") from error
    if len(data) > MODELFILE_LIMIT and not data.startswith(b"GGUF"):
        raise ModelfileError(f"this is no Modelfile; it has over {MODELFILE_LIMIT} bytes", source=str(path))
    parsed = modelfile.parse(data, str(path))
    parsed.check()
    return parsed

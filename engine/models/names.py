"""Names of models: `[scheme://][host/][namespace/]model[:tag]`, with Ollama's grammar and limits.

On Hugging Face (`hf.co/user/repository[:quantisation|:file.gguf]`) the parts follow its longer limits, and a
user's name may hold dots; Ollama's own parser (types/model/name.go) refuses those names.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field

from hunkwise.engine.errors import InvalidName

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
HUGGING_FACE_HOSTS = frozenset({"hf.co", "huggingface.co"})

_WORD = frozenset(string.ascii_letters + string.digits + "_")
_MORE = {"host": "-.:", "namespace": "-", "model": "-.", "tag": "-."}
_LIMITS = {"host": 350, "namespace": 80, "model": 80, "tag": 80}
# huggingface_hub's validate_repo_id: names up to 96; a tag may be a file name, so what file systems allow
_HUGGING_FACE_LIMITS = {"host": 350, "namespace": 96, "model": 96, "tag": 240}
_GRAMMAR = "a name is [host/][namespace/]model[:tag]"


@dataclass(frozen=True, slots=True)
class ModelName:
    """A whole name. Parts keep their case, are checked when made, and are never `.`, `..` or a path."""

    host: str
    namespace: str
    model: str
    tag: str
    scheme: str = field(default="https", compare=False)  # "http" only where the user wrote it

    def __post_init__(self) -> None:
        for kind in ("host", "namespace", "model", "tag"):
            _check(kind, getattr(self, kind), self.is_hugging_face)

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def is_hugging_face(self) -> bool:
        """True if the name is a repository of Hugging Face; its tag is a quantisation, a file or "latest"."""
        return self.host.lower() in HUGGING_FACE_HOSTS

    @property
    def folded(self) -> tuple[str, str, str, str]:
        """The parts in lower case: as Ollama, we take names that differ in case alone for the same."""
        return self.host.lower(), self.namespace.lower(), self.model.lower(), self.tag.lower()

    def short(self) -> str:
        """Return the name as Ollama lists it: without default host and namespace, always with its tag."""
        if self.host.lower() != DEFAULT_HOST:
            return str(self)
        if self.namespace.lower() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    def filepath(self) -> tuple[str, str, str, str]:
        """Return the folders and the file of the manifest, below `manifests/`; none leads out of it."""
        return self.host, self.namespace, self.model, self.tag


def parse_name(text: str) -> ModelName:
    """Read a name and fill in what is left out. Raises InvalidName, naming the part that is wrong."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "https", text
    elif scheme not in ("http", "https"):
        raise InvalidName(f"{_shown(text)}: the scheme may be http or https, not {_shown(scheme)}")
    if not rest:
        raise InvalidName(f"{_shown(text)}: the model is missing; {_GRAMMAR}")
    tag = DEFAULT_TAG
    if rest.rfind(":") > rest.rfind("/"):  # a colon before the last slash is the host's port
        rest, _, tag = rest.rpartition(":")
    parts = rest.split("/")
    if len(parts) > 3:
        raise InvalidName(f"{_shown(text)}: too many slashes; {_GRAMMAR}")
    if len(parts) == 2 and parts[0].lower() in HUGGING_FACE_HOSTS:
        raise InvalidName(f"{_shown(text)}: say whose repository it is: {parts[0]}/user/repository")
    host, namespace, model = [DEFAULT_HOST, DEFAULT_NAMESPACE][: 3 - len(parts)] + parts
    try:
        return ModelName(host, namespace, model, tag, scheme)
    except InvalidName as error:
        raise InvalidName(f"{_shown(text)}: {error}") from None


def _check(kind: str, part: str, hugging_face: bool) -> None:
    limit = (_HUGGING_FACE_LIMITS if hugging_face else _LIMITS)[kind]
    more = _MORE[kind] + ("." if hugging_face and kind == "namespace" else "")
    if not part:
        raise InvalidName(f"the {kind} is empty; {_GRAMMAR}")
    if len(part) > limit:
        raise InvalidName(f"the {kind} has {len(part)} characters; at most {limit} are allowed")
    if part[0] not in _WORD:
        raise InvalidName(f"the {kind} {_shown(part)} must begin with a letter, a digit or _")
    wrong = next((char for char in part if char not in _WORD and char not in more), None)
    if wrong is not None:
        allowed = ", ".join(["letters", "digits", "_", *more])
        raise InvalidName(f"the {kind} {_shown(part)} may not hold {wrong!r}; allowed are {allowed}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:100] + "…")

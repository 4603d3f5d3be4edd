"""The engine: models on this machine and answers from them. Knows no diff and no forge.

All that other packages may use is named here. Types and errors are imported at once; what needs numpy or
native code is imported when first touched (PEP 562), so that `--help` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hunkwise.engine import errors
from hunkwise.engine.plugins import Registry
from hunkwise.engine.port import (
    NO_CARD,
    Around,
    Capability,
    Engine,
    EngineCard,
    OnText,
    Served,
    Timed,
    Waiting,
    Weights,
    told,
)
from hunkwise.engine.regular import HANDED_ON, read_regular
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Embed,
    Embedding,
    Generate,
    Generated,
    Likely,
    ModelSpec,
    ParameterValue,
    Piece,
    Pooling,
    Question,
    Sampling,
    Score,
    Scored,
    Segment,
    Statistics,
    TokenScore,
    Usage,
    Written,
    total_usage,
)

if TYPE_CHECKING:
    from hunkwise.engine.around.cached import Cache, CachedEngine
    from hunkwise.engine.around.divided import Divided
    from hunkwise.engine.around.location import (
        TRUSTS,
        CachePlace,
        Caches,
        Trust,
        open_cache,
        open_caches,
        open_disk,
        open_redis,
    )
    from hunkwise.engine.around.pool import Pool
    from hunkwise.engine.http import protocol
    from hunkwise.engine.http.client import Access, is_here
    from hunkwise.engine.http.connect import check_address, connect, connect_all
    from hunkwise.engine.llamacpp.card import card_of
    from hunkwise.engine.llamacpp.decoding.scheduler import Limits
    from hunkwise.engine.llamacpp.goform import go_form
    from hunkwise.engine.llamacpp.local import open_isolated, open_local, open_pool, plan_for, survey
    from hunkwise.engine.llamacpp.native import build
    from hunkwise.engine.llamacpp.runner import LocalEngine, load
    from hunkwise.engine.llamacpp.sampling import sampling_of
    from hunkwise.engine.llamacpp.toolchat import tool_prompt
    from hunkwise.engine.models.catalog import default_model
    from hunkwise.engine.models.environment import library_from_environment
    from hunkwise.engine.models.gguf.header import GgufHeader
    from hunkwise.engine.models.gguf.marks import fim_spelling
    from hunkwise.engine.models.gguf.reader import read_header
    from hunkwise.engine.models.gguf.vocabulary import Vocabulary
    from hunkwise.engine.models.gotemplate.template import compile_template
    from hunkwise.engine.models.library import Library
    from hunkwise.engine.models.modelfile.composing import compose_modelfile
    from hunkwise.engine.models.modelfile.parameters import read_parameter
    from hunkwise.engine.models.names import ModelName, parse_name
    from hunkwise.engine.models.sources.base import Item, ModelSource, Offer, Wanted
    from hunkwise.engine.models.sources.fetch import download
    from hunkwise.engine.models.sources.file import copy_file
    from hunkwise.engine.models.sources.partial import human_bytes
    from hunkwise.engine.models.store.listing import Listed
    from hunkwise.engine.models.store.seals import unchanged
    from hunkwise.engine.planning.advice import Published, advise
    from hunkwise.engine.planning.fit import LoadOptions
    from hunkwise.engine.planning.hardware import Machine
    from hunkwise.engine.planning.plan import Plan
    from hunkwise.engine.questions import MOST_BIAS
    from hunkwise.engine.retry import RetryPolicy, retry_after, with_retries
    from hunkwise.engine.store.codec import BadEntry
    from hunkwise.engine.store.port import Counters, StoreSize
    from hunkwise.engine.testing import ScriptedEngine
    from hunkwise.engine.worker.isolation import IsolatedEngine

# public name -> module that defines it; loaded on first use, and known to type checkers by the imports above
_LAZY: dict[str, str] = {
    "load": "hunkwise.engine.llamacpp.runner",
    "Access": "hunkwise.engine.http.client",
    "check_address": "hunkwise.engine.http.connect",
    "is_here": "hunkwise.engine.http.client",
    "connect": "hunkwise.engine.http.connect",
    "connect_all": "hunkwise.engine.http.connect",
    "protocol": "hunkwise.engine.http",
    "BadEntry": "hunkwise.engine.store.codec",
    "Cache": "hunkwise.engine.around.cached",
    "CachedEngine": "hunkwise.engine.around.cached",
    "Divided": "hunkwise.engine.around.divided",
    "CachePlace": "hunkwise.engine.around.location",
    "Caches": "hunkwise.engine.around.location",
    "open_cache": "hunkwise.engine.around.location",
    "open_caches": "hunkwise.engine.around.location",
    "open_disk": "hunkwise.engine.around.location",
    "open_redis": "hunkwise.engine.around.location",
    "TRUSTS": "hunkwise.engine.around.location",
    "Trust": "hunkwise.engine.around.location",
    "StoreSize": "hunkwise.engine.store.port",
    "Counters": "hunkwise.engine.store.port",
    "Library": "hunkwise.engine.models.library",
    "default_model": "hunkwise.engine.models.catalog",
    "library_from_environment": "hunkwise.engine.models.environment",
    "Item": "hunkwise.engine.models.sources.base",
    "ModelSource": "hunkwise.engine.models.sources.base",
    "Offer": "hunkwise.engine.models.sources.base",
    "Wanted": "hunkwise.engine.models.sources.base",
    "download": "hunkwise.engine.models.sources.fetch",
    "copy_file": "hunkwise.engine.models.sources.file",
    "human_bytes": "hunkwise.engine.models.sources.partial",
    "build": "hunkwise.engine.llamacpp.native",
    "Machine": "hunkwise.engine.planning.hardware",
    "Plan": "hunkwise.engine.planning.plan",
    "LoadOptions": "hunkwise.engine.planning.fit",
    "Pool": "hunkwise.engine.around.pool",
    "IsolatedEngine": "hunkwise.engine.worker.isolation",
    "LocalEngine": "hunkwise.engine.llamacpp.runner",
    "Published": "hunkwise.engine.planning.advice",
    "advise": "hunkwise.engine.planning.advice",
    "open_isolated": "hunkwise.engine.llamacpp.local",
    "open_local": "hunkwise.engine.llamacpp.local",
    "open_pool": "hunkwise.engine.llamacpp.local",
    "plan_for": "hunkwise.engine.llamacpp.local",
    "survey": "hunkwise.engine.llamacpp.local",
    "MOST_BIAS": "hunkwise.engine.questions",
    "read_parameter": "hunkwise.engine.models.modelfile.parameters",
    "sampling_of": "hunkwise.engine.llamacpp.sampling",
    "RetryPolicy": "hunkwise.engine.retry",
    "retry_after": "hunkwise.engine.retry",
    "with_retries": "hunkwise.engine.retry",
    "read_header": "hunkwise.engine.models.gguf.reader",
    "card_of": "hunkwise.engine.llamacpp.card",
    "tool_prompt": "hunkwise.engine.llamacpp.toolchat",
    "compile_template": "hunkwise.engine.models.gotemplate.template",
    "compose_modelfile": "hunkwise.engine.models.modelfile.composing",
    "go_form": "hunkwise.engine.llamacpp.goform",
    "Limits": "hunkwise.engine.llamacpp.decoding.scheduler",
    "fim_spelling": "hunkwise.engine.models.gguf.marks",
    "Vocabulary": "hunkwise.engine.models.gguf.vocabulary",
    "ModelName": "hunkwise.engine.models.names",
    "parse_name": "hunkwise.engine.models.names",
    "Listed": "hunkwise.engine.models.store.listing",
    "unchanged": "hunkwise.engine.models.store.seals",
    "GgufHeader": "hunkwise.engine.models.gguf.header",
    "ScriptedEngine": "hunkwise.engine.testing",
}

__all__ = [
    "HANDED_ON",
    "MOST_BIAS",
    "NO_CARD",
    "TRUSTS",
    "Access",
    "Answer",
    "Around",
    "BadEntry",
    "Bundle",
    "BundleSize",
    "Cache",
    "CachePlace",
    "CachedEngine",
    "Caches",
    "Capability",
    "Choice",
    "Choose",
    "Counters",
    "Divided",
    "Embed",
    "Embedding",
    "Engine",
    "EngineCard",
    "Generate",
    "Generated",
    "GgufHeader",
    "IsolatedEngine",
    "Item",
    "Library",
    "Likely",
    "Limits",
    "Listed",
    "LoadOptions",
    "LocalEngine",
    "Machine",
    "ModelName",
    "ModelSource",
    "ModelSpec",
    "Offer",
    "OnText",
    "ParameterValue",
    "Piece",
    "Plan",
    "Pool",
    "Pooling",
    "Published",
    "Question",
    "Registry",
    "RetryPolicy",
    "Sampling",
    "Score",
    "Scored",
    "ScriptedEngine",
    "Segment",
    "Served",
    "Statistics",
    "StoreSize",
    "Timed",
    "TokenScore",
    "Trust",
    "Usage",
    "Vocabulary",
    "Waiting",
    "Wanted",
    "Weights",
    "Written",
    "advise",
    "build",
    "card_of",
    "check_address",
    "compile_template",
    "compose_modelfile",
    "connect",
    "connect_all",
    "copy_file",
    "default_model",
    "download",
    "errors",
    "fim_spelling",
    "go_form",
    "human_bytes",
    "is_here",
    "library_from_environment",
    "load",
    "open_cache",
    "open_caches",
    "open_disk",
    "open_isolated",
    "open_local",
    "open_pool",
    "open_redis",
    "parse_name",
    "plan_for",
    "protocol",
    "read_header",
    "read_parameter",
    "read_regular",
    "retry_after",
    "sampling_of",
    "survey",
    "told",
    "tool_prompt",
    "total_usage",
    "unchanged",
    "with_retries",
]


if not TYPE_CHECKING:  # else every misspelt name would pass as Any

    def __getattr__(name: str) -> object:
        if name in _LAZY:
            return getattr(import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

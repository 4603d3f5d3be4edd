"""The engine: models on this machine and answers from them. Knows no diff and no forge.

All that other packages may use is named here. Types and errors are imported at once; what needs numpy or
native code is imported when first touched (PEP 562), so that `--help` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hunkwise.engine import errors
from hunkwise.engine.regular import HANDED_ON, read_regular
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Engine,
    EngineCard,
    Generate,
    Generated,
    ModelSpec,
    Question,
    Sampling,
    Score,
    Scored,
    Segment,
    Statistics,
    Timed,
    TokenScore,
    Usage,
    total_usage,
)

# public name -> module that defines it; loaded on first use
_LAZY: dict[str, str] = {
    "load": "hunkwise.engine.llamacpp.runner",
    "BadEntry": "hunkwise.engine.store.codec",
    "Cache": "hunkwise.engine.around.cached",
    "CachedEngine": "hunkwise.engine.around.cached",
    "CachePlace": "hunkwise.engine.around.location",
    "open_cache": "hunkwise.engine.around.location",
    "open_disk": "hunkwise.engine.around.location",
    "open_redis": "hunkwise.engine.around.location",
    "TRUSTS": "hunkwise.engine.around.location",
    "Trust": "hunkwise.engine.around.location",
    "StoreSize": "hunkwise.engine.store.port",
    "Tally": "hunkwise.engine.store.port",
    "Library": "hunkwise.engine.models.library",
    "default_model": "hunkwise.engine.models.catalog",
    "library_from_environment": "hunkwise.engine.models.environment",
    "human_bytes": "hunkwise.engine.models.sources.partial",
    "build": "hunkwise.engine.llamacpp.native",
    "Machine": "hunkwise.engine.planning.hardware",
    "Plan": "hunkwise.engine.planning.plan",
    "Want": "hunkwise.engine.planning.fit",
    "Pool": "hunkwise.engine.around.pool",
    "LocalEngine": "hunkwise.engine.llamacpp.runner",
    "Published": "hunkwise.engine.planning.advice",
    "advise": "hunkwise.engine.planning.advice",
    "open_isolated": "hunkwise.engine.llamacpp.local",
    "open_local": "hunkwise.engine.llamacpp.local",
    "open_pool": "hunkwise.engine.llamacpp.local",
    "plan_for": "hunkwise.engine.llamacpp.local",
    "survey": "hunkwise.engine.llamacpp.local",
    "sampling_of": "hunkwise.engine.llamacpp.sampling",
    "read_header": "hunkwise.engine.models.gguf.reader",
    "card_of": "hunkwise.engine.llamacpp.card",
    "ScriptedEngine": "hunkwise.engine.testing",
}

__all__ = [
    "HANDED_ON",
    "Answer",
    "Bundle",
    "BundleSize",
    "Choice",
    "Choose",
    "Engine",
    "EngineCard",
    "Generate",
    "Generated",
    "ModelSpec",
    "Question",
    "Sampling",
    "Score",
    "Scored",
    "Segment",
    "Statistics",
    "Timed",
    "TokenScore",
    "Usage",
    "errors",
    "read_regular",
    "total_usage",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

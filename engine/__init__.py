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
    "load": "hunkwise.engine.runtime.runner",
    "BadEntry": "hunkwise.engine.cache.entry",
    "Cache": "hunkwise.engine.cache.cached",
    "CachedEngine": "hunkwise.engine.cache.cached",
    "CachePlace": "hunkwise.engine.cache.place",
    "open_cache": "hunkwise.engine.cache.place",
    "open_disk": "hunkwise.engine.cache.place",
    "open_redis": "hunkwise.engine.cache.place",
    "TRUSTS": "hunkwise.engine.cache.place",
    "Trust": "hunkwise.engine.cache.place",
    "StoreSize": "hunkwise.engine.cache.store",
    "Tally": "hunkwise.engine.cache.store",
    "Library": "hunkwise.engine.library.library",
    "default_model": "hunkwise.engine.library.catalog",
    "library_from_environment": "hunkwise.engine.library.environment",
    "human_bytes": "hunkwise.engine.library.partial",
    "build": "hunkwise.engine.runtime.native",
    "Machine": "hunkwise.engine.runtime.hardware",
    "Plan": "hunkwise.engine.runtime.plan",
    "Want": "hunkwise.engine.runtime.fit",
    "Pool": "hunkwise.engine.pool",
    "LocalEngine": "hunkwise.engine.runtime.runner",
    "Published": "hunkwise.engine.runtime.advice",
    "advise": "hunkwise.engine.runtime.advice",
    "open_isolated": "hunkwise.engine.local",
    "open_local": "hunkwise.engine.local",
    "open_pool": "hunkwise.engine.local",
    "plan_for": "hunkwise.engine.local",
    "survey": "hunkwise.engine.local",
    "sampling_of": "hunkwise.engine.runtime.sampling",
    "read_header": "hunkwise.engine.library.gguf",
    "card_of": "hunkwise.engine.runtime.card",
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

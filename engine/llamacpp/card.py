"""What a model will say of itself, known before it is loaded: so that cached answers need no load."""

from __future__ import annotations

import hashlib
import json

from hunkwise.engine.planning.plan import Plan
from hunkwise.engine.port import Capability, EngineCard, Weights
from hunkwise.engine.types import ModelSpec

_ABLE = tuple(Capability)
_EMBEDS = (Capability.EMBED, Capability.TOKENIZE, Capability.DETERMINISTIC)  # and no more


def card_of(spec: ModelSpec, plan: Plan, build: str) -> EngineCard:
    """Describe a model that is loaded, or is to be loaded, by a plan; `build` is that of llama.cpp."""
    settings: dict[str, str | int | float | bool] = {
        "n_seq": plan.n_seq,
        "n_gpu_layers": plan.n_gpu_layers,
        "kv_type": plan.kv_type,
        "flash_attention": plan.flash_attention,
        "n_ubatch": plan.n_ubatch,
        "n_outputs": plan.n_outputs,
        "n_threads": plan.n_threads,
        "modelfile": modelfile_digest(spec),
    }
    if plan.pooling is not None:
        settings["pooling"] = plan.pooling
    able = _ABLE if plan.pooling is None else _EMBEDS
    return EngineCard(spec.name, Weights(spec.digest), build, plan.n_ctx, settings, able, plan.parameters)


def modelfile_digest(spec: ModelSpec) -> str:
    """Digest all that a Modelfile says beside FROM and DRAFT, which changes the speed alone; 64 hex digits.

    Adapters count by the names of their files, which in a store are digests, by size and by scale.
    """
    said = {
        "adapters": [(path.name, path.stat().st_size, scale) for path, scale in spec.adapters],
        "template": spec.template,
        "system": spec.system,
        "parameters": spec.parameters,
        "messages": spec.messages,
    }
    text = json.dumps(said, sort_keys=True, default=dict)
    return hashlib.sha256(text.encode("ascii")).hexdigest()

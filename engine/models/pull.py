"""Bring a model into a store from the first source that has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from hunkwise.engine.errors import CorruptModel, DownloadFailed, ModelError, ModelNotFound
from hunkwise.engine.models.image import check_magic, describe
from hunkwise.engine.models.sources.base import Item, ModelSource, Offer, Wanted
from hunkwise.engine.models.store.manifest import CONFIG_TYPE, MODEL, Layer, Manifest
from hunkwise.engine.models.store.store import Store

# hears (phase, bytes done, bytes in all); a sentence to note comes with 0, 0
Progress = Callable[[str, int, int], None]


def quiet(phase: str, done: int, total: int) -> None:
    """Hear nothing of it."""


def pull(wanted: Wanted, sources: Sequence[ModelSource], stores: Sequence[Store], progress: Progress) -> None:
    """Put all of a model's blobs and its manifest into the first store, whose lock the caller holds.

    A blob that any of the stores holds is not fetched. Raises ModelNotFound if every source says so, else
    DownloadFailed; both name each source with its reason. StoreError ends it at once: no source helps there.
    """
    reasons: list[tuple[ModelSource, ModelError]] = []
    for source in sources:
        try:
            offer = source.offer(wanted)
            if offer is not None:
                _bring(wanted, offer, source, stores, progress)
                return
        except ModelError as error:
            reasons.append((source, error))
            progress(f"{source.label}: {error}", 0, 0)
    name = wanted.name.short()
    if not reasons:
        raise ModelNotFound(
            f"{name} is not on this machine, and none of the sources "
            f"({', '.join(source.label for source in sources) or 'none'}) carries such names"
        )
    listed = "".join(f"\n  {source.label}: {error}" for source, error in reasons)
    if all(isinstance(error, ModelNotFound) for _, error in reasons):
        raise ModelNotFound(f"no source has {name}:{listed}")
    raise DownloadFailed(f"{name} could not be fetched:{listed}")


def _bring(
    wanted: Wanted, offer: Offer, source: ModelSource, stores: Sequence[Store], progress: Progress
) -> None:
    store = stores[0]
    items = offer.items + ((offer.config,) if offer.config else ())
    total, done = sum(item.layer.size for item in items), 0
    phase = f"pulling {wanted.name.short()} from {source.label}"
    for item in items:
        if not any(each.holds(item.layer) for each in stores):
            _fetch(item, source, store, partial(_tell, progress, phase, total, done), progress)
        done += item.layer.size
    layers = tuple(item.layer for item in offer.items)
    store.add_manifest(wanted.name, Manifest(layers, _config(offer, stores)))


def _tell(progress: Progress, phase: str, total: int, before: int, done: int) -> None:
    progress(phase, before + done, total)


def _fetch(
    item: Item, source: ModelSource, store: Store, told: Callable[[int], None], progress: Progress
) -> None:
    target = store.partial(item.layer.digest)
    continued = target.exists()
    try:
        source.fetch(item, target, told)
    except CorruptModel as error:
        if not continued:
            raise
        progress(f"what an earlier run left was wrong ({error}); starting again", 0, 0)
        source.fetch(item, target, told)
    if item.layer.media_type == MODEL:
        check_magic(target)
    store.adopt(item.layer, target)


def _config(offer: Offer, stores: Sequence[Store]) -> Layer:
    """Keep the config of the source, or write what Ollama wants to read about a bare GGUF file."""
    if offer.config is not None:
        return offer.config.layer
    weights = next(item.layer for item in offer.items if item.layer.media_type == MODEL)
    path = next(store.blob(weights) for store in stores if store.holds(weights))
    layers = tuple(item.layer for item in offer.items)
    return stores[0].add_bytes(CONFIG_TYPE, describe(path, layers))

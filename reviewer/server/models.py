"""The loaded models of the server: names as clients write them, over the pool and the library of this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from hunkwise import engine
from hunkwise.engine import (
    IsolatedEngine,
    Library,
    LoadOptions,
    ModelName,
    ModelSpec,
    Plan,
    Pool,
    parse_name,
)
from hunkwise.engine.errors import ModelNotFound
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.inference.described import Described, Descriptions
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Lease, Models, Running

KEEP_ALIVE = 300.0  # seconds
WINDOW = 8192  # tokens that one request may take where nothing else is said
PARALLEL = 4  # requests that share a model's batches
_KEPT = 64  # models whose manifests are remembered
_LEAST = 1024  # tokens; contexts are powers of two from here, so that a changing num_ctx seldom reloads


def open_models(
    settings: Settings, environment: Environment, loads: Callable[[bool], None] = lambda worked: None
) -> Models:
    """Make the models that a server's settings ask for; nothing is loaded yet.

    `loads` hears of each load whether it worked.
    """
    library = engine.library_from_environment(environment.variables)
    estimates = Estimates(settings)
    return PoolModels(
        library,
        open_pool(estimates, environment, loads),
        placed=estimates.placed,
        window=settings.context_length or WINDOW,
        keep_alive=settings.keep_alive,
        patience=None if math.isinf(settings.load_timeout) else settings.load_timeout,
    )


class Estimates:
    """What models take, in bytes: beforehand by the machine without the others, and on devices once loaded.

    Each holds as many requests of the context that is asked for as the settings say.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.parallel = settings, settings.num_parallel or PARALLEL
        self._empty = engine.survey()
        self._known: dict[tuple[str, str, str, int], int] = {}  # each request asks, and headers are long
        self._placed: dict[tuple[str, str], Mapping[str, int]] = {}

    @property
    def room(self) -> int:
        """What all models together may take."""
        empty = self._empty
        return sum(device.free for device in empty.devices if not device.unified) + empty.memory_free

    def wanted(self, context: int) -> LoadOptions:
        """Say what a load asks for."""
        return self.settings.loaded_with(LoadOptions(n_ctx=context * self.parallel, least_ctx=context))

    def total(self, spec: ModelSpec, context: int) -> int:
        """Say what a load would take. Raises EngineError."""
        key = spec.name, spec.digest, repr(spec.parameters), context
        if key not in self._known:
            plan = engine.plan_for(_unbound(spec), self._empty, want=self.wanted(context))
            self._known[key] = plan.estimate["total"]
        return self._known[key]

    def place(self, spec: ModelSpec, plan: Plan) -> None:
        """Note how a model was loaded."""
        self._placed[spec.name, spec.digest] = plan.estimate

    def placed(self, spec: ModelSpec) -> Mapping[str, int]:
        """Say what a loaded model takes of what, as its plan estimated it; see `Plan.estimate`."""
        return self._placed.get((spec.name, spec.digest), {})


def open_pool(
    estimates: Estimates, environment: Environment, loads: Callable[[bool], None] = lambda worked: None
) -> Pool:
    """Make the pool of the server's models. Each has a process of its own, and takes no other along if it dies."""

    def load(spec: ModelSpec, context: int) -> IsolatedEngine:
        plan = engine.plan_for(_unbound(spec), engine.survey(), want=estimates.wanted(context))
        environ, say = environment.variables, environment.say
        try:
            opened = engine.open_isolated(
                spec, plan, environ=environ, say=say, side_by_side=estimates.parallel
            )
        except BaseException:
            loads(False)
            raise
        loads(True)
        estimates.place(spec, plan)
        return opened

    most = estimates.settings.max_loaded_models or None
    return Pool(load, estimates.total, budget=estimates.room, most=most)


def _unbound(spec: ModelSpec) -> ModelSpec:
    """Take away the num_ctx of a Modelfile: it bounds one request, and the context holds several."""
    return replace(spec, parameters={k: v for k, v in spec.parameters.items() if k != "num_ctx"})


class PoolModels:
    """`Models` over a pool, with what the endpoints tell of models that are not loaded. Thread-safe."""

    def __init__(
        self,
        library: Library,
        pool: Pool,
        *,
        window: int = WINDOW,
        keep_alive: float = KEEP_ALIVE,
        patience: float | None = None,
        placed: Callable[[ModelSpec], Mapping[str, int]] = lambda spec: {},
    ) -> None:
        self._placed = placed
        self._library, self._patience = library, patience  # seconds to wait until others make room
        self._pool, self._window, self._keep_alive = pool, window, keep_alive
        self._descriptions = Descriptions()
        self._resolved: dict[ModelName, tuple[tuple[float, ...], ModelSpec]] = {}

    @property
    def library(self) -> Library:
        """The models on this machine, loaded or not."""
        return self._library

    def resolve(self, name: str) -> ModelSpec:
        """Find a model that is here, by its name and never by a path. Raises InvalidName, ModelNotFound."""
        spelled = self.spelled(name)
        written = tuple(store.modified(spelled) for store in self.library.stores)
        known = self._resolved.get(spelled)
        if known and known[0] == written and engine.unchanged(known[1].seals):
            return known[1]  # each request asks, and manifests take longer to read than all else of it
        spec = self.library.find(str(spelled))
        if len(self._resolved) >= _KEPT:
            self._resolved.clear()
        self._resolved[spelled] = written, spec
        return spec

    def spelled(self, name: str) -> ModelName:
        """Read a name as the store that has it spells it, in any case. Raises InvalidName, ModelNotFound."""
        parsed = parse_name(name)
        if str(parsed).lower().endswith(".gguf"):
            raise ModelNotFound(f"model '{name}' not found")  # the library would take it for a file
        stores = self.library.stores
        if any(store.has(parsed) for store in stores):
            return parsed
        held = (each for store in stores for each in store.names())
        return next((each for each in held if each.folded == parsed.folded), parsed)

    def describe(self, spec: ModelSpec) -> Described:
        """Say what a model can do, without loading it. Raises ModelError."""
        return self._descriptions.of(spec)

    def window(self, spec: ModelSpec, wanted: int | None = None) -> int:
        """Say how many tokens a request may take that asks for `wanted`, or for nothing."""
        own = spec.parameters.get("num_ctx")
        asked = wanted or (own if isinstance(own, int) else self._window)
        return min(asked, self.describe(spec).header.context_length)

    @contextmanager
    def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> Iterator[Lease]:
        """Lend a model, loading it first if need be; see `Models.lease`."""
        stays = self._keep_alive if keep_alive is None else keep_alive
        spec = model if isinstance(model, ModelSpec) else self.resolve(model)
        tokens = _LEAST
        while tokens < max(context, self.window(spec)):
            tokens *= 2
        tokens = min(tokens, self.describe(spec).header.context_length)
        with self._pool.lease(spec, tokens, self._patience, keep_alive=stays) as opened:
            yield Lease(spec, opened)

    def loaded(self) -> tuple[str, ...]:
        """Name the models in memory."""
        return self._pool.loaded()

    def running(self) -> tuple[Running, ...]:
        """Describe the models in memory."""
        now = time.time()
        return tuple(
            Running(each.spec, each.cost, self._placed(each.spec), each.context, now + each.expires_in)
            for each in self._pool.residents()
            if not each.loading
        )

    def close(self) -> None:
        """Unload all of them."""
        self._pool.close()

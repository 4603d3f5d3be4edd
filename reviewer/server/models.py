"""The loaded models of the server: names as clients write them, over the pool and the library of this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from hunkwise import engine
from hunkwise.engine import (
    Library,
    Limits,
    LoadOptions,
    LocalEngine,
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
_LEAST = 1024  # tokens; contexts are powers of two from here, so that a changing num_ctx seldom reloads


def open_models(settings: Settings, environment: Environment) -> Models:
    """Make the models that a server's settings ask for; nothing is loaded yet."""
    library = engine.library_from_environment(environment.variables)
    return PoolModels(
        library,
        open_pool(settings, environment.say),
        window=settings.context_length or WINDOW,
        keep_alive=settings.keep_alive,
        patience=None if math.isinf(settings.load_timeout) else settings.load_timeout,
    )


def open_pool(settings: Settings, say: Callable[[str], None]) -> Pool:
    """Make a pool whose models each hold as many requests of the context that is asked for as the settings say."""
    parallel = settings.num_parallel or PARALLEL
    empty = engine.survey()  # what a model costs is judged by the machine without the others
    room = sum(device.free for device in empty.devices if not device.unified) + empty.memory_free

    def wanting(context: int) -> LoadOptions:
        return settings.loaded_with(LoadOptions(n_ctx=context * parallel, least_ctx=context))

    def load_one(spec: ModelSpec, plan: Plan) -> LocalEngine:
        return engine.load(spec, plan, Limits(side_by_side=parallel))

    def load(spec: ModelSpec, context: int) -> LocalEngine:
        plan = engine.plan_for(_unbound(spec), engine.survey(), want=wanting(context))
        return engine.open_local(spec, plan, say=say, load=load_one)

    known: dict[tuple[str, str, str, int], int] = {}  # each request asks, and the headers of files are long

    def cost(spec: ModelSpec, context: int) -> int:
        key = spec.name, spec.digest, repr(spec.parameters), context
        if key not in known:
            known[key] = engine.plan_for(_unbound(spec), empty, want=wanting(context)).estimate["total"]
        return known[key]

    return Pool(load, cost, budget=room, most=settings.max_loaded_models or None)


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
    ) -> None:
        self._library, self._patience = library, patience  # seconds to wait until others make room
        self._pool, self._window, self._keep_alive = pool, window, keep_alive
        self._descriptions = Descriptions()

    @property
    def library(self) -> Library:
        """The models on this machine, loaded or not."""
        return self._library

    def resolve(self, name: str) -> ModelSpec:
        """Find a model that is here, by its name and never by a path. Raises InvalidName, ModelNotFound."""
        return self.library.find(str(self.spelled(name)))

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
    def lease(self, name: str, *, context: int = 0, keep_alive: float | None = None) -> Iterator[Lease]:
        """Lend a model, loading it first if need be; see `Models.lease`."""
        stays = self._keep_alive if keep_alive is None else keep_alive
        spec = self.resolve(name)
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
            Running(each.spec, each.cost, 0, each.context, now + each.expires_in)
            for each in self._pool.residents()
            if not each.loading
        )

    def close(self) -> None:
        """Unload all of them."""
        self._pool.close()

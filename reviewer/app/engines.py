"""Opening the engine that the configuration names: find or fetch the model, and load it when it is first asked.

Between the reviewer and the model stands the cache of answers, so a change that was reviewed before needs no
model in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from hunkwise import engine
from hunkwise.engine import Around, Capability, Engine, EngineCard, ModelSpec, Registry, Timed, errors
from hunkwise.engine.errors import InvalidName, InvalidQuestion
from hunkwise.reviewer.app.cache import cache_from_environment, place_from_environment, warn_of_foreign
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.meters import Unasked
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.config.settings import Config

if TYPE_CHECKING:
    from hunkwise.engine import Cache, IsolatedEngine, LocalEngine


OpenEngine = Callable[[Config, Environment, Progress], Engine]
"""Opens the engine that a configuration names. It is called only where something is to be asked.

Raises EngineError. The engine is closed after the review.
"""

LLAMACPP = "llamacpp"
ENGINES: Registry[OpenEngine] = Registry(
    "hunkwise.engines", "engine", {LLAMACPP: "hunkwise.reviewer.app.engines:open_llamacpp"}
)


def open_engine(config: Config, environment: Environment, progress: Progress) -> Engine:
    """Open what the setting `model` names: `NAME://…` an engine of `ENGINES`, all else a model for llama.cpp.

    An engine gets as its model what follows `NAME://`. Raises EngineError.
    """
    if config.engine:
        return _with_writer(open_remote(config, environment, progress), config, environment)
    name, model = engine_and_model(config.model)
    opened = ENGINES.load(name)(replace(config, model=model), environment, progress)
    return _with_writer(opened, config, environment) if config.writer else opened


def open_remote(config: Config, environment: Environment, progress: Progress) -> Engine:
    """Connect to the servers that the setting `engine` names, behind the cache where answers are always the same.

    The model is the one that was asked for, or else the only one that they have. Raises EngineError.
    """
    progress(f"connecting to {', '.join(config.engine)}")
    named = config.model if "model" in config.origins else ""
    remote = _connected(config.engine, named, config, environment)
    card = remote.card()
    opened = Opened(remote)
    opened.resources.callback(remote.close)
    if config.remember and Capability.DETERMINISTIC in card.capabilities:
        opened.put_cache(environment, card, lambda: remote)
    return opened


def check_remote(config: Config, environment: Environment) -> None:
    """Check the servers that the configuration names, without asking them. Raises EngineError."""
    for url in (*config.engine, *config.writer):
        engine.check_address(url, access_of(environment))


def _connected(urls: tuple[str, ...], model: str, config: Config, environment: Environment) -> Engine:
    if config.offline and (elsewhere := [url for url in urls if not engine.is_here(url)]):
        raise InvalidQuestion(
            f"--offline uses no network, and {elsewhere[0]} is on one; leave one of them out"
        )
    return engine.connect_all(urls, model, access=access_of(environment), say=environment.say)


def access_of(environment: Environment) -> engine.Access:
    """Say with what servers are asked."""
    variables = environment.variables
    return engine.Access(variables.get("HUNKWISE_ENGINE_TOKEN", ""), variables.get("HUNKWISE_ENGINE_CA", ""))


def _with_writer(scorer: Engine, config: Config, environment: Environment) -> Engine:
    """Have remarks written by the servers that the setting `writer` names, with the only model they have."""
    if not config.writer:
        return scorer
    try:
        return engine.Divided(scorer, _connected(config.writer, "", config, environment))
    except BaseException:
        scorer.close()
        raise


def engine_and_model(text: str) -> tuple[str, str]:
    """Take the setting `model` apart. Raises InvalidName if there is no such engine."""
    name, mark, model = text.partition("://")
    if not mark or name in ("http", "https"):
        return LLAMACPP, text
    if name not in ENGINES:
        raise InvalidName(f"{text}: no engine {name!r}; engines are {', '.join(ENGINES)}")
    return name, model


def listens(config: Config, environ: Mapping[str, str]) -> bool:
    """Tell, without opening or fetching a model, whether it is asked in words about new code too.

    Of an engine on a server, or that another package adds, only the setting `asked` tells. Raises ConfigError
    for a table of competences that can't be read.
    """
    from hunkwise.reviewer.judge.asked.panel import of_model

    if config.asked != "auto" or config.engine or engine_and_model(config.model)[0] != LLAMACPP:
        return config.asked == "on"
    try:
        # shown, and not found: whoever finds a model hashes it, and throws away one that was tampered with
        spec = engine.library_from_environment(environ, offline=True).show(config.model).spec
        parameters = sum(engine.read_header(part).parameters for part in spec.weights)
    except errors.EngineError:
        return False  # not here yet
    return of_model(spec.digest, parameters, config).hears


def open_llamacpp(config: Config, environment: Environment, progress: Progress) -> OpenedModel:
    """Find the model of the configuration, fetching it first if it is not here. Raises EngineError."""
    build = engine.build()  # fails without llama-cpp-python, before anything is downloaded
    library = engine.library_from_environment(environment.variables, offline=config.offline)
    spec = library.ensure(config.model, progress)
    return OpenedModel(config, environment, spec, build, progress)


class Opened(Around):
    """An engine with what it holds: perhaps the cache of answers, which keeps judged hunks too."""

    def __init__(self, inner: Engine | None = None) -> None:
        super().__init__(inner or Unasked())
        self.resources = ExitStack()
        self.memory: Cache | None = None

    @property
    def decode_seconds(self) -> float | None:
        """Seconds that passed inside llama_decode; None where that was not here."""
        return None

    def put_cache(self, environment: Environment, card: EngineCard, load: Callable[[], Engine]) -> None:
        """Put the cache of answers before an engine that is loaded when it is asked."""
        variables = environment.variables
        warn_of_foreign(variables, environment.say)
        here = environment.folder
        place = str(repository_root(here) or here)
        self.memory = self.resources.enter_context(cache_from_environment(variables, place))
        self.inner = engine.CachedEngine(load, card, self.memory)

    def close(self) -> None:
        """Close the cache, and the engine if it was opened."""
        super().close()
        self.resources.close()


class OpenedModel(Opened):
    """A model behind the cache of answers."""

    def __init__(
        self, config: Config, environment: Environment, spec: ModelSpec, build: str, progress: Progress
    ) -> None:
        self._config, self._environment, self._spec, self._progress = config, environment, spec, progress
        self._plan = engine.plan_for(spec, engine.survey())  # once: the card and the load must agree
        self._timed: Timed | None = None
        super().__init__()
        if config.remember:
            self.put_cache(environment, engine.card_of(spec, self._plan, build), self._load)
        else:
            self.inner = self._load()

    def _load(self) -> Engine:
        self._progress(f"loading {self._spec.name}")
        # long guidelines begin a prompt of every review that remarks on something: benchmarks/prefixes.py
        say = self._environment.say
        prefixes = (
            place_from_environment(self._environment.variables).prefixes if self._config.remember else None
        )
        if self._config.isolate:
            environ = self._environment.variables
            return self._entered(
                engine.open_isolated(self._spec, self._plan, environ=environ, say=say, prefixes=prefixes)
            )
        return self._entered(engine.open_local(self._spec, self._plan, say=say, prefixes=prefixes))

    def _entered(self, opened: LocalEngine | IsolatedEngine) -> Engine:
        self._timed = opened
        self.resources.enter_context(opened)
        return opened

    @property
    def decode_seconds(self) -> float | None:
        """Seconds that passed inside llama_decode; None where the model was not loaded."""
        return self._timed.statistics().decode_seconds if self._timed is not None else None

"""Open a model on this machine: look at the machine, plan the load, load, and load smaller if memory ran out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hunkwise.engine.around.pool import KEEP_ALIVE, Pool
from hunkwise.engine.errors import CorruptModel, DoesNotFit, EngineError, MissingExtra, NativeFailure
from hunkwise.engine.models.gguf.reader import read_header
from hunkwise.engine.models.store.seals import check_seals
from hunkwise.engine.planning.fit import LoadOptions, make_plan, smaller
from hunkwise.engine.planning.hardware import Machine, detect
from hunkwise.engine.planning.plan import Plan
from hunkwise.engine.planning.shape import ModelShape, shape_of
from hunkwise.engine.types import ModelSpec
from hunkwise.engine.worker.isolation import IsolatedEngine
from hunkwise.engine.worker.wire import pack, unpack

if TYPE_CHECKING:
    from hunkwise.engine.llamacpp.runner import LocalEngine

# as ggml's allocators and CUDA, Metal and Vulkan say it in llama.cpp's log
_OUT_OF_MEMORY = re.compile(
    r"out of memory|(?:failed|unable) to allocate|OutOfDeviceMemory|bad_alloc", re.IGNORECASE
)

Load = Callable[[ModelSpec, Plan], "LocalEngine"]


def survey() -> Machine:
    """Look at this machine; without llama-cpp-python no device but the CPU is known."""
    try:
        from hunkwise.engine.llamacpp.native import devices
    except MissingExtra:
        return detect()
    return detect(devices())


def shape_in(spec: ModelSpec) -> ModelShape:
    """Read the shape of a model with its adapters from their files. Raises ModelError."""
    # llama.cpp puts an adapter's tensors beside those they change, whose names they bear (llama-adapter.cpp)
    files = (*spec.weights, *(path for path, _ in spec.adapters))
    return shape_of([read_header(path) for path in files])


def plan_for(spec: ModelSpec, machine: Machine, *, want: LoadOptions | None = None) -> Plan:
    """Plan the load of a model, as its Modelfile's parameters wish. Raises ModelError or DoesNotFit."""
    return make_plan(shape_in(spec), machine, spec.parameters, want=want)


def load_in_process(
    spec: ModelSpec, plan: Plan, *, prefixes: Path | None = None, side_by_side: int = 1
) -> LocalEngine:
    """Load into this process; see `runner.load`."""
    from hunkwise.engine.llamacpp import runner
    from hunkwise.engine.llamacpp.decoding.scheduler import Limits

    return runner.load(spec, plan, Limits(side_by_side=side_by_side), prefixes=prefixes)


def open_local(
    spec: ModelSpec,
    plan: Plan | None = None,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    load: Load | None = None,
    steps: int = 0,
    prefixes: Path | None = None,
) -> LocalEngine:
    """Load a model by a plan, and by the next smaller one each time memory runs out; `say` hears what is given up.

    Without a plan, one is made for what is free now. Who has made one hands it on: a second look may see less.
    `prefixes` is a folder for prefixes that the next process begins with too; None keeps none. `steps` is how
    many plans to skip, because a process was killed for its memory before.

    Raises MissingExtra, ModelError, DoesNotFit or NativeFailure; CorruptModel where a file changed since it was
    hashed.
    """
    check_seals(spec.seals)
    trying: Plan | None = plan or plan_for(spec, survey())
    if spec.draft is not None:
        say(
            f"{spec.name} is used without its DRAFT model: guessing ahead cost more than it saved when measured"
        )
    failed: EngineError = NativeFailure("the process was killed")
    for _ in range(steps):
        trying = trying and smaller(trying, shape_in(spec), survey())
    said = 0
    while trying is not None:
        for sentence in trying.notes[said:]:
            say(sentence)
        said = len(trying.notes)
        try:
            return _load(spec, trying, load or partial(load_in_process, prefixes=prefixes))
        except (CorruptModel, NativeFailure) as error:
            if not _OUT_OF_MEMORY.search(str(error)):
                raise
            failed, trying = error, smaller(trying, shape_in(spec), survey())
    raise DoesNotFit(f"memory ran out while loading {spec.name}, even at the smallest plan: {failed}")


def _load(spec: ModelSpec, plan: Plan, load: Load) -> LocalEngine:
    """Load, and make sure that it was the sealed files that were opened."""
    engine = load(spec, plan)
    try:
        check_seals(spec.seals)
    except CorruptModel:
        engine.close()
        raise
    return engine


def open_isolated(
    spec: ModelSpec,
    plan: Plan | None = None,
    *,
    environ: Mapping[str, str],
    say: Callable[[str], None] = lambda sentence: None,
    prefixes: Path | None = None,
    side_by_side: int = 1,
) -> IsolatedEngine:
    """Open a model in a process of its own, which gets of `environ` what it needs. See `open_local`.

    `side_by_side` is how many bundles share its batches.
    """
    options = {
        "plan": pack(plan),
        "prefixes": str(prefixes.absolute()) if prefixes else None,
        "side_by_side": side_by_side,
    }
    return IsolatedEngine(spec, f"{__name__}:open_in_child", environ=environ, options=options, say=say)


def open_in_child(spec: ModelSpec, options: Mapping[str, Any], say: Callable[[str], None]) -> LocalEngine:
    """Open a model here, in the child; each time the child before was killed, by a smaller plan."""
    prefixes = Path(options["prefixes"]) if options["prefixes"] else None
    load = partial(load_in_process, prefixes=prefixes, side_by_side=options["side_by_side"])
    return open_local(spec, unpack(options["plan"]), say=say, steps=options["kills"], load=load)


def open_pool(
    *,
    budget: int | None = None,
    keep_alive: float | None = KEEP_ALIVE,
    say: Callable[[str], None] = lambda sentence: None,
) -> Pool:
    """Make a pool of models that share this machine's memory, or `budget` bytes of it. Loads nothing yet."""
    empty = survey()  # what a model costs is judged by the machine without the others
    room = sum(device.free for device in empty.devices if not device.unified) + empty.memory_free

    def load(spec: ModelSpec, context: int) -> LocalEngine:
        return open_local(spec, plan_for(spec, survey(), want=_wanting(context)), say=say)

    def cost(spec: ModelSpec, context: int) -> int:
        return plan_for(spec, empty, want=_wanting(context)).estimate["total"]

    return Pool(load, cost, budget=room if budget is None else budget, keep_alive=keep_alive)


def _wanting(context: int) -> LoadOptions:
    return LoadOptions(n_ctx=context, least_ctx=context) if context else LoadOptions()

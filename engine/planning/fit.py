"""Fit a model into a machine: the best plan for the memory that is free, and the next smaller one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from hunkwise.engine.errors import DoesNotFit
from hunkwise.engine.planning.hardware import Machine
from hunkwise.engine.planning.plan import KvType, Plan, describe, estimate_of, on_device, resized
from hunkwise.engine.planning.shape import ModelShape
from hunkwise.engine.types import ParameterValue

_KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0")  # q4_0 costs too much accuracy to be chosen unasked
_LEAST_CONTEXT = 1024
_LEAST_LANES = 4
_WHOLE_CONTEXT = 2048  # of models that read a text in one batch, which costs memory by its square
_MiB = 1 << 20


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a caller would like to have; memory decides how much of it there is."""

    n_ctx: int = 8192  # tokens
    least_ctx: int = 4096  # the longest request; below it only if nothing else fits
    n_seq: int = 16
    reserve: int | None = None  # bytes left alone on the host and each device; None: see `reserve_of`
    overhead: int = 0  # bytes of each device left to others beyond that
    kv_type: KvType | None = None  # None: as memory decides
    flash_attention: bool = True

    @property
    def kv_types(self) -> tuple[KvType, ...]:
        """List what the cache may be made of; llama.cpp quantises it with flash attention alone."""
        if self.kv_type:
            return (self.kv_type,)
        return _KV_TYPES if self.flash_attention else _KV_TYPES[:1]


def reserve_of(total: int, want: LoadOptions) -> int:
    """Bytes to leave alone in a memory of `total` bytes: 512 MiB or 5 %, whichever is more."""
    return max(512 * _MiB, total // 20) if want.reserve is None else want.reserve


def make_plan(
    shape: ModelShape,
    machine: Machine,
    parameters: Mapping[str, ParameterValue] | None = None,
    *,
    want: LoadOptions | None = None,
) -> Plan:
    """Find the best plan that fits the memory that is free now, less the reserve.

    Given up first to last: lanes, KV in f16, context, layers on devices; so more memory never gives less.
    The Modelfile's num_ctx, num_gpu, main_gpu, num_batch, num_thread and use_mmap (`parameters`) override.
    Raises DoesNotFit, with the counts, when nothing fits.
    """
    wish = want or LoadOptions()
    asked = _asked(parameters or {})
    fit = _Fit(shape, machine, wish, asked)
    base, rungs, kv_types = _fixed(fit), _rungs(fit), wish.kv_types
    if kv_types[0] != "f16" and not wish.flash_attention:
        raise DoesNotFit(f"a KV cache in {kv_types[0]} needs flash attention; allow it, or ask for f16")
    for contexts, lanes in rungs:
        smallest = resized(base, contexts[-1], lanes[-1], kv_types[-1])
        for layers in _offloads(fit):
            if _placed(smallest, layers, fit) is None:
                continue
            for n_ctx, kv_type, n_seq in product(contexts, kv_types, lanes):
                tried = resized(base, n_ctx, n_seq, kv_type)
                placed = _placed(tried, layers, fit)
                if placed is not None:
                    return replace(placed, notes=(*placed.notes, *_given_up(placed, rungs[0][0][0], fit)))
    raise DoesNotFit(_shortage(smallest, fit))


def smaller(plan: Plan, shape: ModelShape, machine: Machine) -> Plan | None:
    """Return the next smaller plan, for when memory ran out although the estimate said otherwise.

    Each step frees a good share: KV to q8_0 and half the lanes, then half the context down to 4096, then a
    quarter of the offloaded layers at a time, then half the context again. None: nothing is left to give up.
    """
    if plan.kv_type == "f16" and plan.flash_attention:
        lanes = max(1, plan.n_seq // 2)
        step = resized(plan, plan.n_ctx, lanes, "q8_0")
    elif plan.n_ctx > (4096 if plan.n_gpu_layers else _LEAST_CONTEXT):
        step = resized(plan, max(_LEAST_CONTEXT, plan.n_ctx // 2), plan.n_seq, plan.kv_type)
    elif plan.n_gpu_layers:
        shares = tuple(float(int(count) * 3 // 4) for count in plan.tensor_split)
        layers = int(sum(shares)) if shares else plan.n_gpu_layers * 3 // 4
        step = replace(plan, n_gpu_layers=layers, tensor_split=shares)
    else:
        return None
    note = f"out of memory; trying {describe(step)}"
    return replace(step, estimate=estimate_of(step, shape, machine), notes=(*plan.notes, note))


class _Asked(NamedTuple):
    """The load-time parameters of a Modelfile; None where it leaves the choice to us."""

    num_ctx: int | None
    num_gpu: int | None
    main_gpu: int | None
    num_batch: int | None
    num_thread: int | None
    use_mmap: bool | None


class _Fit(NamedTuple):
    """What stays the same during one search."""

    shape: ModelShape
    machine: Machine
    want: LoadOptions
    asked: _Asked

    @property
    def host(self) -> int:
        """Bytes we may take in host memory."""
        return self.machine.memory_free - reserve_of(self.machine.memory_total, self.want)

    @property
    def devices(self) -> tuple[int, ...]:
        """Bytes we may take on each device."""
        devices, left = self.machine.devices, self.want.overhead
        return tuple(max(0, device.free - reserve_of(device.total, self.want) - left) for device in devices)


def _asked(parameters: Mapping[str, ParameterValue]) -> _Asked:
    """Pick out what concerns a load. Ollama's "choose for me" (0, or -1 for num_gpu) becomes None."""

    def number(name: str, least: int) -> int | None:
        value = parameters.get(name)
        return value if type(value) is int and value >= least else None

    mmap = parameters.get("use_mmap")
    return _Asked(
        number("num_ctx", 1),
        number("num_gpu", 0),
        number("main_gpu", 0),
        number("num_batch", 1),
        number("num_thread", 1),
        mmap if isinstance(mmap, bool) else None,
    )


def _fixed(fit: _Fit) -> Plan:
    """Settle what memory does not decide."""
    machine, asked = fit.machine, fit.asked
    if asked.main_gpu and asked.main_gpu >= len(machine.devices):
        raise DoesNotFit(
            f"main_gpu is {asked.main_gpu}, counted from 0, and there are {len(machine.devices)} GPUs; "
            "change PARAMETER main_gpu in the Modelfile"
        )
    batch = asked.num_batch or 512
    # A repacked copy beside mapped weights holds them twice (measured with the 1.5B: 600 MB more, seconds more
    # to load), and on AVX2 nothing is won: prompts come a tenth slower, steps of 8 lanes a tenth faster. Arm
    # has kernels that need it (ggml-cpu/repack.cpp). So has AMX (amx.cpp), but built by GCC 12 they end in
    # SIGSEGV: its _tile_loadconfig tells the compiler of 8 of the 64 bytes that it reads, so the rest is never
    # written.
    repack = asked.use_mmap is None and not machine.devices and "neon" in machine.cpu.features
    notes = []
    if asked.num_gpu and not machine.devices:
        notes.append(f"num_gpu {asked.num_gpu} has no effect: there is no GPU that this build can use")
    if asked.num_ctx and asked.num_ctx > fit.shape.trained_context:
        notes.append(
            f"num_ctx {asked.num_ctx} is cut to the {fit.shape.trained_context} the model was trained for"
        )
    return Plan(
        n_ctx=0,
        n_seq=0,
        n_batch=batch,
        n_ubatch=batch,
        n_threads=asked.num_thread or machine.threads,
        main_gpu=asked.main_gpu or 0,
        use_mmap=not repack if asked.use_mmap is None else asked.use_mmap,
        repack=repack,
        pooling=fit.shape.pooling,
        causal=fit.shape.causal,
        parameters=fit.shape.parameters,
        flash_attention=fit.want.flash_attention,
        notes=tuple(notes),
    )


def _halved(most: int, least: int) -> tuple[int, ...]:
    """Halve `most` for as long as it stays at or above `least`, which is the last."""
    found = [most]
    while found[-1] // 2 > least:
        found.append(found[-1] // 2)
    return tuple(found) if most <= least else (*found, least)


def _rungs(fit: _Fit) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """List contexts with lanes, largest first: what serves a review well, and then what just runs."""
    want, trained, asked = fit.want, fit.shape.trained_context, fit.asked.num_ctx
    few, least = _halved(want.n_seq, min(_LEAST_LANES, want.n_seq)), _halved(want.n_seq, 1)
    if asked:
        contexts = (min(asked, trained),)
        return ((contexts, few), (contexts, least))
    top = min(want.n_ctx, trained if fit.shape.causal else min(trained, _WHOLE_CONTEXT))
    floor = min(want.least_ctx, top)
    return ((_halved(top, floor), few), (_halved(floor, min(_LEAST_CONTEXT, floor)), least))


def _offloads(fit: _Fit) -> Iterator[int]:
    """Yield how many layers to try on the devices, most first."""
    most = fit.shape.units if fit.machine.devices else 0
    if fit.asked.num_gpu is not None:
        yield min(fit.asked.num_gpu, most)
    else:
        yield from range(most, -1, -1)


def _placed(plan: Plan, layers: int, fit: _Fit) -> Plan | None:
    """Spread `layers` over the devices and price the plan; None if it does not fit."""
    for counts in _spreads(plan, layers, fit):
        shares = tuple(map(float, counts)) if layers and len(counts) > 1 else ()
        placed = replace(plan, n_gpu_layers=layers, tensor_split=shares)
        estimate = estimate_of(placed, fit.shape, fit.machine)
        shared = sum(estimate[device.name] for device in fit.machine.devices if device.unified)
        rooms = zip(fit.machine.devices, fit.devices, strict=True)
        if estimate["CPU"] + shared <= fit.host and all(estimate[d.name] <= room for d, room in rooms):
            return replace(placed, estimate=estimate)
    return None


def _spreads(plan: Plan, layers: int, fit: _Fit) -> Iterator[tuple[int, ...]]:
    """Yield layers per device: on one device if it can hold them, else as evenly as their memory allows."""
    rooms = fit.devices
    if not layers:
        yield (0,) * len(rooms)
        return
    by_room = sorted(range(len(rooms)), key=lambda index: (index != fit.asked.main_gpu, -rooms[index]))
    for chosen in by_room:
        yield tuple(layers if index == chosen else 0 for index in range(len(rooms)))
    if len(rooms) > 1:
        for percent in range(10, 101, 10):
            yield from _filled(plan, layers, tuple(room * percent // 100 for room in rooms), fit.shape)


def _filled(plan: Plan, layers: int, rooms: tuple[int, ...], shape: ModelShape) -> Iterator[tuple[int, ...]]:
    """Fill each device in turn up to its room; yield the counts if all layers found a place."""
    first, counts = shape.units - layers, []
    for room in rooms:
        count = 0
        while first + count < shape.units and sum(on_device(plan, shape, first, count + 1)) <= room:
            count += 1
        counts.append(count)
        first += count
    if first == shape.units:
        yield tuple(counts)


def _given_up(plan: Plan, context: int, fit: _Fit) -> Iterator[str]:
    if plan.n_seq < fit.want.n_seq:
        yield f"{plan.n_seq} lanes instead of {fit.want.n_seq}, to fit the memory"
    if plan.kv_type != fit.want.kv_types[0]:
        yield f"KV cache in {plan.kv_type} instead of f16, to fit the memory"
    if plan.n_ctx < context:
        yield f"a context of {plan.n_ctx} tokens instead of {context}, to fit the memory"
    if fit.asked.num_gpu is None and fit.machine.devices and plan.n_gpu_layers < fit.shape.units:
        kind = fit.machine.devices[0].kind
        yield f"{plan.n_gpu_layers} of {fit.shape.units} layers on {kind}, the rest on the CPU"


def _shortage(plan: Plan, fit: _Fit) -> str:
    """Say what the smallest plan takes and what there is."""
    estimate = estimate_of(plan, fit.shape, fit.machine)
    parts = ", ".join(
        f"{part} {estimate[part] / _MiB:.0f}" for part in ("weights", "kv", "compute", "outputs")
    )
    kept = reserve_of(fit.machine.memory_total, fit.want) / _MiB
    free = [
        f"{fit.machine.memory_free / _MiB:.0f} MiB of memory are free ({kept:.0f} of them kept in reserve)"
    ]
    free += [f"{device.free / _MiB:.0f} on {device.name}" for device in fit.machine.devices]
    return (
        f"the model needs {estimate['total'] / _MiB:.0f} MiB ({parts}) for {plan.n_ctx} tokens, "
        f"and {', '.join(free)}; choose a smaller model or quantization, or close other programs"
    )

"""Which of a model's published quantizations to take on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hunkwise.engine.planning.fit import LoadOptions, reserve_of
from hunkwise.engine.planning.hardware import Machine

# Of the room for a model, what its weights may take; the rest is for context and buffers (a rule of thumb).
_SHARE = 0.7
_MORE = ("F16", "BF16", "F32")  # more than the 8 bits of Q8_0 cost time and gain nothing that is known
_USUAL = "Q4_K_M"  # what most models are judged at; on a CPU each byte more is time per token

Place = Literal["gpu", "cpu", "none"]


@dataclass(frozen=True, slots=True)
class Published:
    """A quantization that can be fetched; `bytes` of all its files."""

    quantization: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Advice:
    """One quantization on this machine. At most one of a list is `best`."""

    quantization: str
    bytes: int
    place: Place  # where all of its weights fit
    best: bool
    reason: str


def advise(
    published: Iterable[Published], machine: Machine, *, want: LoadOptions | None = None
) -> tuple[Advice, ...]:
    """Judge each quantization, largest first, and choose one if any fits.

    On GPUs the largest that fits them, up to 8 bits; on the CPU the usual 4 bits, or the largest below that.
    """
    wish = want or LoadOptions()
    host = machine.memory_free - reserve_of(machine.memory_total, wish)
    gpus = sum(max(0, device.free - reserve_of(device.total, wish)) for device in machine.devices)
    rooms = {"gpu": int(gpus * _SHARE), "cpu": int(host * _SHARE)}
    rows = sorted(published, key=lambda row: (-row.bytes, row.quantization))
    places = [_place(row, rooms) for row in rows]
    best = _best([(row, place) for row, place in zip(rows, places, strict=True) if place != "none"])
    return tuple(
        Advice(row.quantization, row.bytes, place, row is best, _reason(row, place, rooms))
        for row, place in zip(rows, places, strict=True)
    )


def _place(row: Published, rooms: dict[str, int]) -> Place:
    if row.bytes <= rooms["gpu"]:
        return "gpu"
    return "cpu" if row.bytes <= rooms["cpu"] else "none"


def _best(fitting: list[tuple[Published, Place]]) -> Published | None:
    """Choose from rows that fit, largest first."""
    sensible = [pair for pair in fitting if pair[0].quantization.upper() not in _MORE] or fitting
    on_gpu = [row for row, place in sensible if place == "gpu"]
    if on_gpu:
        return on_gpu[0]
    usual = next((row.bytes for row, _ in sensible if row.quantization.upper() == _USUAL), None)
    below = [row for row, _ in sensible if usual is None or row.bytes <= usual]
    return below[0] if below else None


def _reason(row: Published, place: Place, rooms: dict[str, int]) -> str:
    if place == "none":
        return f"{row.bytes >> 20} MiB of weights, and room for {max(rooms.values()) >> 20}"
    return "fits the GPU" if place == "gpu" else "fits the memory, runs on the CPU"

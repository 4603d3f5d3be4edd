"""`hunkwise doctor`: what a review would run with on this machine, and what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.text.visible import visible_line

if TYPE_CHECKING:
    from hunkwise.engine import Machine, Plan
    from hunkwise.reviewer.app.diagnosis import Diagnosis, ModelFacts

_GiB = 1 << 30
_MiB = 1 << 20


@click.command("doctor")
@click.option("--model", metavar="NAME", help="Model to look at, instead of the configured one.")
@click.option("--measure", is_flag=True, help="Load the model and measure tokens per second.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: str | None, measure: bool, as_json: bool) -> int:
    """Show what a review would run with here, and what is missing.

    Nothing is downloaded. Exit codes: 0 a review could run; 2 it could not.
    """
    from hunkwise.reviewer.app.diagnosis import diagnose

    config = load(flags={"model": model} if model else {}, environ=os.environ, folder=Path.cwd())
    found = diagnose(config.model, os.environ, measure=measure)
    if as_json:
        click.echo(json.dumps({**asdict(found), "ready": not found.problems}, indent=2))
    else:
        for label, text in _lines(found):
            click.echo(visible_line(f"{label:<10}{text}").rstrip())
    return 2 if found.problems else 0


def _lines(found: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield the report, each line with the label in its margin."""
    yield "hunkwise", f"{found.hunkwise}, Python {found.python} on {found.system}"
    yield "packages", ", ".join(f"{name} {number or '(absent)'}" for name, number in found.packages.items())
    if found.build:
        yield "engine", found.build
    yield from _machine_lines(found.machine)
    if found.model:
        yield from _model_lines(found.model)
    if found.plan:
        yield from _plan_lines(found.plan, found.machine)
    if found.cache:
        redis = f", and the Redis that {found.cache['redis']} names" if found.cache["redis"] else ""
        yield "cache", found.cache["folder"] + redis
    if found.speed:
        yield (
            "speed",
            (
                f"loaded in {found.speed.load_seconds:.1f} s, reads {found.speed.prefill:.0f} and "
                f"writes {found.speed.decode:.0f} tokens a second"
            ),
        )
    for problem in found.problems:
        yield "PROBLEM", problem
    if not found.problems:
        yield "ready", "a review could run"


def _machine_lines(machine: Machine) -> Iterator[tuple[str, str]]:
    cpu = machine.cpu
    features = f"; {' '.join(cpu.features)}" if cpu.features else ""
    yield "cpu", f"{cpu.name}, {cpu.physical_cores} cores, {cpu.usable_cores} usable{features}"
    yield "memory", f"{machine.memory_free / _GiB:.1f} of {machine.memory_total / _GiB:.1f} GiB free"
    for device in machine.devices:
        free = f"{device.free / _GiB:.1f} of {device.total / _GiB:.1f} GiB free"
        free = free if device.total else "no memory to be had: others have filled it"
        yield "gpu", f"{device.name}: {device.description} ({device.kind}), {free}"
    if not machine.devices:
        yield "gpu", "none that this build of llama.cpp can use"


def _model_lines(model: ModelFacts) -> Iterator[tuple[str, str]]:
    yield "model", f"{model.name} ({model.architecture}, {model.quantization}, {model.layers} layers)"
    yield "", f"{model.size / _MiB:.0f} MiB in {model.store}"
    yield "", f"sha256 {model.digest}"


def _plan_lines(plan: Plan, machine: Machine) -> Iterator[tuple[str, str]]:
    offload = f", {plan.n_gpu_layers} layers on the GPU" if plan.n_gpu_layers else ""
    yield "plan", f"{plan.n_threads} threads, {plan.n_seq} lanes, {plan.n_ctx} tokens of context{offload}"
    parts = " + ".join(
        f"{part} {plan.estimate[part] / _MiB:.0f}" for part in ("weights", "kv", "compute", "outputs")
    )
    yield "", f"needs {plan.estimate['total'] / _MiB:.0f} MiB: {parts} (KV in {plan.kv_type})"
    rooms = {"CPU": machine.memory_free} | {device.name: device.free for device in machine.devices}
    for name, room in rooms.items():
        if machine.devices:
            yield "", f"{plan.estimate[name] / _MiB:.0f} of {room / _MiB:.0f} free MiB on {name}"
    for note in plan.notes:
        yield "", f"note: {note}"

"""What a review on this machine would run with: what `hunkwise doctor` says, gathered without loading a model."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from hunkwise import engine
from hunkwise.engine import Bundle, Choose, Generate, ModelSpec, Segment, errors, total_usage
from hunkwise.reviewer.app.cache import place_from_environment
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.version import VERSION

if TYPE_CHECKING:
    from hunkwise.engine import Engine, Machine, Plan

_PACKAGES = ("llama-cpp-python", "llguidance", "redis", "PyGithub", "python-gitlab")
_NEEDED = _PACKAGES[:2]  # without these no model runs
_CODE = "def add(first: int, second: int) -> int:\n    return first + second\n\n\n"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model a review would use. `size` is in bytes on disk; `store` is "" where plain files are used."""

    name: str
    digest: str
    store: str
    size: int
    quantization: str
    architecture: str
    layers: int
    trained_context: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Measured: seconds to load, and tokens per second reading a prompt and writing an answer."""

    load_seconds: float
    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that `hunkwise doctor` says. A part is None where it could not be found out."""

    hunkwise: str
    python: str
    system: str
    packages: Mapping[str, str | None]  # version, or None if not installed
    build: str  # of llama.cpp, "" without it
    machine: Machine
    model: ModelFacts | None = None
    plan: Plan | None = None
    cache: Mapping[str, str] = field(default_factory=dict)
    speed: Speed | None = None
    problems: tuple[str, ...] = ()  # why no review could run, and what to do about it


def diagnose(name: str, environ: Mapping[str, str], *, measure: bool = False) -> Diagnosis:
    """Look at everything a review of this machine needs; never downloads anything."""
    packages = {package: _version(package) for package in _PACKAGES}
    build, problems = _build(packages)
    found = Diagnosis(
        hunkwise=VERSION,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages=packages,
        build=build,
        machine=engine.survey(),
    )
    try:
        found = replace(found, cache=_cache(environ))
    except ConfigError as error:
        problems.append(str(error))
    try:
        spec, facts = _model(name, environ)
        found = replace(found, model=facts)
        found = replace(found, plan=engine.plan_for(spec, found.machine))
        if measure and not problems:
            found = replace(found, speed=measure_speed(spec))
    except errors.EngineError as error:
        problems.append(str(error))
    return replace(found, problems=tuple(problems))


def _build(packages: Mapping[str, str | None]) -> tuple[str, list[str]]:
    """Name the build of llama.cpp, and what of the `local` extra is missing or can't be imported."""
    try:
        build = engine.build()
    except errors.MissingExtra as error:
        return "", [str(error)]
    missing = [package for package in _NEEDED if packages[package] is None]
    return build, [str(errors.MissingExtra(package, "local")) for package in missing]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cache(environ: Mapping[str, str]) -> dict[str, str]:
    place = place_from_environment(environ)
    return {"folder": str(place.folder), "redis": "HUNKWISE_REDIS_URL" if place.redis_url else ""}


def _model(name: str, environ: Mapping[str, str]) -> tuple[ModelSpec, ModelFacts]:
    """Find the model on this machine. Raises EngineError."""
    shown = engine.library_from_environment(environ, offline=True).show(name)
    header = engine.read_header(shown.spec.weights[0])
    facts = ModelFacts(
        name=shown.spec.name,
        digest=shown.spec.digest,
        store=str(shown.store or Path(shown.spec.weights[0]).parent),
        size=shown.size,
        quantization=header.quantization,
        architecture=header.architecture,
        layers=header.block_count,
        trained_context=header.context_length,
    )
    return shown.spec, facts


def measure_speed(spec: ModelSpec) -> Speed:
    """Load the model and time a prompt of some 400 tokens and an answer of 32. Raises EngineError."""
    started = time.perf_counter()
    with engine.open_local(spec) as loaded:
        ready = time.perf_counter()
        return Speed(ready - started, *timed(loaded))


def timed(loaded: Engine) -> tuple[float, float]:
    """Return tokens per second for reading and for writing. Both bundles share their prompt."""
    prompt = (Segment(_CODE * 20, "raw"),)
    read = Bundle(prompt, (Choose("read", (Segment("def", "raw"),), (" a", " b")),))
    write = Bundle(prompt, (Generate("write", (Segment("def", "raw"),), max_tokens=32),))
    rates = []
    for bundle in (read, write):
        started = time.perf_counter()
        used = total_usage(loaded.ask(bundle))
        counted = used.prefilled if bundle is read else used.sampled + used.forced
        rates.append(counted / max(time.perf_counter() - started, 1e-9))
    return rates[0], rates[1]

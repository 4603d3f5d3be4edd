"""The layers of the configuration: each origin's values, checked, and how they are laid over one another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hunkwise.reviewer.config.settings import Config, keys, settings
from hunkwise.reviewer.config.variables import OTHER_VARIABLES
from hunkwise.reviewer.errors import ConfigError, nearest

_RUNNERS = ("CI", "GITHUB_ACTIONS", "GITLAB_CI")  # one is set, to "true", by nearly every CI system
_UNSET = frozenset({"", "0", "false"})
_WHY = "because it comes from the change itself"


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one origin, by the names of `Config`'s fields, already checked."""

    origin: str
    values: Mapping[str, Any]
    stranger: bool = False  # a file that whoever wrote the change could have written
    broken: str = ""  # why nothing of a stranger's file could be read


def file_layer(table: Mapping[str, object], origin: str) -> Layer:
    """Check a TOML table. Raises ConfigError naming the file, the key, and what is allowed."""
    names, known, values = keys(), settings(), {}
    for key, value in table.items():
        if key not in names:
            raise ConfigError(f"{origin}: unknown key {key!r}{nearest(key, names)}")
        try:
            values[names[key]] = known[names[key]].kind.check(value)
        except ValueError as error:
            raise ConfigError(f"{origin}: {key} must be {error}") from None
    return Layer(origin, values)


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Check our variables; one that is set to nothing counts as not set. Raises ConfigError."""
    known = {f"HUNKWISE_{name.upper()}": name for name, entry in settings().items() if entry.flag}
    values = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith("HUNKWISE_") or variable in OTHER_VARIABLES or not text:
            continue
        if variable not in known:
            choices = [*known, *OTHER_VARIABLES]
            raise ConfigError(
                f"environment: unknown variable {variable}{nearest(variable, choices, 'HUNKWISE_')}"
            )
        try:
            values[known[variable]] = settings()[known[variable]].kind.parse(text)
        except ValueError as error:
            raise ConfigError(f"environment: {variable} must be {error}") from None
    return Layer("environment", values)


def runner_layer(environ: Mapping[str, str]) -> Layer:
    """Give the defaults that differ in CI: there nobody is at hand to start a review again that crashed."""
    runs = any(environ.get(name, "").lower() not in _UNSET for name in _RUNNERS)
    return Layer("CI", {"isolate": True} if runs else {})


def build(layers: Iterable[Layer]) -> Config:
    """Put the layers together; an earlier one wins, and of a stranger's only what is harmless is taken."""
    config = Config()
    for layer in reversed(list(layers)):
        config = _adopt_carefully(config, layer) if layer.stranger else _adopt(config, layer)
    return config


def _adopt(config: Config, layer: Layer) -> Config:
    values = {**layer.values, **_one_bar(config, layer)}
    origins = {**config.origins, **dict.fromkeys(values, layer.origin)}
    return dataclasses.replace(config, **values, origins=origins)


def _one_bar(config: Config, layer: Layer) -> dict[str, float]:
    """Let a layer's min_confidence put an end to the precision_target of those below; it can't ask for both."""
    if "min_confidence" not in layer.values:
        return {}
    if layer.values.get("precision_target"):
        raise ConfigError(f"{layer.origin}: min_confidence and precision_target exclude each other; give one")
    return {"precision_target": 0.0} if config.precision_target else {}


def _adopt_carefully(config: Config, layer: Layer) -> Config:
    taken: dict[str, Any] = {}
    ignored = [(layer.origin, f"set aside, {_WHY}: {layer.broken}")] if layer.broken else []
    for name, value in layer.values.items():
        harmless = settings()[name].harmless
        if harmless is not None and harmless(value, getattr(config, name)):
            taken[name] = value
        else:
            ignored.append((layer.origin, f"{name} is ignored, {_WHY}"))
    config = _adopt(config, Layer(layer.origin, taken))
    return dataclasses.replace(config, ignored=(*config.ignored, *ignored))

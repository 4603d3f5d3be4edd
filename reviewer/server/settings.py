"""The settings of the server, and where each comes from: a flag, our variable, Ollama's of that name, the default.

What users have set for Ollama means the same here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from hunkwise.engine import LoadOptions
from hunkwise.reviewer.config.files import user_file
from hunkwise.reviewer.config.kinds import ListOf, Number, OneOf, Text
from hunkwise.reviewer.errors import ConfigError

PORT = 11435  # beside Ollama's 11434
LOOPBACK = "127.0.0.1"
_MOST = 1 << 48


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server runs; times are in seconds, sizes in bytes."""

    host: str = LOOPBACK
    port: int = PORT
    model: str = ""  # what is meant where a request names none; empty: none is
    preload: bool = False
    grace: float = 30.0  # for what runs when the server is told to end
    repositories: Mapping[str, Path] = field(default_factory=dict)  # that reviews may name
    engine: tuple[str, ...] = ()  # servers that have the model, where this one has none
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    tokens: Path | None = None  # the file of tokens
    keep_alive: float = 300.0  # infinity: for ever
    num_parallel: int = 0  # 0: as many as memory allows
    max_queue: int = 512
    max_queue_tokens: int = 4_000_000
    max_loaded_models: int = 0  # 0: as many as fit
    context_length: int = 0  # 0: as memory allows
    kv_cache_type: str = ""  # empty: as memory allows
    flash_attention: bool | None = None  # None: as the device can
    gpu_overhead: int = 0
    load_timeout: float = 300.0
    request_timeout: float = 600.0
    max_body: int = 64 << 20
    rate: str = ""  # of one token; empty: no limit
    address_rate: str = ""
    send_timeout: float = 30.0  # for a reader who does not take what it is sent, and a sender who stops
    redis_url: str = field(default="", repr=False)  # where several processes count rates together
    told_by: Mapping[str, str] = field(default_factory=dict)  # where each value comes from

    def loaded_with(self, want: LoadOptions) -> LoadOptions:
        """Add what the user wants of every model to what a caller wants of one."""
        asked: dict[str, Any] = {"kv_type": self.kv_cache_type or None, "overhead": self.gpu_overhead}
        if self.flash_attention is not None:
            asked["flash_attention"] = self.flash_attention
        return replace(want, **asked)

    def shown(self) -> Iterator[tuple[str, object, str]]:
        """List the settings that a user can make, with value and origin."""
        for row in fields(self):
            if row.name in _VARIABLES or row.name == "port":
                value = getattr(self, row.name)
                yield row.name, str(value) if isinstance(value, Path) else value, self.told_by[row.name]


_PART = re.compile(r"(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Read seconds, or a duration as Go writes it (`1h30m`); negative is for ever. Raises ValueError."""
    text = text.strip()
    if re.fullmatch(r"[+-]?\d{1,15}", text):
        seconds = float(text)
    else:
        sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        parts = list(_PART.finditer(rest))
        if not parts or "".join(part[0] for part in parts) != rest:
            raise ValueError("a number of seconds, or a duration such as 90s, 5m or 1h30m")
        seconds = sign * sum(float(part[1]) * _UNITS[part[2]] for part in parts)
    return math.inf if seconds < 0 else seconds


def _limit(text: str) -> float:
    """Read how long something may take; Ollama's 0 and less stand for no limit."""
    return duration(text) or math.inf


def address(text: str) -> tuple[str, int]:
    """Take an address apart as Ollama does: a scheme gives the port if none is written. Raises ValueError."""
    scheme, mark, rest = text.strip().strip("\"'").rpartition("://")
    ports = {"http": 80, "https": 443} if mark else {"": PORT}
    rest = rest.partition("/")[0]
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]{0,253})(?::(\d{1,5}))?", rest)
    if rest.count(":") > 1 and _is_ipv6(rest):
        return rest, ports.get(scheme, PORT)
    if found is None or scheme not in ports or int(found[2] or 0) > 65535:
        raise ValueError("an address to listen on, such as 127.0.0.1, 0.0.0.0:11435 or [::1]:11435")
    return found[1].strip("[]") or LOOPBACK, int(found[2]) if found[2] else ports[scheme]


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _switch(text: str) -> bool:
    return bool(OneOf({"1": True, "true": True, "0": False, "false": False}).parse(text.lower()))


def _rate(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", text):
        raise ValueError("a rate such as 60/minute: a number, /, and second, minute, hour or day")
    return text


# setting -> how the text of its variable is read; HUNKWISE_ and the name in capitals is ours
_VARIABLES: Mapping[str, Callable[[str], object]] = {
    "host": address,
    "hosts": ListOf(Text()).parse,
    "origins": ListOf(Text()).parse,
    "engine": ListOf(Text()).parse,
    "tokens": Path,
    "keep_alive": duration,
    "num_parallel": Number(0, 256).parse,
    "max_queue": Number(0, 1_000_000).parse,
    "max_queue_tokens": Number(1, _MOST).parse,
    "max_loaded_models": Number(0, 1000).parse,
    "context_length": Number(0, 1 << 24).parse,
    "kv_cache_type": OneOf.words("f16", "q8_0", "q4_0").parse,
    "flash_attention": _switch,
    "gpu_overhead": Number(0, _MOST).parse,
    "load_timeout": _limit,
    "request_timeout": _limit,
    "max_body": Number(1, _MOST).parse,
    "rate": _rate,
    "address_rate": _rate,
}
_OURS_ALONE = frozenset(
    {"hosts", "engine", "tokens", "max_queue_tokens", "request_timeout", "max_body", "rate", "address_rate"}
)


def variables(name: str) -> tuple[str, ...]:
    """Name the variables of a setting, first the one that goes before the other."""
    ours = f"HUNKWISE_{name.upper()}"
    return (ours,) if name in _OURS_ALONE else (ours, f"OLLAMA_{name.upper()}")


def server_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Put flags and variables together; a flag that is None was not given. Raises ConfigError."""
    values: dict[str, Any] = {}
    told_by = {row.name: "default" for row in fields(Settings)}
    for name, read in _VARIABLES.items():
        variable = next((each for each in variables(name) if environ.get(each, "").strip()), None)
        if variable is None:
            continue
        try:
            values[name] = read(environ[variable].strip())
        except ValueError as error:
            raise ConfigError(f"environment: {variable} must be {error}") from None
        told_by[name] = variable
    if "host" in values:
        values["host"], values["port"] = values["host"]
        told_by["port"] = told_by["host"]
    for name, value in flags.items():
        if value is not None:
            values[name], told_by[name] = value, "flag"
    if "tokens" not in values and (user := user_file(environ)):
        values["tokens"] = user.with_name("tokens.json")
    return Settings(**values, redis_url=environ.get("HUNKWISE_REDIS_URL", ""), told_by=told_by)

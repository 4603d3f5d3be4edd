"""The settings of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PORT = 11435  # beside Ollama's 11434


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server runs; times are in seconds, sizes in bytes."""

    host: str = "127.0.0.1"
    port: int = PORT
    model: str = ""  # what is meant where a request names none; empty: the configuration's
    preload: bool = False
    grace: float = 30.0  # for what runs when the server is told to end
    time_limit: float = 600.0  # of one request
    repositories: Mapping[str, Path] = field(
        default_factory=dict
    )  # that reviews may name, with their folders
    engine: tuple[str, ...] = ()  # servers that have the model, where this one has none
    send_timeout: float = 30.0  # for a reader who does not take what it is sent

"""What is known of a setting beside its default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hunkwise.reviewer.config.kinds import Kind

Harmless = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a setting beside its default.

    `harmless(new, old)` decides whether a stranger's file may change the value (None: never).
    `own` settings are the user's alone: a repository's file can't set them, even where it is trusted.
    `common` flags stand on `--help`, the others on `--help-all`; with `flag` False it is for files alone.
    """

    kind: Kind
    help: str
    harmless: Harmless | None = None
    common: bool = False
    flag: bool = True
    key: str = ""  # in files, where it differs from the name in Python
    own: bool = False


def about(
    kind: Kind,
    help: str,  # noqa: A002 - the word that click and argparse use
    harmless: Harmless | None = None,
    *,
    common: bool = False,
    flag: bool = True,
    key: str = "",
    own: bool = False,
) -> dict[str, About]:
    """Describe a field of `Config`, as the metadata of its `dataclasses.field`."""
    return {"about": About(kind, help, harmless, common, flag, key, own)}

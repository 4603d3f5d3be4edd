"""The limits of the process that reads files."""

from __future__ import annotations

import contextlib
import resource

_MEMORY = 4 << 30  # bytes of address space


def confine() -> None:
    """Give this process a limit of memory, where the system knows one, and no right to write core files."""
    for what, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(what)
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (limit, hard))

"""What a child process gives up before it opens a model: what it never needs, and a hostile file might use.

Memory is not limited here. RLIMIT_AS and RLIMIT_DATA count address space that stacks, allocators and GPU drivers
reserve and never touch: a 1.5B model planned at 1.4 GB has 1.9 GB on a CPU, and CUDA reserves more than a machine
has. A limit that stops a runaway would refuse good models; the plan bounds memory instead.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS of linux/prctl.h; see prctl(2)
_MOST = {
    "RLIMIT_CORE": 0,  # a core dump would write weights and code under review to disk
    "RLIMIT_FSIZE": 64 << 20,  # bytes; only error output, prefixes, and the caches of GPU drivers are written
    "RLIMIT_NOFILE": 1024,  # a model of many parts, and a few for each GPU
}


def confine() -> None:
    """Lower this process's limits for good, and let no program that it starts gain privileges.

    What the platform does not have, or refuses, is passed over.
    """
    with suppress(ImportError):  # Windows has no `resource`
        _lower_limits()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # no such library or function
            ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _lower_limits() -> None:
    import resource

    for name, most in _MOST.items():
        kind = getattr(resource, name)
        soft, _ = resource.getrlimit(kind)
        least = most if soft == resource.RLIM_INFINITY else min(soft, most)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (least, least))

"""The machine: its processor, the memory that is free for us, and the devices ggml can compute on.

Containers are believed: a CPU quota, an affinity mask or a memory limit of a cgroup (v1 or v2) counts, not
what the host has. Sources: proc(5), the kernel's cgroup-v1 and cgroup-v2 pages, sysctl(3) of macOS.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# what llama.cpp's CPU code can make use of
_FEATURES = {
    "avx": "avx", "avx2": "avx2", "f16c": "f16c", "fma": "fma", "avx512f": "avx512",
    "avx512_vnni": "avx512-vnni", "avx512_bf16": "avx512-bf16", "avx_vnni": "avx-vnni", "amx_int8": "amx",
    "asimd": "neon", "asimddp": "dotprod", "i8mm": "i8mm", "sve": "sve",
}  # fmt: skip
_BACKENDS = {
    "cuda": "cuda",
    "mtl": "metal",
    "metal": "metal",
    "rocm": "rocm",
    "hip": "rocm",
    "vulkan": "vulkan",
}
_UNLIMITED = 1 << 60  # cgroup v1 writes "no limit" as a number near 2**63


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor. `usable_cores` are those that affinity and quota leave to this process."""

    name: str
    physical_cores: int
    usable_cores: int
    features: tuple[str, ...] = ()  # of "avx2", "avx512", "neon", …


@dataclass(frozen=True, slots=True)
class Device:
    """Something that computes beside the CPU. `free` and `total` are in bytes."""

    name: str  # ggml's own: "CUDA0"
    description: str
    kind: str  # "cuda", "metal", "rocm", "vulkan", or what ggml's name says
    free: int
    total: int
    unified: bool = False  # its memory is the host's memory


@dataclass(frozen=True, slots=True)
class Machine:
    """What a plan is made for. Memory is in bytes and respects the cgroup's limit."""

    cpu: Cpu
    memory_total: int
    memory_free: int
    devices: tuple[Device, ...] = ()  # in llama.cpp's order, without the CPU

    @property
    def threads(self) -> int:
        """Threads worth starting: two on one core only get in each other's way."""
        return max(1, min(self.cpu.physical_cores, self.cpu.usable_cores))


Listed = tuple[str, str, str, int, int]  # name, description, ggml's kind, free bytes, total bytes


def accelerators(listed: Iterable[Listed]) -> tuple[Device, ...]:
    """Keep what llama.cpp would offload to: the GPUs, or an integrated one where there is no other.

    One that tells no memory (CUDA, where others have filled it) stays too: llama.cpp counts the devices with it.
    """
    found = tuple(listed)
    chosen = [row for row in found if row[2] == "gpu"] or [row for row in found if row[2] == "integrated"][:1]
    return tuple(_device(*row) for row in chosen)


def _device(name: str, description: str, ggml_kind: str, free: int, total: int) -> Device:
    stem = re.sub(r"\d+$", "", name).lower()
    kind = _BACKENDS.get(stem, stem)
    return Device(name, description, kind, free, total, ggml_kind == "integrated" or kind == "metal")


def detect(devices: Iterable[Listed] = (), *, root: Path = Path("/")) -> Machine:
    """Look at this machine. `devices` is what ggml lists; `root` is where proc/ and sys/ are found."""
    if sys.platform == "darwin" and root == Path("/"):
        return _mac(accelerators(devices))
    total, free = _memory(root)
    return Machine(_linux_cpu(root), total, free, accelerators(devices))


def _read(path: Path) -> str:
    """Read a small file of the kernel; one that is absent or forbidden says nothing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _linux_cpu(root: Path) -> Cpu:
    text = _read(root / "proc/cpuinfo")
    fields = dict(re.findall(r"^([\w ]+?)\s*: *(.*)$", text, re.MULTILINE))
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    logical = len(re.findall(r"^processor\s*:", text, re.MULTILINE)) or os.cpu_count() or 1
    cores = set(re.findall(r"^physical id\s*: (\d+)$.*?^core id\s*: (\d+)$", text, re.MULTILINE | re.DOTALL))
    usable = min([_affinity(root, logical), *_quotas(root)])
    name = fields.get("model name") or platform.machine()
    return Cpu(
        name, len(cores) or logical, max(1, usable), tuple(_FEATURES[f] for f in _FEATURES if f in flags)
    )


def _affinity(root: Path, logical: int) -> int:
    match = re.search(r"^Cpus_allowed_list:\s*([\d,-]+)$", _read(root / "proc/self/status"), re.MULTILINE)
    if not match:
        return logical
    spans = (span.partition("-") for span in match[1].split(","))
    allowed = sum(int(last or first) - int(first) + 1 for first, _, last in spans)
    return max(1, min(logical, allowed))


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """Yield this process's cgroup folders and those above it, of version 2 and of a version 1 controller.

    In a container the paths of proc/self/cgroup are often the host's and absent; the mount's root is ours.
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            mount = root / "sys/fs/cgroup"
        elif controller in names.split(","):
            mount = root / "sys/fs/cgroup" / controller
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        yield from (mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def _quotas(root: Path) -> Iterator[int]:
    """Yield whole cores of each quota; half a core is one."""
    for folder in _cgroups(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us").strip()
            period = _read(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            yield max(1, -(-int(quota) // int(period)))


def _memory(root: Path) -> tuple[int, int]:
    """Return total and free bytes: the kernel's estimate, or less where a cgroup's limit is nearer."""
    lines = re.findall(r"^(\w+):\s+(\d+) kB$", _read(root / "proc/meminfo"), re.MULTILINE)
    fields = {name: int(kilobytes) * 1024 for name, kilobytes in lines}
    total = fields.get("MemTotal", 0)
    free = fields.get("MemAvailable", fields.get("MemFree", 0))
    for folder in _cgroups(root, "memory"):
        limit = _number(folder, "memory.max", "memory.limit_in_bytes")
        if limit is not None and limit < _UNLIMITED:
            used = _number(folder, "memory.current", "memory.usage_in_bytes") or 0
            free = min(free, max(0, limit - used + _reclaimable(folder)))
            total = min(total, limit)
    return total, min(free, total)


def _number(folder: Path, *names: str) -> int | None:
    found = (_read(folder / name).strip() for name in names)
    return next((int(text) for text in found if text.isdigit()), None)


def _reclaimable(folder: Path) -> int:
    """Count file pages not in use, which the kernel gives back before it kills (a model just hashed, say)."""
    found = re.findall(r"^(?:total_)?inactive_file (\d+)$", _read(folder / "memory.stat"), re.MULTILINE)
    return max(map(int, found), default=0)


def _mac(devices: tuple[Device, ...]) -> Machine:
    keys = ("machdep.cpu.brand_string", "hw.physicalcpu", "hw.perflevel0.physicalcpu", "hw.memsize")
    name, cores, fast, total = (_sysctl(key) for key in keys)
    physical = int(fast or cores or os.cpu_count() or 1)  # efficiency cores slow a matrix product down
    features = ("neon", "dotprod") if platform.machine() == "arm64" else ("avx2",)
    memory = int(total or 0)
    return Machine(Cpu(name, physical, physical, features), memory, _mac_free(memory), devices)


def _sysctl(key: str) -> str:
    done = subprocess.run(["/usr/sbin/sysctl", "-n", key], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _mac_free(total: int) -> int:
    """Count free, inactive, speculative and purgeable pages, as Activity Monitor does."""
    done = subprocess.run(["/usr/bin/vm_stat"], capture_output=True, text=True, check=False)
    size = re.search(r"page size of (\d+) bytes", done.stdout)
    pages = re.findall(
        r"^Pages (?:free|inactive|speculative|purgeable):\s+(\d+)\.", done.stdout, re.MULTILINE
    )
    return min(total, sum(map(int, pages)) * int(size[1])) if size else total // 2

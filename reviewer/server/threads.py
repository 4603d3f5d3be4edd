"""What blocks, from the loop: contexts that are entered in threads, and functions that are called there."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

T = TypeVar("T")
_LIMITER = anyio.CapacityLimiter(float("inf"))  # admission bounds how many there are


async def in_thread(function: Callable[[], T]) -> T:
    """Call what blocks. Who is cancelled goes on at once; the thread ends by itself."""
    return await run_sync(function, abandon_on_cancel=True, limiter=_LIMITER)


@asynccontextmanager
async def entered(context: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context in threads; one that is entered after the caller has gone is left at once."""
    lock = threading.Lock()
    inside = abandoned = False

    def enter() -> T:
        nonlocal inside
        value = context.__enter__()
        with lock:
            inside = True
            leave = abandoned
        if leave:
            context.__exit__(None, None, None)
        return value

    def leave() -> None:
        context.__exit__(None, None, None)

    try:
        value = await in_thread(enter)
    except BaseException:
        with lock:
            abandoned, late = True, inside
        if late:
            await _shielded(leave)
        raise
    try:
        yield value
    finally:
        await _shielded(leave)


async def _shielded(function: Callable[[], None]) -> None:
    with anyio.CancelScope(shield=True):
        await run_sync(function, limiter=_LIMITER)

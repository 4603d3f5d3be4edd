"""How often a token or an address may ask: in the memory of this process, or in Redis where there are several."""

from __future__ import annotations

import asyncio
import logging
import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

LOG = logging.getLogger("hunkwise.server")
_PATIENCE = 1.0  # seconds, with Redis
_PAUSE = 5.0  # seconds after which one that did not answer is asked again


class Rates:
    """Two limits; an empty one lets all through."""

    def __init__(self, token: str, address: str, redis_url: str) -> None:
        self._token, self._address = _limit(token), _limit(address)
        self._limiter: MovingWindowRateLimiter | None = None
        self._again = 0.0  # when Redis is asked again
        if self._token or self._address:
            self._alone = MovingWindowRateLimiter(MemoryStorage())
            self._limiter = self._alone
            if redis_url:
                shared = RedisStorage(f"async+{redis_url}", implementation="redispy")
                self._limiter = MovingWindowRateLimiter(shared)

    async def wait(self, token: str, address: str) -> float | None:
        """Count a request; gives the seconds to wait if it is one too many.

        While a Redis does not answer, this process counts for itself.
        """
        for limit, kind, name in ((self._token, "token", token), (self._address, "address", address)):
            if self._limiter is None or limit is None or not name:
                continue
            wait = await self._hit(self._limiter, limit, kind, name)
            if wait is not None:
                return wait
        return None

    async def _hit(
        self, limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str
    ) -> float | None:
        if time.monotonic() >= self._again:
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await _hit(limiter, limit, kind, name)
            except Exception:  # noqa: BLE001 - whatever Redis' client raises
                self._again = time.monotonic() + _PAUSE
                LOG.warning('{"warning": "Redis does not answer; this process counts rates for itself"}')
        return await _hit(self._alone, limit, kind, name)


async def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str) -> float | None:
    if await limiter.hit(limit, kind, name):
        return None
    stats = await limiter.get_window_stats(limit, kind, name)
    return max(1.0, stats.reset_time - time.time())


def _limit(text: str) -> RateLimitItem | None:
    return parse(text) if text else None

"""How often a token or an address may ask: in the memory of this process, or in Redis where there are several."""

from __future__ import annotations

import logging
import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

LOG = logging.getLogger("hunkwise.server")


class Rates:
    """Two limits; an empty one lets all through."""

    def __init__(self, token: str, address: str, redis_url: str) -> None:
        self._token, self._address = _limit(token), _limit(address)
        self._limiter: MovingWindowRateLimiter | None = None
        if self._token or self._address:
            storage = RedisStorage(f"async+{redis_url}") if redis_url else MemoryStorage()
            self._limiter = MovingWindowRateLimiter(storage)

    async def wait(self, token: str, address: str) -> float | None:
        """Count a request; gives the seconds to wait if it is one too many.

        A Redis that is gone lets all through.
        """
        for limit, kind, name in ((self._token, "token", token), (self._address, "address", address)):
            if self._limiter is None or limit is None or not name:
                continue
            try:
                if await self._limiter.hit(limit, kind, name):
                    continue
                stats = await self._limiter.get_window_stats(limit, kind, name)
            except Exception:  # noqa: BLE001 - whatever Redis' client raises
                LOG.warning('{"warning": "rates are not counted: Redis does not answer"}')
                continue
            return max(1.0, stats.reset_time - time.time())
        return None


def _limit(text: str) -> RateLimitItem | None:
    return parse(text) if text else None

"""A limit of requests a minute for each caller: a bucket that fills evenly."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict

from flowdbg.dialects.operations import RATE_LIMIT, Refusal

_MOST_CALLERS = 10_000


class RateLimit:
    """Counts requests; no limit when `per_minute` is None."""

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, caller: str) -> None:
        """Count a request of a caller, known by its key, else by its address.

        Raises:
            Refusal: 429, with `Retry-After` in whole seconds.
        """
        if self._per_minute is None:
            return
        name = hashlib.sha256(caller.encode("utf-8", "replace")).hexdigest()
        now = time.monotonic()
        left, before = self._buckets.get(name, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - before) * self._per_minute / 60)
        if left < 1:
            wait = math.ceil((1 - left) * 60 / self._per_minute)
            raise Refusal(
                429,
                RATE_LIMIT,
                f"More than {self._per_minute} requests a minute. Try again in {wait}"
                f" {'second' if wait == 1 else 'seconds'}.",
                headers={"retry-after": str(wait)},
                retryAfter=wait,
            )
        self._buckets[name] = (left - 1, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)

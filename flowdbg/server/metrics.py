"""Counters of one server process, for `/metrics` and `/healthz`."""

from __future__ import annotations

import time
from collections import Counter

from flowdbg.dialects.records import CallEnd


class Metrics:
    """What this process has done since it started; written on the event loop only."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._requests: Counter[int] = Counter()
        self._calls: Counter[str] = Counter()
        self._running = 0

    def answered(self, status: int) -> None:
        """A request was answered."""
        self._requests[status] += 1

    def call_began(self) -> None:
        """A call of a run began."""
        self._running += 1

    def call_ended(self, end: CallEnd) -> None:
        """A call of a run ended."""
        self._running -= 1
        self._calls[end] += 1

    @property
    def uptime(self) -> float:
        """Seconds since the process started to serve."""
        return time.monotonic() - self._started

    @property
    def running(self) -> int:
        """Calls that are being served now."""
        return self._running

    def text(self) -> str:
        """The counters in Prometheus' text format."""
        lines = [
            "# TYPE flowdbg_uptime_seconds gauge",
            f"flowdbg_uptime_seconds {self.uptime:.3f}",
            "# TYPE flowdbg_calls_running gauge",
            f"flowdbg_calls_running {self._running}",
            "# TYPE flowdbg_requests_total counter",
            *(
                f'flowdbg_requests_total{{status="{status}"}} {count}'
                for status, count in sorted(self._requests.items())
            ),
            "# TYPE flowdbg_calls_total counter",
            *(
                f'flowdbg_calls_total{{end="{end}"}} {count}'
                for end, count in sorted(self._calls.items())
            ),
        ]
        return "\n".join(lines) + "\n"

"""Keeps the garbage collector from stopping the screen.

A full collection looks at everything the program holds: 50 to 80 ms with a session of 10,000
events, which is a key that hangs. What stays for good is taken out of its sight when nobody waits.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (2_000, 10, 1_000)
"""New objects before a collection of the youngest, and how many of those before an older one."""


def rest() -> None:
    """Collect now, while nothing runs, and leave what remains out of later collections."""
    gc.set_threshold(*_THRESHOLDS)
    gc.collect()
    gc.freeze()

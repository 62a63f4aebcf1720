"""The tie to the program that started this server: when that is gone, so is the server."""

from __future__ import annotations

import os
from collections.abc import Callable

_STANDARD_INPUT = 0


def wait_for_end(stop: Callable[[], None]) -> None:
    """Read standard input until it ends, then call `stop`; meant for a thread of its own.

    The descriptor is read directly: a buffered reader in a daemon thread may hold its lock while
    the interpreter shuts down.
    """
    try:
        while os.read(_STANDARD_INPUT, 4096):
            pass
    except OSError:
        pass  # it was never open: nobody holds this server
    stop()

"""The terminal that the screen needs: it is drawn on stderr, and keys come from stdin."""

from __future__ import annotations

import os

from flowdbg.errors import UsageError

_WITHOUT = "Leave it alone, or run without a screen: flowdbg run."


def check_terminal() -> None:
    """Check that there is a terminal to draw on and one to read keys from.

    Raises:
        UsageError: There is none.
    """
    if not os.isatty(2):
        raise UsageError("The screen is drawn on stderr, which is no terminal here.", _WITHOUT)
    if not os.isatty(0):
        try:
            os.close(os.open("/dev/tty", os.O_RDWR))
        except OSError as error:
            raise UsageError("There is no terminal to read keys from.", _WITHOUT) from error


def read_keys() -> None:
    """Read keys from the terminal also where something else was piped in; that has been read."""
    if not os.isatty(0):
        terminal = os.open("/dev/tty", os.O_RDWR)
        os.dup2(terminal, 0)
        os.close(terminal)

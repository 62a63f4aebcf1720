"""Copying: through the terminal (OSC 52), through the system's own program, or not at all."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Literal

Mode = Literal["auto", "osc52", "native", "off"]

TERMINAL_LIMIT = 74_994
"""Bytes that terminals take through OSC 52: 100,000 less the escape, in base64."""

_NATIVE = (
    ("pbcopy", (), ""),
    ("wl-copy", ("--type", "text/plain"), "WAYLAND_DISPLAY"),
    ("xclip", ("-selection", "clipboard"), "DISPLAY"),
    ("xsel", ("--clipboard", "--input"), "DISPLAY"),
)
_TIME_LIMIT = 2.0


@dataclass(frozen=True, slots=True)
class Way:
    """How a text is to be copied."""

    through: Literal["terminal", "program", "nothing"]
    command: tuple[str, ...] = ()
    why_not: str = ""
    """Why it cannot be copied; empty when it can."""


def way_to_copy(text: str, mode: Mode) -> Way:
    """Decide how a text is copied under a mode of the configuration."""
    if mode == "off":
        return Way("nothing", why_not="copying is switched off in the configuration")
    command = () if mode == "osc52" else _native_command()
    if mode == "native" and not command:
        return Way("nothing", why_not="no program to copy with was found (wl-copy, xclip, xsel)")
    if command and (mode == "native" or not _is_remote()):
        return Way("program", command)
    size = len(text.encode())
    if size > TERMINAL_LIMIT:
        return Way(
            "nothing",
            why_not=f"a terminal takes {TERMINAL_LIMIT:,} bytes, this has {size:,}; use $PAGER",
        )
    return Way("terminal")


async def copy_with_program(text: str, command: tuple[str, ...]) -> str:
    """Give a text to a program; returns what went wrong, or an empty text."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"{command[0]} could not be started: {error}"
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"{command[0]} did not answer"
    return "" if process.returncode == 0 else f"{command[0]} failed ({process.returncode})"


def terminal_note() -> str:
    """Say what may keep the terminal from taking a text; empty when nothing is known to."""
    if os.environ.get("TMUX"):
        return " (tmux: needs `set -g set-clipboard on`)"
    return ""


def _native_command() -> tuple[str, ...]:
    for program, arguments, variable in _NATIVE:
        if variable and not os.environ.get(variable):
            continue
        if not variable and sys.platform != "darwin":
            continue
        path = shutil.which(program)
        if path:
            return (path, *arguments)
    return ()


def _is_remote() -> bool:
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))

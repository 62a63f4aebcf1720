"""Editors and pagers of the person: $VISUAL, $EDITOR, $PAGER, with a private temporary file."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from flowdbg.errors import UsageError
from flowdbg.present.safe_text import safe_text


def editor_command() -> list[str]:
    """Return the words of the editor's command; empty when none is set."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")


def pager_command() -> list[str]:
    """Return the words of the pager's command, `less` when none is set and it is there."""
    words = shlex.split(os.environ.get("PAGER") or "")
    if words:
        return words
    return ["less"] if shutil.which("less") else []


async def edit_externally(app: App[Any], text: str, name: str, suffix: str) -> str | None:
    """Let a person edit a text in their editor; returns None when nothing was changed.

    The file is readable by its owner alone and removed afterwards, whatever happens.

    Raises:
        UsageError: No editor is set, it could not be started or it failed, or the terminal
            cannot be handed over.
    """
    words = editor_command()
    if not words:
        raise UsageError("Neither $VISUAL nor $EDITOR is set.", "Set one, or go on editing here.")
    file = _private_file(text, name, suffix)
    try:
        code = await _run(app, [*words, str(file)])
        if code:
            raise UsageError(f"{words[0]} ended with code {code}.", "The text is as it was.")
        edited = file.read_bytes().decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise UsageError("The edited file is not UTF-8.", "The text is as it was.") from error
    finally:
        file.unlink(missing_ok=True)
    # editors end a file with a line feed; the text had none of its own there
    if edited.endswith("\n") and not text.endswith("\n"):
        edited = edited[:-1]
    return None if edited == text else edited


async def page_externally(app: App[Any], text: str, name: str) -> None:
    """Show a text in the person's pager.

    Raises:
        UsageError: There is no pager, or the terminal cannot be handed over.
    """
    words = pager_command()
    if not words:
        raise UsageError("$PAGER is not set and less is not installed.", "Set $PAGER.")
    file = _private_file(safe_text(text), name, ".txt")
    try:
        await _run(app, [*words, str(file)])
    finally:
        file.unlink(missing_ok=True)


async def _run(app: App[Any], words: Sequence[str]) -> int:
    """Hand the terminal to a program and wait; what runs in the debugger goes on meanwhile."""
    try:
        with app.suspend(), app.batch_update():
            return await asyncio.to_thread(_call, words)
    except SuspendNotSupported as error:
        raise UsageError(
            "This terminal cannot be handed to another program.", "Go on editing here."
        ) from error
    except OSError as error:
        raise UsageError(f"{words[0]} could not be started: {error}.", "Check $EDITOR.") from error


def _call(words: Sequence[str]) -> int:
    return subprocess.run(words, check=False).returncode  # noqa: S603 # the person's own command


def _private_file(text: str, name: str, suffix: str) -> Path:
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)[:40]
    descriptor, path = tempfile.mkstemp(suffix, f"flowdbg-{safe}-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
    return Path(path)

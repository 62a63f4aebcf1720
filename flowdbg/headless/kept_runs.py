"""Runs that wait for a person's tool results, kept in private files until they are answered."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from flowdbg.config import paths
from flowdbg.dialects.whole_runs import Paused
from flowdbg.errors import NotSaved, UsageError
from flowdbg.headless.kept_text import KeptRun, from_text, to_text

_LONGEST_NAME = 150


def keep(kept: KeptRun, paused: Paused) -> str:
    """Write a waiting run down; gives the name under which it is found again.

    Raises:
        NotSaved: The disk is full or failed.
    """
    name = paused.execution_id
    path = _path(name)
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(to_text(kept, paused))
        fresh.replace(path)
    except OSError as error:
        raise NotSaved(
            f"The waiting run could not be kept in {path}: {error.strerror}.",
            "Answer its calls with --tool-exec or --tool-handler, or make room and run it again.",
        ) from error
    return name


def find(name: str) -> tuple[KeptRun, Paused]:
    """The waiting run kept under a name.

    Raises:
        UsageError: There is none, or it cannot be read.
    """
    path = _path(name)
    try:
        return from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.json")))
        hint = f"Kept are: {known}." if known else "No run is kept."
        raise UsageError(f"No run '{name}' waits for tool results here.", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Check the file.") from error


def forget(name: str) -> None:
    """Remove a run that was answered."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return paths.data_dir() / "waiting" / f"{quote(name, safe='')[:_LONGEST_NAME]}.json"

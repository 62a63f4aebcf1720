"""Keeps what a sandbox worker writes to standard error off the terminal.

A worker that passes its memory limit says so on standard error, which it inherits; in the middle
of a full-screen program that would be garbage on the screen. The pool takes a binary and no
redirection, so it gets a two-line script that redirects and becomes the worker.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
import weakref
from pathlib import Path

# Private, but the only place that knows where the runtime's wheel put the worker.
from pydantic_monty._binary import find_monty_binary


class QuietWorker:
    """The script, made when first asked for and removed on `close` or at exit."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._remove: weakref.finalize[..., QuietWorker] | None = None

    def path(self) -> Path | None:
        """The script; None where none can be run (no shell, or a `noexec` folder)."""
        if os.name != "posix" or not Path("/bin/sh").exists():
            return None
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="flowdbg-worker-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, True)
        script = self._folder / "worker"
        binary = shlex.quote(find_monty_binary())
        script.write_text(f'#!/bin/sh\nexec {binary} "$@" 2>/dev/null\n', encoding="utf-8")
        script.chmod(0o700)
        return script if os.access(script, os.X_OK) else None

    def close(self) -> None:
        """Remove the script; `path` makes it again."""
        if self._remove is not None:
            self._remove()
        self._folder = self._remove = None

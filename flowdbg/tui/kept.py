"""What the screen keeps between runs: the sizes of panes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


class Kept:
    """A small private file; a disk that fails costs what was to be kept, never the session."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "sizes.json"

    def sizes(self) -> dict[str, int]:
        """Return the sizes of panes that a person chose."""
        try:
            stored = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {name: size for name, size in stored.items() if isinstance(size, int)}

    def keep_sizes(self, sizes: Mapping[str, int]) -> None:
        """Keep the sizes of panes: replace the file whole, readable by its owner alone."""
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(dir=self._file.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(dict(sizes), stream)
                Path(path).replace(self._file)
            except OSError:
                Path(path).unlink(missing_ok=True)
                raise

"""What the screen keeps between runs: unfinished edits of a session, and the sizes of panes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Drafts = dict[str, dict[str, str]]
"""What was typed and not applied: by `output:<step>` or `block:<step>`, then by document."""


class Kept:
    """Small private files; a disk that fails costs what was to be kept, never the session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def drafts(self, session_id: str) -> Drafts:
        """Return the unfinished edits of a session."""
        stored = self._read(self._draft_file(session_id))
        return {
            key: {title: text for title, text in texts.items() if isinstance(text, str)}
            for key, texts in stored.items()
            if isinstance(texts, dict)
        }

    def keep_drafts(self, session_id: str, drafts: Mapping[str, Mapping[str, str]]) -> None:
        """Keep unfinished edits; none removes the file."""
        file = self._draft_file(session_id)
        if drafts:
            self._write(file, drafts)
        else:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Return the sizes of panes that a person chose."""
        stored = self._read(self._folder / "sizes.json")
        return {name: size for name, size in stored.items() if isinstance(size, int)}

    def keep_sizes(self, sizes: Mapping[str, int]) -> None:
        """Keep the sizes of panes."""
        self._write(self._folder / "sizes.json", sizes)

    def _draft_file(self, session_id: str) -> Path:
        safe = "".join(
            letter if letter.isalnum() or letter in "-_" else "_" for letter in session_id
        )
        return self._folder / "drafts" / f"{safe or 'session'}.json"

    def _read(self, file: Path) -> dict[str, Any]:
        try:
            value = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _write(self, file: Path, value: Mapping[str, Any]) -> None:
        """Replace a file whole, readable by its owner alone."""
        with suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(dir=file.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(value, stream)
                Path(path).replace(file)
            except OSError:
                Path(path).unlink(missing_ok=True)
                raise

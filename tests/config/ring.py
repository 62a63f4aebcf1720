"""A keyring that keeps its secrets in a file, as a person's own backend may."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class FileRing(KeyringBackend):
    """Keeps secrets in the file that `TEST_RING` names; locked when that is `locked`."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        kept = {**self._kept(), f"{service}/{username}": password}
        Path(os.environ["TEST_RING"]).write_text(json.dumps(kept), encoding="utf-8")

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError

    def _kept(self) -> dict[str, str]:
        if os.environ["TEST_RING"] == "locked":
            raise KeyringLocked("the ring is locked")
        path = Path(os.environ["TEST_RING"])
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8") or "{}")
        return kept

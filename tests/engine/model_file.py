"""The real model file, fetched once for all tests and all workers."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from flowdbg.engine.models.store import pull_model


def shared_model_cache(config: pytest.Config) -> Path:
    """A cache folder with the model in it; `FLOWDBG_TEST_CACHE` names another place.

    To give it to a program under test, put the file into `config.paths.cache_dir()` of its home.
    """
    given = os.environ.get("FLOWDBG_TEST_CACHE")
    folder = Path(given) if given else config.rootpath / ".pytest_cache" / "flowdbg-model"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Several workers come here at the same time; one fetches, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        pull_model(folder)
    return folder

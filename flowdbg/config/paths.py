"""The directories of flowdbg, by the XDG rules of the platform."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def sessions_dir() -> Path:
    """Where sessions are kept, a file each."""
    return data_dir() / "sessions"


def data_dir() -> Path:
    """What must not be lost: sessions and the embedded server's database."""
    return platformdirs.user_data_path("flowdbg", appauthor=False)


def cache_dir() -> Path:
    """What can be fetched again: the offline model."""
    return platformdirs.user_cache_path("flowdbg", appauthor=False)


def config_file() -> Path:
    """The person's settings; may not exist."""
    return platformdirs.user_config_path("flowdbg", appauthor=False) / "config.toml"

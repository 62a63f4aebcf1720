"""Where keys come from: an environment variable or the system's keyring, never a file of ours."""

from __future__ import annotations

import importlib
import os
from typing import Any

from flowdbg.errors import UsageError

SERVICE = "flowdbg"


def read_key(source: str, profile: str) -> str:
    """The key that `env:NAME` or `keyring` gives; empty when an environment variable is not set.

    Raises:
        UsageError: The keyring cannot be used, or holds no key for this profile.
    """
    if source.startswith("env:"):
        return os.environ.get(source.removeprefix("env:"), "")
    key = _keyring().get_password(SERVICE, profile)
    if not key:
        raise UsageError(
            f"The keyring holds no key for profile '{profile}'.",
            f"Store one: flowdbg config key {profile}.",
        )
    return str(key)


def store_key(profile: str, key: str) -> None:
    """Put a profile's key into the system's keyring.

    Raises:
        UsageError: The keyring cannot be used.
    """
    _keyring().set_password(SERVICE, profile, key)


def _keyring() -> Any:
    try:
        return importlib.import_module("keyring")
    except ImportError as error:
        raise UsageError(
            "The system keyring needs the package 'keyring'.",
            "Install it (pip install keyring), or use key = 'env:NAME' in the profile.",
        ) from error

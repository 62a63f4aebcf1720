"""Where keys come from: an environment variable or the system's keyring, never a file of ours."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowdbg.errors import UsageError

SERVICE = "flowdbg"
_ELSEWHERE = "or use key = 'env:NAME' in the profile."


def read_key(source: str, profile: str) -> str:
    """The key that `env:NAME` or `keyring` gives; empty when an environment variable is not set.

    Raises:
        UsageError: The keyring cannot be used, or holds no key for this profile.
    """
    if source.startswith("env:"):
        return os.environ.get(source.removeprefix("env:"), "")
    with _keyring() as ring:
        key = ring.get_password(SERVICE, profile)
    if not key:
        raise UsageError(
            f"The keyring holds no key for profile '{profile}'.",
            f"Store one: flowdbg config key {profile}.",
        )
    return str(key)


def store_key(profile: str, key: str) -> None:
    """Put a profile's key into the system's keyring.

    Raises:
        UsageError: The keyring cannot be used, or does not keep what it is given.
    """
    with _keyring(key) as ring:
        ring.set_password(SERVICE, profile, key)
        kept = ring.get_password(SERVICE, profile)
    if kept != key:
        raise UsageError("The keyring did not keep the key.", f"Choose a backend, {_ELSEWHERE}")


@contextmanager
def _keyring(secret: str = "") -> Iterator[Any]:
    """The keyring; whatever goes wrong with its backend is told in one way, without the secret."""
    try:
        ring = importlib.import_module("keyring")
    except ImportError as error:
        raise UsageError(
            "The system keyring needs the package 'keyring'.",
            f"Install it (pip install keyring), {_ELSEWHERE}",
        ) from error
    try:
        yield ring
    except Exception as error:  # a backend is foreign code; many raise errors of their own
        # The first sentence says what is wrong; the rest advises programmers.
        why = re.split(r"\n|\. ", str(error), maxsplit=1)[0].rstrip(".") or type(error).__name__
        why = why.replace(secret, "[redacted]") if secret else why
        raise UsageError(
            f"The system keyring cannot be used: {why}.", f"Unlock or install one, {_ELSEWHERE}"
        ) from error

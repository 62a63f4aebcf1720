"""Who may call: any caller on loopback without keys, else the bearer of a configured key."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from flowdbg.dialects.operations import UNAUTHENTICATED, Refusal


class KeyRing:
    """The keys the server was started with; an empty ring lets everyone in."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def admit(self, authorization: str | None) -> None:
        """Check an `Authorization` header.

        Raises:
            Refusal: 401, the key is missing or wrong.
        """
        if not self._keys:
            return
        scheme, _, key = (authorization or "").partition(" ")
        given = key.strip().encode("latin-1", "replace")
        # Every key is compared, in constant time, so that the time taken tells nothing.
        matches = [hmac.compare_digest(given, known) for known in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            what = "The API key is wrong." if authorization else "An API key is needed."
            raise Refusal(
                401,
                UNAUTHENTICATED,
                f"{what} Send it as `Authorization: Bearer <key>`.",
                headers={"www-authenticate": 'Bearer realm="flowdbg"'},
            )

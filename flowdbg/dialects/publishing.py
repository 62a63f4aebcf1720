"""Freezing versions of flows on a server, in no dialect's words."""

from __future__ import annotations

from typing import Any, Protocol

from flowdbg.core.address import FlowAddress


class Publisher(Protocol):
    """A server that keeps numbered versions of flows.

    Each method gives the server's answer, and may raise `TargetError`.
    """

    async def publish(
        self, address: FlowAddress, definition: str, *, production: bool, reuse: bool = False
    ) -> dict[str, Any]:
        """Freeze a flow file's text as the next version: `version`, and whether it is `production`.

        `reuse` gives the newest version again when it is the same flow.

        Raises:
            DefinitionError: The server finds the definition wrong.
        """

    async def versions(self, address: FlowAddress) -> dict[str, Any]:
        """The `versions`: each with `version`, `production`, `createdAt` and `hash`."""

    async def promote(self, address: FlowAddress, version: int) -> dict[str, Any]:
        """Make a version the one that an address without a version means: `production`."""

    async def aclose(self) -> None:
        """Close all connections."""

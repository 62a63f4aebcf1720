"""The vendor's Python SDK, pointed at a local server (protocol section 16.2)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from noukai_sdk import AsyncNoukai, Noukai

KEY = "nk_test_local001_0123456789abcdef0123456789abcdef"


def _point(client: Noukai | AsyncNoukai, base: str) -> None:
    """Make a client talk to another address; the SDK has no public way to."""
    base = base.rstrip("/") + "/"
    transport: Any = client._transport
    kind = httpx.AsyncClient if isinstance(client, AsyncNoukai) else httpx.Client
    transport._base_url = base
    transport._httpx_client = kind(base_url=base, timeout=60)


@contextlib.contextmanager
def sync_client(base: str, key: str = KEY) -> Iterator[Noukai]:
    """The synchronous client."""
    client = Noukai(api_key=key, org="acme", project="demo")
    _point(client, base)
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def async_client(base: str, key: str = KEY) -> AsyncIterator[AsyncNoukai]:
    """The asynchronous client."""
    client = AsyncNoukai(api_key=key, org="acme", project="demo")
    _point(client, base)
    try:
        yield client
    finally:
        await client.aclose()


def plain(event: Any) -> dict[str, Any]:
    """An SDK object as a dictionary, without what differs from run to run."""
    noise = {"executionId", "runId", "flowId", "durationMs", "execution_id", "run_id"}
    dumped: dict[str, Any] = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    summary = dumped.get("summary")
    if isinstance(summary, dict):
        summary.pop("durationMs", None)
    return {name: value for name, value in dumped.items() if name not in noise}

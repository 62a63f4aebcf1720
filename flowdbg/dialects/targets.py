"""The lazy registry of client sides: naming a dialect loads that dialect and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flowdbg.core.address import FlowAddress
from flowdbg.core.inputs import nearest
from flowdbg.dialects.target import Target
from flowdbg.errors import UsageError
from flowdbg.transport.timeouts import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from flowdbg.dialects.publishing import Publisher
    from flowdbg.dialects.traces import Archive
    from flowdbg.dialects.whole_runs import Executor, Queue

CLIENT_SIDES = {"noukai": "flowdbg.dialects.noukai.client"}
"""Dialect name to the module with its `OPERATIONS`: what it can do, and the class that does it."""

DEFAULT_DIALECT = "noukai"
"""What a server speaks of which nobody says otherwise."""

Client = TypeVar("Client")


class Maker(Generic[Client]):
    """Makes the client of one operation, in whatever dialect.

    Args:
        operation: The operation's name in the dialects' `OPERATIONS`.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __call__(
        self,
        dialect: str,
        *,
        url: str,
        key: Callable[[], str],
        address: FlowAddress | None = None,
        session_id: str = "",
    ) -> Client:
        """The client for a server, and for one flow on it where `address` is given.

        `key` is called when a request is sent; what it returns is kept nowhere. `session_id` tags
        the runs that are begun.

        Raises:
            UsageError: There is no such dialect, or it cannot do this.
        """
        found = _load(dialect, self._operation, url)
        client: Client = found(url, key, address, session_id=session_id)
        return client


make_executor: Maker[Executor] = Maker("execute")
"""Whole runs in one call."""
make_queue: Maker[Queue] = Maker("jobs")
"""Queued runs."""
make_archive: Maker[Archive] = Maker("traces")
"""Runs and their traces."""


def make_target(
    dialect: str,
    *,
    url: str,
    address: FlowAddress,
    key: Callable[[], str],
    limits: Limits = DEFAULT_LIMITS,
) -> Target:
    """One flow on one server, to be stepped.

    `key` is called when a request is sent; what it returns is kept nowhere.

    Raises:
        UsageError: There is no such dialect, or it cannot do this.
    """
    target: Target = _load(dialect, "step", url)(url, address, key, limits)
    return target


def make_publisher(dialect: str, *, url: str, key: Callable[[], str]) -> Publisher:
    """A server that freezes versions of flows.

    Raises:
        UsageError: There is no such dialect, or it cannot do this.
    """
    publisher: Publisher = _load(dialect, "publish", url)(url, key)
    return publisher


def operations_of(dialect: str) -> dict[str, str]:
    """What a dialect's client side can do, by name.

    Raises:
        UsageError: There is no such dialect.
    """
    if dialect not in CLIENT_SIDES:
        raise UsageError(f"There is no dialect '{dialect}'.", nearest(dialect, CLIENT_SIDES))
    found: dict[str, str] = import_module(CLIENT_SIDES[dialect]).OPERATIONS
    return found


def _load(dialect: str, operation: str, url: str) -> Callable[..., Any]:
    """The class that does an operation in a dialect."""
    known = operations_of(dialect)
    if operation not in known:
        raise UsageError(
            f"{url} speaks '{dialect}', which has no '{operation}'.",
            f"It has: {', '.join(known)}.",
        )
    module, _, name = known[operation].partition(":")
    made: Callable[..., Any] = getattr(import_module(module), name)
    return made

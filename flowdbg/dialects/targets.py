"""The lazy registry of client sides: naming a dialect loads that dialect and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from flowdbg.core.address import FlowAddress
from flowdbg.dialects.target import Target
from flowdbg.errors import UsageError

_TARGETS = {
    "noukai": "flowdbg.dialects.noukai.target:NoukaiTarget",
}


def make_target(dialect: str, *, url: str, address: FlowAddress, key: Callable[[], str]) -> Target:
    """The client side of a dialect.

    `key` is called when a request is sent; what it returns is kept nowhere.

    Raises:
        UsageError: No such dialect.
    """
    path = _TARGETS.get(dialect)
    if path is None:
        raise UsageError(f"No dialect '{dialect}'.", f"Known: {', '.join(_TARGETS)}.")
    module, _, name = path.partition(":")
    target: Target = getattr(import_module(module), name)(url, address, key)
    return target

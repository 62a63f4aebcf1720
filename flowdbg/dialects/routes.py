"""The dialects this server speaks: name to module, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from flowdbg.dialects.operations import Operation
from flowdbg.dialects.services import Services

SERVER_SIDES = {"noukai": "flowdbg.dialects.noukai.routes"}
"""Dialect name to the module with its routes: `PREFIX` and `operations(services)`."""


def mounted(dialect: str, services: Services) -> tuple[str, Sequence[Operation]]:
    """A dialect's path prefix and its operations."""
    module = import_module(SERVER_SIDES[dialect])
    return cast(str, module.PREFIX), cast("Sequence[Operation]", module.operations(services))

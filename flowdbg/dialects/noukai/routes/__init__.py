"""The server side of the Noukai dialect: what is answered below `/api/v1` (section 2)."""

from __future__ import annotations

from collections.abc import Sequence

from flowdbg.dialects.noukai.routes.documents import flow_operations
from flowdbg.dialects.noukai.routes.run_documents import run_operations
from flowdbg.dialects.noukai.wire import API_PREFIX
from flowdbg.dialects.operations import Operation
from flowdbg.dialects.services import Services

PREFIX = API_PREFIX


def operations(services: Services) -> Sequence[Operation]:
    """Every operation of the dialect."""
    return (*flow_operations(services), *run_operations(services))

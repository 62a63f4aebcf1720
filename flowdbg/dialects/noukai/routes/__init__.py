"""The server side of the Noukai dialect: what is answered below `/api/v1/seq` (section 2)."""

from __future__ import annotations

from collections.abc import Sequence

from flowdbg.dialects.noukai.routes.documents import (
    execute_operations,
    job_operations,
    plan_operations,
    step_operations,
)
from flowdbg.dialects.noukai.routes.run_documents import run_operations
from flowdbg.dialects.noukai.wire import API_PREFIX
from flowdbg.dialects.operations import Operation
from flowdbg.dialects.services import Services

PREFIX = API_PREFIX


def operations(services: Services) -> Sequence[Operation]:
    """Every operation of the dialect."""
    return (
        *step_operations(services),
        *execute_operations(services),
        *job_operations(services),
        *plan_operations(services),
        *run_operations(services),
    )

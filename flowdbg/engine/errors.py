"""The engine's errors; the server's routes turn them into the dialect's codes.

FlowdbgError
└── EngineError           has a machine-readable `code`
    ├── InputInvalid      the flow's inputs are missing or wrong       (before anything runs)
    ├── MissingOutput     an earlier output that is needed was not given  (before)
    ├── StepIndexInvalid  the plan has no such entry                   (before)
    ├── OverrideInvalid   a block override names a wrong field or value  (before)
    ├── ResumeInvalid     the state or conversation does not fit       (before)
    └── BlockFailed       a block failed while it ran; ends the entry
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.errors import FlowdbgError


class EngineError(FlowdbgError):
    """Base: what happened, what to do next, and a code for programs."""

    code = "ENGINE_ERROR"


class InputInvalid(EngineError):
    """The flow's inputs are missing or wrong; `missing` names the ones not given."""

    code = "INPUT_INVALID"

    def __init__(self, what: str, next_step: str = "", *, missing: tuple[str, ...] = ()) -> None:
        super().__init__(what, next_step)
        self.missing = missing


class MissingOutput(EngineError):
    """Outputs of earlier steps are needed and were not given; `step_ids` in plan order."""

    code = "MISSING_OUTPUT"

    def __init__(self, step_ids: tuple[str, ...]) -> None:
        names = ", ".join(f"`{step_id}`" for step_id in step_ids)
        super().__init__(
            f"The output of {names} is needed and was not sent.",
            "Send the outputs of all earlier steps, or an input override for the missing ones.",
        )
        self.step_ids = step_ids


class StepIndexInvalid(EngineError):
    """The plan has no entry with this index."""

    code = "INVALID_STEP_INDEX"


class OverrideInvalid(EngineError):
    """A block override names a field or value the block cannot have."""

    code = "BLOCK_OVERRIDE_INVALID"

    def __init__(self, what: str, next_step: str = "", *, step_id: str, field: str) -> None:
        super().__init__(what, next_step)
        self.step_id = step_id
        self.field = field


class ResumeInvalid(EngineError):
    """The state or the tool conversation does not fit this plan entry."""

    code = "RESUME_INVALID"


class BlockFailed(EngineError):
    """A block failed; `code` says how, `detail` adds JSON data for people and programs."""

    def __init__(
        self,
        code: str,
        what: str,
        next_step: str = "",
        *,
        detail: Mapping[str, Any] | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(what, next_step)
        self.code = code
        self.detail = dict(detail or {})
        self.retryable = retryable

    def as_json(self) -> dict[str, Any]:
        """`{code, message, …detail}`, the error object of a step."""
        return {**self.detail, "code": self.code, "message": str(self)}

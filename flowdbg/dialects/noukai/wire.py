"""The messages of the Noukai dialect: names, codes and frames both sides agree on.

Protocol sections 4, 5 and 11. Imports nothing of either side, so that both can load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowdbg.dialects.encoding import json_bytes

API_PREFIX: Final = "/api/v1"
"""What the addresses of all routes begin with (section 1.1)."""
API_VERSION: Final = "2026-05-31"
"""What the vendor's clients send as `X-Noukai-API-Version`."""

TOOL_CALLS_REQUIRED: Final = "tool_calls_required"
"""The status of a whole run that waits for tool results (section 6.3)."""
ROLES: Final = ("user", "assistant", "tool")
"""Who may speak in a conversation that a caller gives (section 3)."""
RENDERED_PROMPT: Final = "__rendered_prompt__"
"""Reserved in stored outputs: what the model was asked; never part of an output (section 8.6)."""

RUN_STARTED: Final = "run_started"
FLOW_STARTED: Final = "flow_started"
STEP_STARTED: Final = "step_started"
STEP_INPUT: Final = "step_input"
STEP_OUTPUT: Final = "step_output"
STEP_PROGRESS: Final = "step_progress"
STEP_COMPLETED: Final = "step_completed"
STEP_ERROR: Final = "step_error"
STEP_PAUSED: Final = "step_paused"
STEP_PAUSED_FOR_TOOL_CALLS: Final = "step_paused_for_tool_calls"
LOOP_COMPLETED: Final = "loop_completed"
RUN_COMPLETED: Final = "run_completed"
FLOW_COMPLETED: Final = "flow_completed"

FLOW_NOT_FOUND: Final = "FLOW_NOT_FOUND"
INVALID_TREE: Final = "INVALID_TREE"
NO_STEPS: Final = "NO_STEPS"
INVALID_VERSION: Final = "INVALID_VERSION"
STALE_TREE: Final = "STALE_TREE"
INVALID_STEP_INDEX: Final = "INVALID_STEP_INDEX"
INVALID_FIRST_CALL: Final = "INVALID_FIRST_CALL"
MISSING_MESSAGE: Final = "MISSING_MESSAGE"
RUN_NOT_FOUND: Final = "RUN_NOT_FOUND"
EXECUTION_ID_INVALID: Final = "EXECUTION_ID_INVALID"
PAUSED_STEP_INVALID: Final = "PAUSED_STEP_INVALID"
TOOL_RESULTS_MISMATCH: Final = "TOOL_RESULTS_MISMATCH"
TOOL_ITERATION_LIMIT: Final = "TOOL_ITERATION_LIMIT"
TOOLS_NOT_ENABLED: Final = "TOOLS_NOT_ENABLED"
TOOLS_INVALID: Final = "TOOLS_INVALID"
TOOL_NAME_INVALID: Final = "TOOL_NAME_INVALID"
TOOLS_IN_NON_SEQUENTIAL_STEP: Final = "TOOLS_IN_NON_SEQUENTIAL_STEP"
TOOLS_REQUIRE_SYNC_EXECUTE: Final = "TOOLS_REQUIRE_SYNC_EXECUTE"
MESSAGES_ROLE_INVALID: Final = "MESSAGES_ROLE_INVALID"
MESSAGES_TOO_LARGE: Final = "MESSAGES_TOO_LARGE"
MODEL_MIME_INCOMPATIBLE: Final = "MODEL_MIME_INCOMPATIBLE"
BYOK_KEY_REJECTED: Final = "BYOK_KEY_REJECTED"
INSUFFICIENT_CREDITS: Final = "INSUFFICIENT_CREDITS"
CREDITS_EXHAUSTED: Final = "CREDITS_EXHAUSTED"
BILLING_UNAVAILABLE: Final = "BILLING_UNAVAILABLE"
JOB_NOT_FOUND: Final = "JOB_NOT_FOUND"
PARAMETER_NAME_RESERVED: Final = "PARAMETER_NAME_RESERVED"

ATTACHMENTS_INVALID: Final = "ATTACHMENTS_INVALID"
"""Ours, 400: an attachment does not have the shape of section 3."""
STEP_NOT_FOUND: Final = "STEP_NOT_FOUND"
"""Ours, 404: the run has no record of that step, attempt or iteration."""
SESSION_ID_INVALID: Final = "SESSION_ID_INVALID"
"""Ours, 400: a session's id is not a UUID."""
SESSION_NOT_FOUND: Final = "SESSION_NOT_FOUND"
"""Ours, 404: no run carries the session's tag."""
MISSING_OUTPUT: Final = "MISSING_OUTPUT"
"""Ours, 400: an earlier output that the step reads was not sent; named in `detail.missing`."""
INVALID_PARAMETERS: Final = "INVALID_PARAMETERS"
"""Ours, 400: an input of the flow is missing or has the wrong type."""
INVALID_BLOCK_OVERRIDE: Final = "INVALID_BLOCK_OVERRIDE"
"""Ours, 400: a block override names a field or value the block cannot have."""

PING: Final = b": ping\n\n"
"""A heartbeat: a comment, which every reader skips."""


def flow_path(address: object, version: int | None) -> str:
    """What the paths of a flow begin with (section 2): no version is production, 0 the draft."""
    return f"/seq/{address}" if version is None else f"/seq/{address}/v{version}"


def tokens(prompt: int, completion: int) -> dict[str, int]:
    """Tokens as the protocol has them (section 3): integers, never null."""
    return {"prompt": prompt, "completion": completion, "total": prompt + completion}


def frame(event: str, fields: Mapping[str, Any]) -> bytes:
    """One event: LF framing, and both discriminators (section 5.1)."""
    name = event.encode()
    data = json_bytes(fields)
    tail = b"," + data[1:] if len(data) > 2 else b"}"
    return b"event: " + name + b'\ndata: {"eventType":"' + name + b'"' + tail + b"\n\n"


def output_frames(step_id: str) -> tuple[bytes, bytes]:
    """What stands before and after the chunk in the `step_output` frames of one step.

    A model's tokens are by far the most frequent events, so their frames are put together from
    pieces instead of being serialised whole.
    """
    head = frame(STEP_OUTPUT, {"stepId": step_id})[: -len(b"}\n\n")]
    return head + b',"outputData":', b"}\n\n"

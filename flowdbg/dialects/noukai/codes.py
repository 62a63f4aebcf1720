"""The error codes of the dialect (protocol section 11.3): what they mean and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from flowdbg.errors import (
    AuthenticationFailed,
    FlowNotFound,
    InputMissing,
    NoSuchStep,
    RateLimited,
    Refused,
    RunLost,
    ServerFailed,
    StalePlan,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What to do about a code, and which error it becomes."""

    next_step: str
    kind: type[Refused] = Refused


CODES = {
    "FLOW_NOT_FOUND": Meaning(
        "Check the address and the version, and that the flow is published.", FlowNotFound
    ),
    "INVALID_TREE": Meaning("The published tree cannot be run; repair and publish the flow again."),
    "NO_STEPS": Meaning("The flow has no steps; add one and publish it again."),
    "INVALID_VERSION": Meaning("The draft cannot be stepped; name a published version."),
    "STALE_TREE": Meaning(
        "The flow was published again: restart on the new plan (R) or pin a version (P).", StalePlan
    ),
    "INVALID_STEP_INDEX": Meaning("The flow has no such step; it is at its end.", NoSuchStep),
    "INVALID_FIRST_CALL": Meaning("Restart (R): this server wants a run to begin at step 0."),
    "MISSING_MESSAGE": Meaning(
        "Give the run's message (-m TEXT, or I for the inputs).", InputMissing
    ),
    "INVALID_PARAMETERS": Meaning("Give the inputs it names (-p NAME=VALUE, or I).", InputMissing),
    "MISSING_OUTPUT": Meaning(
        "Run the earlier step again (F to fork before it), or give its output by hand (i)."
    ),
    "RUN_NOT_FOUND": Meaning("Step again: a new run goes on with the outputs kept here.", RunLost),
    "EXECUTION_ID_INVALID": Meaning(
        "Step again: a new run goes on with the outputs kept here.", RunLost
    ),
    "PAUSED_STEP_INVALID": Meaning("Restart the run (R): that step cannot be resumed."),
    "TOOL_RESULTS_MISMATCH": Meaning("Answer each pending tool call once, then go on."),
    "TOOL_ITERATION_LIMIT": Meaning(
        "The server's limit of tool rounds is reached; retry the step (r) or change its prompt (o)."
    ),
    "TOOLS_NOT_ENABLED": Meaning("No block of the flow takes tools; leave --tools out."),
    "TOOLS_INVALID": Meaning("Correct the tool definitions: name, description, JSON schema."),
    "TOOL_NAME_INVALID": Meaning("Rename the tool: letters, digits, _ and - only."),
    "TOOLS_IN_NON_SEQUENTIAL_STEP": Meaning("Tools cannot be used inside a loop or a parallel."),
    "TOOLS_REQUIRE_SYNC_EXECUTE": Meaning("Jobs take no tools; use execute or debug."),
    "MESSAGES_ROLE_INVALID": Meaning("Messages have the roles user, assistant or tool only."),
    "MESSAGES_TOO_LARGE": Meaning("Shorten the conversation; the limit is 1 MB."),
    "PARAMETER_NAME_RESERVED": Meaning("Rename the parameter; 'attachments' is reserved."),
    "MODEL_MIME_INCOMPATIBLE": Meaning("Attach another type, or change the block's model (o)."),
    "INSUFFICIENT_CREDITS": Meaning("Add credits to the account, then step again."),
    "CREDITS_EXHAUSTED": Meaning("Add credits to the account, then retry the step (r)."),
    "BILLING_UNAVAILABLE": Meaning("Wait a little, then step again.", ServerFailed),
    "BYOK_KEY_REJECTED": Meaning(
        "The provider refused the stored key; replace it at the server.", ServerFailed
    ),
    "INTERNAL_ERROR": Meaning("Look at the server's log, then retry the step (r).", ServerFailed),
    "UNAUTHENTICATED": Meaning("Set NOUKAI_API_KEY to a valid key.", AuthenticationFailed),
    "FORBIDDEN": Meaning("Use a key of this project.", AuthenticationFailed),
    "RATE_LIMIT": Meaning("Wait as long as it says, then step again.", RateLimited),
    "JOB_NOT_FOUND": Meaning("Check the job's id.", FlowNotFound),
    "INVALID_BLOCK_OVERRIDE": Meaning("Correct the changed field of the block (o)."),
}

BY_STATUS: dict[int, Meaning] = {
    401: CODES["UNAUTHENTICATED"],
    402: CODES["INSUFFICIENT_CREDITS"],
    403: CODES["FORBIDDEN"],
    404: CODES["FLOW_NOT_FOUND"],
    429: CODES["RATE_LIMIT"],
}


def meaning_of(status: int, code: str) -> Meaning:
    """What to do about an answer: by its code, else by its status."""
    fallback = Meaning("Read what the server says, correct the request and try again.")
    if status >= 500:
        fallback = Meaning("Look at the server's log, then retry the step (r).", ServerFailed)
    return CODES.get(code) or BY_STATUS.get(status) or fallback

"""The error codes of the dialect (protocol section 11.3): what they mean and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from flowdbg.dialects.noukai import wire
from flowdbg.errors import (
    AuthenticationFailed,
    EditRefused,
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
    """In the debugger; without keys, which are the screen's."""
    kind: type[Refused] = Refused
    command: str = ""
    """Outside of the debugger; empty when the same holds."""

    @property
    def for_commands(self) -> str:
        """What to do next where a whole run, a job or a trace was asked for."""
        return self.command or self.next_step


CODES = {
    wire.FLOW_NOT_FOUND: Meaning(
        "Check the address and the version, and that the flow is published.", FlowNotFound
    ),
    wire.INVALID_TREE: Meaning(
        "The published tree cannot be run; repair and publish the flow again."
    ),
    wire.NO_STEPS: Meaning("The flow has no steps; add one and publish it again."),
    wire.INVALID_VERSION: Meaning("The draft cannot be stepped; name a published version."),
    wire.STALE_TREE: Meaning(
        "The flow was published again: restart on the new plan, or pin a version.",
        StalePlan,
        command="The flow was published again: run it anew, or name a version (@N).",
    ),
    wire.INVALID_STEP_INDEX: Meaning("The flow has no such step; it is at its end.", NoSuchStep),
    wire.INVALID_FIRST_CALL: Meaning(
        "This server wants a run to begin at its first step: restart."
    ),
    wire.MISSING_MESSAGE: Meaning("Give the run's message (-m TEXT).", InputMissing),
    wire.INVALID_PARAMETERS: Meaning("Give the inputs it names (-p NAME=VALUE).", InputMissing),
    wire.MISSING_OUTPUT: Meaning(
        "Fork before the earlier step and run it again, or give its output by hand.",
        command="Run the flow anew; the outputs it goes on with are not complete.",
    ),
    wire.RUN_NOT_FOUND: Meaning(
        "Step again: a new run goes on with the outputs kept here.",
        RunLost,
        command="Check the run's id; 'flowdbg runs TARGET' lists those of a flow.",
    ),
    wire.EXECUTION_ID_INVALID: Meaning(
        "Step again: a new run goes on with the outputs kept here.",
        RunLost,
        command="Check the run's id and the flow; 'flowdbg runs TARGET' lists a flow's runs.",
    ),
    wire.PAUSED_STEP_INVALID: Meaning("The run does not wait there any more: restart it."),
    wire.TOOL_RESULTS_MISMATCH: Meaning("Answer each pending tool call once, then go on."),
    wire.TOOL_ITERATION_LIMIT: Meaning(
        "The server's limit of tool rounds is reached; change the prompt or the tools."
    ),
    wire.TOOLS_NOT_ENABLED: Meaning("No block of the flow takes tools; leave --tools out."),
    wire.TOOLS_INVALID: Meaning("Correct the tool definitions: name, description, JSON schema."),
    wire.TOOL_NAME_INVALID: Meaning("Rename the tool: letters, digits, _ and - only."),
    wire.TOOLS_IN_NON_SEQUENTIAL_STEP: Meaning(
        "Tools cannot be used inside a container; leave them out, or make that block a step."
    ),
    wire.TOOLS_REQUIRE_SYNC_EXECUTE: Meaning("Jobs take no tools; use execute or debug."),
    wire.MESSAGES_ROLE_INVALID: Meaning("Messages have the roles user, assistant or tool only."),
    wire.MESSAGES_TOO_LARGE: Meaning("Shorten the conversation; the limit is 1 MB."),
    wire.PARAMETER_NAME_RESERVED: Meaning("Rename the parameter; 'attachments' is reserved."),
    wire.MODEL_MIME_INCOMPATIBLE: Meaning(
        "Attach another type, or change the block's model.",
        command="Attach another type, or name another model (--override-block STEP.model=MODEL).",
    ),
    wire.INSUFFICIENT_CREDITS: Meaning("Add credits to the account, then run it again."),
    wire.CREDITS_EXHAUSTED: Meaning(
        "Add credits to the account, then run the step again.",
        command="Add credits to the account; the run's trace tells how far it came.",
    ),
    wire.BILLING_UNAVAILABLE: Meaning("Wait a little, then run it again.", ServerFailed),
    wire.BYOK_KEY_REJECTED: Meaning(
        "The provider refused the stored key; replace it at the server.", ServerFailed
    ),
    "INTERNAL_ERROR": Meaning(
        "Look at the server's log, then run the step again.",
        ServerFailed,
        command="Look at the server's log, and at the run's trace before running it again.",
    ),
    "UNAUTHENTICATED": Meaning(
        "Set NOUKAI_API_KEY to a valid key, or what the profile's key is taken from.",
        AuthenticationFailed,
    ),
    "FORBIDDEN": Meaning("Use a key of this project.", AuthenticationFailed),
    "RATE_LIMIT": Meaning("Wait as long as it says, then try again.", RateLimited),
    wire.JOB_NOT_FOUND: Meaning(
        "Check the job's id and the flow; a new job may take some seconds to be seen.",
        FlowNotFound,
    ),
    "TOOL_CALL_LIMIT_CLIENT": Meaning(
        "Raise --max-tool-rounds, or look why the model does not come to an end."
    ),
    wire.ATTACHMENTS_INVALID: Meaning("Correct the attachment (--attach URL=TYPE)."),
    wire.STEP_NOT_FOUND: Meaning(
        "Check the step, the attempt and the iteration; the whole trace lists them.", FlowNotFound
    ),
    wire.INVALID_BLOCK_OVERRIDE: Meaning(
        "Correct the changed field of the block.",
        EditRefused,
        command="Correct --override-block: the field or its value does not fit the block.",
    ),
}

BY_STATUS: dict[int, Meaning] = {
    401: CODES["UNAUTHENTICATED"],
    402: CODES[wire.INSUFFICIENT_CREDITS],
    403: CODES["FORBIDDEN"],
    404: CODES[wire.FLOW_NOT_FOUND],
    429: CODES["RATE_LIMIT"],
}


def meaning_of(status: int, code: str) -> Meaning:
    """What to do about an answer: by its code, else by its status."""
    fallback = Meaning("Read what the server says, correct the request and try again.")
    if status >= 500:
        fallback = CODES["INTERNAL_ERROR"]
    return CODES.get(code) or BY_STATUS.get(status) or fallback

"""What a client sends: read tolerantly where its vendors differ, refused where it makes no sense.

Protocol sections 4.1 and 18.9: null means absent, unknown fields are ignored.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from flowdbg.dialects.noukai.wire import INVALID_VERSION, PARAMETER_NAME_RESERVED
from flowdbg.dialects.operations import INVALID_REQUEST, Refusal
from flowdbg.dialects.services import DRAFT, Address

RequestModel = TypeVar("RequestModel", bound="RunRequest")
_SESSION_ID_LIMIT = 200


class RunRequest(BaseModel):
    """What every request that runs something may say."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, body: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if value is not None}

    message: str | None = None
    """The primary input of a new run."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Further inputs of a new run."""
    attachments: list[Any] = Field(default_factory=list)
    """Images of a new run, by address."""
    block_overrides: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        validation_alias=AliasChoices("blockOverrides", "block_overrides"),
    )
    """Step id to the fields that stand in for its configuration."""
    tools: list[Any] = Field(default_factory=list)
    """Definitions of the tools that the model may ask for."""
    tool_choice: Any = None
    """Which tool the model has to use."""
    trace: bool = False
    """Keep whole inputs and outputs in the run's record."""


class StepRequest(RunRequest):
    """The body of `/step` (section 4.1)."""

    execution_id: str | None = None
    """The run that goes on; absent: a new one."""
    step_index: int = 0
    """Index of the plan entry to run."""
    accumulated_outputs: dict[str, Any] = Field(default_factory=dict)
    """Step id to output, of everything that has run."""
    input_overrides: dict[str, Any] = Field(default_factory=dict)
    """Step id to the value that stands in for its output."""
    run_remaining: bool = False
    """Run to the end without pausing."""
    tool_call_messages: list[Any] = Field(default_factory=list)
    """The conversation of a pause with the results appended: go on after it."""
    iterations_used: int = 0
    """Rounds of tool calls so far, as the pause said."""


class WholeRunRequest(RunRequest):
    """The body of `/jobs` (section 7), and of a fresh `/execute` (section 6.1)."""

    messages: list[Any] = Field(default_factory=list)
    """Chat turns; the last one of the user stands in for `message`."""


class ExecuteRequest(WholeRunRequest):
    """The body of `/execute`, fresh or going on after a pause (section 6.2)."""

    execution_id: str | None = None
    """The run that goes on."""
    paused_at_step: str | None = None
    """The step that paused."""
    tool_call_messages: list[Any] = Field(default_factory=list)
    """The conversation of the pause with the results appended."""
    iterations_used: int = 0
    """Rounds of tool calls so far, as the pause said."""
    accumulated_outputs: dict[str, Any] = Field(default_factory=dict)
    """Step id to output, as the pause said."""

    @property
    def resumes(self) -> bool:
        """Whether it goes on after a pause."""
        return bool(self.execution_id and self.paused_at_step and self.tool_call_messages)


def read_request(model: type[RequestModel], body: dict[str, Any]) -> RequestModel:
    """Read a body.

    Raises:
        Refusal: 400, with every field that is wrong in `detail.problems`; 400 for a reserved
            parameter name.
    """
    try:
        request = model.model_validate(body)
    except ValidationError as error:
        problems = [
            {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        first = problems[0]
        message = f"The field `{first['field']}` is wrong: {first['message']}."
        raise Refusal(400, INVALID_REQUEST, message, problems=problems) from error
    parameters = body.get("parameters")
    if isinstance(parameters, dict) and "attachments" in parameters:
        raise Refusal(
            400,
            PARAMETER_NAME_RESERVED,
            "`attachments` cannot be the name of a parameter. Send it as a field of the request.",
        )
    return request


def address_of(request: Request) -> Address:
    """The flow that a path names."""
    parameters = request.path_params
    return Address(parameters["org"], parameters["project"], parameters["flow"])


def version_of(request: Request) -> int | None:
    """The version that a path names (section 2.1): None = none, 0 = the draft."""
    version: int | None = request.path_params.get("version")
    return version


def published_version_of(request: Request) -> int | None:
    """As `version_of`, where the draft is refused because it may change between two steps.

    Raises:
        Refusal: 400 `INVALID_VERSION`.
    """
    version = version_of(request)
    if version == DRAFT:
        raise Refusal(
            400,
            INVALID_VERSION,
            "The draft (v0) cannot be stepped, because it may change between two steps."
            " Publish it and name the version.",
        )
    return version


def session_of(request: Request) -> str | None:
    """The `X-Session-Id` that tags a run (section 9).

    Raises:
        Refusal: 400, it is longer than 200 characters.
    """
    session: str | None = request.headers.get("x-session-id")
    if session is not None and len(session) > _SESSION_ID_LIMIT:
        message = f"`X-Session-Id` is longer than {_SESSION_ID_LIMIT} characters."
        raise Refusal(400, INVALID_REQUEST, message)
    return session or None

"""From a request to the plan it means, and every reason to refuse it before anything runs.

Protocol sections 2.1, 11.3 and 17.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.requests import address_of
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.playing import Play, beside_inputs, inputs_of
from flowdbg.dialects.services import Flows, FlowUnknown, Resolved, Services
from flowdbg.engine.errors import (
    EngineError,
    InputInvalid,
    MissingOutput,
    OverrideInvalid,
)
from flowdbg.engine.plan import PlanEntry
from flowdbg.errors import DefinitionError

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


async def resolve(flows: Flows, request: Request, version: int | None) -> Resolved:
    """The plan that a request means.

    Raises:
        Refusal: 404 `FLOW_NOT_FOUND`, 422 `INVALID_TREE`, 400 `NO_STEPS`, 412 `STALE_TREE` when
            the request says which plan it was made for (`If-Match`) and the plan is another one.
    """
    try:
        resolved = await flows.resolve(address_of(request), version)
    except FlowUnknown as error:
        raise Refusal(404, wire.FLOW_NOT_FOUND, str(error)) from error
    except DefinitionError as error:
        problems = [
            {"file": item.file, "line": item.line, "field": item.field, "message": item.message}
            for item in error.problems
        ]
        message = f"The flow's definition cannot be run: {error.problems[0]}"
        if _has_no_steps(error):
            message = "The flow has no steps. Add one to its definition."
            raise Refusal(400, wire.NO_STEPS, message, problems=problems) from error
        raise Refusal(422, wire.INVALID_TREE, message, problems=problems) from error
    expected = request.headers.get("if-match")
    if expected is not None and not _matches(expected, resolved.plan_hash):
        message = (
            "The flow was published again since the plan was read. Read the plan again and start"
            " over, or name the version."
        )
        raise stale(resolved, message, status=412)
    return resolved


def check_outputs(resolved: Resolved, outputs: Mapping[str, Any]) -> None:
    """See that every output belongs to a step of the plan.

    Raises:
        Refusal: 400 `STALE_TREE`.
    """
    unknown = outputs.keys() - set(_ids(resolved.plan))
    if unknown:
        names = ", ".join(f"`{name}`" for name in sorted(unknown)[:10])
        message = f"The flow has no step {names} any more. Start over on the current plan."
        raise stale(resolved, message, status=400)


def check_index(resolved: Resolved, index: int) -> None:
    """See that the plan has an entry with this index.

    Raises:
        Refusal: 400 `INVALID_STEP_INDEX`.
    """
    count = len(resolved.plan)
    if not 0 <= index < count:
        raise Refusal(
            400,
            wire.INVALID_STEP_INDEX,
            f"The flow has {count} steps, so `stepIndex` must be 0 to {count - 1}.",
            stepCount=count,
        )


def stale(resolved: Resolved, message: str, *, status: int) -> Refusal:
    """A refusal that carries the current plan."""
    steps = [
        {"stepId": entry.step_id, "name": entry.name, "index": index}
        for index, entry in enumerate(resolved.plan)
    ]
    return Refusal(
        status,
        wire.STALE_TREE,
        message,
        steps=steps,
        version=resolved.version,
        planHash=resolved.plan_hash,
    )


def flow_inputs(resolved: Resolved, initial: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    """The flow's global input, from what the run was started with (sections 12.3, 12.4, 17.15).

    At a later step it is taken as it is: a run that nobody remembers goes on with what there is.

    Raises:
        Refusal: 400 `MISSING_MESSAGE` or `INVALID_PARAMETERS`, at the first step only.
    """
    message = initial.get("message")
    try:
        return inputs_of(resolved.definition, initial)
    except InputInvalid as error:
        if not first:
            said = {} if message is None else {"message": message}
            return {**said, **(initial.get("parameters") or {}), **beside_inputs(initial)}
        code = wire.INVALID_PARAMETERS
        if error.missing and message is None:
            code = wire.MISSING_MESSAGE
        raise Refusal(400, code, str(error), missing=list(error.missing)) from error


def check_entry(services: Services, play: Play, index: int) -> None:
    """Have the engine check the entry that is played first; nothing runs.

    Raises:
        Refusal: 400 `MISSING_OUTPUT`, `INVALID_BLOCK_OVERRIDE`, or the engine's own code.
    """
    try:
        play.open(services.engine, index)
    except MissingOutput as error:
        missing = list(error.step_ids)
        raise Refusal(400, wire.MISSING_OUTPUT, str(error), missing=missing) from error
    except OverrideInvalid as error:
        code = wire.INVALID_BLOCK_OVERRIDE
        raise Refusal(400, code, str(error), stepId=error.step_id, field=error.field) from error
    except EngineError as error:
        raise Refusal(400, error.code, str(error)) from error


def _has_no_steps(error: DefinitionError) -> bool:
    """Whether a definition would be right if it had steps."""
    return all(
        problem.field == "steps" and problem.message.startswith(("has 0 items", "is missing"))
        for problem in error.problems
    )


def _matches(header: str, plan_hash: str) -> bool:
    """Whether an `If-Match` header names the hash; `*` names any."""
    if header.strip() == "*":
        return True
    return plan_hash in (_TAG.findall(header) or [header.strip()])


def _ids(plan: Iterable[PlanEntry]) -> Iterable[str]:
    for entry in plan:
        yield entry.step_id
        yield from _ids(entry.children)

"""The client side of the dialect: one `/step` call a turn (protocol sections 4, 5, 11 and 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from flowdbg.core.address import FlowAddress
from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.plan import Plan, Step
from flowdbg.core.requests import ToolResume, TurnRequest
from flowdbg.dialects.noukai.codes import meaning_of
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.target import Ability, Call, Capabilities, Exactness
from flowdbg.errors import (
    ConnectionFailed,
    FlowNotFound,
    Interrupted,
    ProtocolViolation,
    Refused,
    ServerFailed,
    TargetError,
)
from flowdbg.transport.answers import ErrorAnswer
from flowdbg.transport.body import BodyEncoder
from flowdbg.transport.client import HttpClient
from flowdbg.transport.stream import EventStream
from flowdbg.transport.timeouts import DEFAULT_LIMITS, Limits

API_VERSION = "2026-05-31"

_EXACT = Ability(Exactness.EXACT)
CAPABILITIES = Capabilities(
    pause=_EXACT,
    edit_output=_EXACT,
    edit_block=Ability(Exactness.EXACT, "per call; sent again on every call"),
    run_to_end=_EXACT,
    cancel=Ability(Exactness.EMULATED, "the stream is closed; the server does not confirm"),
    answer=_EXACT,
    checkpoints=Ability(Exactness.EMULATED, "the client keeps every output and sends it again"),
)


class NoukaiTarget:
    """One flow on one server that speaks the dialect."""

    dialect = "noukai"
    capabilities = CAPABILITIES

    def __init__(
        self,
        url: str,
        address: FlowAddress,
        key: Callable[[], str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.url = url
        self._address = address
        self._key = key
        self._bodies = BodyEncoder()
        self._client = HttpClient(
            url,
            headers=self._headers,
            timeouts=limits.timeouts,
            explain=explain,
            max_event_bytes=limits.max_event_bytes,
        )

    def prepare(self, request: TurnRequest) -> Call:
        """The `/step` call for a request (section 4.1)."""
        expected = (("If-Match", f'"{request.plan_hash}"'),) if request.plan_hash else ()
        return Call(f"{self._route(request.pinned)}/step", step_body(request), expected)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[list[Received]]]:
        """Post the call once and give its events as they come (section 5)."""
        body = self._bodies.encode(call.body)
        stream = self._client.post_events(call.route, body, dict(call.headers))
        try:
            await stream.__aenter__()
        except (Refused, ConnectionFailed):
            raise
        except TargetError as error:
            if stream.sent:
                raise
            raise ConnectionFailed(error.what, error.next_step) from error
        try:
            yield _batches(stream)
        finally:
            await stream.__aexit__(None, None, None)

    def decode(self, name: str, data: str) -> Received:
        """Read a stored event again."""
        return decode(name, data)

    async def fetch_plan(self, pinned: int | None) -> Plan | None:
        """The plan, from the embedded server's own route; None on servers that lack it.

        Raises:
            TargetError: The server could not be asked, or its answer is not a plan.
        """
        try:
            answer = await self._client.get_json(f"{self._route(pinned)}/plan")
        except ServerFailed as error:
            error.next_step = "Look at the server's log, and try again; nothing was run."
            raise
        except FlowNotFound as error:
            if error.code:
                raise
            return None
        except Refused as error:
            if error.status == 405:
                return None
            raise
        return read_plan(answer.value)

    def plan_of(self, detail: Mapping[str, Any]) -> Plan:
        """The plan inside a refusal for a stale tree (section 11.3): ids and names at least."""
        items = detail.get("steps")
        steps = [_named_step(item) for item in items] if isinstance(items, list) else []
        version = detail.get("version")
        plan_hash = detail.get("planHash")
        return Plan(
            tuple(step for step in steps if step),
            version if isinstance(version, int) else None,
            plan_hash if isinstance(plan_hash, str) else "",
            told=bool(steps),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _route(self, pinned: int | None) -> str:
        version = "" if pinned is None else f"/v{pinned}"
        return f"/seq/{self._address}{version}"

    def _headers(self) -> dict[str, str]:
        headers = {"X-Noukai-API-Version": API_VERSION}
        key = self._key()
        return {**headers, "Authorization": f"Bearer {key}"} if key else headers


async def _batches(stream: EventStream) -> AsyncIterator[list[Received]]:
    """The stream's events, decoded; an end in the middle of one is an interruption."""
    async for events in stream.batches():
        yield [decode(event.event, event.data) for event in events]
    if stream.tail.strip():
        raise Interrupted(
            "The stream ended in the middle of an event.",
            "Look at what it did, then run it again (r) or restart (R).",
            tail=stream.tail[:2000].decode("utf-8", "replace"),
        )


def step_body(request: TurnRequest) -> Segments:
    """The exact body of a `/step` call, in pieces: outputs go out as the text they came in."""
    parts: list[str | JsonText] = ["{"]
    if request.execution_id:
        parts += ['"executionId":', JsonText.of(request.execution_id), ","]
    parts += [f'"stepIndex":{request.index},"accumulatedOutputs":']
    parts += _object(request.outputs)
    if not request.execution_id:
        if request.message is not None:
            parts += [',"message":', JsonText.of(request.message)]
        parts += [',"parameters":', request.parameters]
    parts.append(',"inputOverrides":')
    parts += _object(request.output_edits)
    if request.block_edits:
        parts.append(',"blockOverrides":{')
        for key, fields in zip(
            _keys(request.block_edits), request.block_edits.values(), strict=True
        ):
            parts += [key, *_object(fields)]
        parts.append("}")
    parts.append(f',"runRemaining":{"true" if request.run_remaining else "false"}')
    if request.tools:
        parts += [',"tools":', JsonText(request.tools)]
    if request.tool_choice:
        parts += [',"toolChoice":', JsonText(request.tool_choice)]
    if request.attachments:
        parts += [',"attachments":', JsonText(request.attachments)]
    if request.resume:
        parts += _resume(request.resume)
    parts.append(f',"trace":{"true" if request.trace else "false"}}}')
    return tuple(parts)


def _resume(resume: ToolResume) -> list[str | JsonText]:
    """The pause's own conversation with every answer appended (section 12, point 10)."""
    state = resume.state.text.strip()
    head, tail = (state[:-1], state[-1]) if state.endswith("]") else ("[", "]")
    parts: list[str | JsonText] = [',"toolCallMessages":', JsonText(head)]
    separator = "" if head.strip() == "[" else ","
    for call_id, content in resume.answers:
        message = {"role": "tool", "toolCallId": call_id, "content": content}
        parts += [separator, JsonText.of(message)]
        separator = ","
    return [*parts, f'{tail},"iterationsUsed":{resume.iterations_used}']


def _object(fields: Mapping[str, JsonText]) -> list[str | JsonText]:
    members: list[str | JsonText] = [""] * (2 * len(fields))
    members[::2] = _keys(fields)
    members[1::2] = fields.values()
    return ["{", *members, "}"]


def _keys(names: Iterable[str]) -> list[str]:
    """The names of members with their colons, and a comma before all but the first."""
    keys = list(map(_key, names))
    if keys:
        keys[0] = keys[0].removeprefix(",")
    return keys


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """A session names the same steps in every request, so the same object comes back."""
    return f",{JsonText.of(name).text}:"


def explain(answer: ErrorAnswer) -> Refused:
    """Turn an error answer into an error that says what to do (sections 11.1 to 11.3)."""
    detail = answer.value.get("detail") if isinstance(answer.value, dict) else None
    code, message = "", answer.message
    if isinstance(detail, dict):
        code = detail["code"] if isinstance(detail.get("code"), str) else ""
    elif isinstance(detail, list):
        message = "; ".join(_validation(item) for item in detail[:5])
    meaning = meaning_of(answer.status, code)
    named = f" {code}" if code else ""
    return answer.refused(
        meaning.kind,
        f"The server answered {answer.status}{named}: {message or 'it gave no reason'}",
        meaning.next_step,
        code=code,
        detail=detail if isinstance(detail, dict) else None,
    )


def _validation(item: Any) -> str:
    """One entry of a FastAPI validation error."""
    if not isinstance(item, dict):
        return str(item)
    found = item.get("loc")
    place = ".".join(str(part) for part in found) if isinstance(found, list) else "the request"
    return f"{place}: {item.get('msg', 'is wrong')}"


def read_plan(value: Any) -> Plan:
    """The plan in the embedded server's answer.

    Raises:
        ProtocolViolation: The answer is not a plan.
    """
    try:
        steps = tuple(_told_step(item) for item in value["steps"])
        inputs = _schema(value.get("inputs") or {})
        version = value.get("version")
        number = version if isinstance(version, int) else None
        return Plan(steps, number, str(value.get("hash") or ""), inputs, told=True)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ProtocolViolation(
            f"The server's plan cannot be read: {error!r}.", "Check that the URL is the API's."
        ) from error


def _schema(inputs: Any) -> Mapping[str, Any]:
    """The schema of a flow's inputs, as far as the debugger reads it.

    Raises:
        TypeError: It has another shape.
    """
    properties, required = inputs.get("properties", {}), inputs.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise TypeError("the schema of the inputs is none")
    if not all(isinstance(name, str) for name in required):
        raise TypeError("a required input has no name")
    schema: Mapping[str, Any] = inputs
    return schema


def _told_step(item: Mapping[str, Any]) -> Step:
    return Step(
        id=str(item["stepId"]),
        name=str(item.get("name") or item["stepId"]),
        kind=str(item.get("kind") or ""),
        config=dict(item.get("config") or {}),
        effect=str(item.get("effect") or ""),
        children=tuple(_told_step(child) for child in item.get("children") or ()),
    )


def _named_step(item: Any) -> Step | None:
    """A step as refusals list it: an object with `stepId` or `id`, or a plain string."""
    if isinstance(item, str):
        return Step(item, item)
    if not isinstance(item, dict):
        return None
    step_id = item.get("stepId") or item.get("id")
    return Step(str(step_id), str(item.get("name") or step_id)) if step_id else None

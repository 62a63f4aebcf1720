"""Sessions that always look the same: folded from entries with fixed times and ids."""

from __future__ import annotations

from decimal import Decimal

from flowdbg.core.address import parse_address
from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    CommandGiven,
    Entry,
    EventReceived,
    Outcome,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
    SessionOpened,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import (
    Event,
    Received,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepStarted,
    Tokens,
    ToolCallsRequested,
)
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session
from flowdbg.debugger import Debugger
from flowdbg.debugger.journal import Journal
from flowdbg.dialects.targets import make_target

START = 1_790_000_000.0
URL = "http://localhost:8080/api/v1"
ADDRESS = "acme/support/triage"

PROMPT = """\
You sort tickets of customers.

Say whether this ticket is about billing, shipping or something else:

{{ redact.text }}

Answer with one word."""

STEPS = (
    Step("fetch", "fetch_ticket", "http", {"url": "https://desk.example/{{ initial.id }}"}),
    Step("redact", "redact_pii", "code", {"code": "return {'text': mask(ticket['text'])}"}),
    Step("docs", "retrieve_docs", "http", {"url": "https://docs.example/search"}),
    Step("classify", "classify_intent", "llm", {"prompt": PROMPT, "model": "claude-haiku-4-5",
                                                "temperature": 0.2, "max_tokens": 20}),
    Step("notes", "note_each_doc", "loop", children=(
        Step("note", "write_note", "llm", {"prompt": "A note about {{ item }}", "model": "m"}),)),
    Step("draft", "draft_reply", "llm", {"prompt": "Write a reply", "model": "claude-haiku-4-5"}),
    Step("safety", "safety_check", "llm", {"prompt": "Is it safe?", "model": "m"}),
    Step("send", "send_reply", "http", {"url": "https://desk.example/reply"}, "write"),
)  # fmt: skip

PLAN = Plan(STEPS, 12, "h12", {"properties": {"message": {"type": "string"}}}, True)

TICKET = (
    '{"message":"Hi, I was charged twice for order 5512.","customer":{"id":"cus_8812","plan":"pro",'
    '"locale":"de-DE","tier":"silver"},"docs":[{"id":1,"score":0.91},{"id":2,"score":0.4}],'
    '"history":[],"urgent":false}'
)
SAID = "The customer was charged twice for one order and asks for the second charge back. "
OUTPUTS = {
    "fetch": (TICKET, 212, None),
    "redact": ('{"text":"Hi, I was charged twice for order ####.","masked":1}', 3, None),
    "docs": ('{"hits":[{"title":"Refunds","score":0.91},{"title":"Fees","score":0.4}]}', 612, None),
    "classify": ('{"text":"billing"}', 1840, 214),
    "notes": ('{"items":["Refunds take three days.","Invoices are monthly."]}', 2310, 388),
    "draft": ('{"text":"' + SAID * 3 + '"}', 4120, 972),
    "safety": ('{"safe":true,"risk":0.02}', 900, 61),
    "send": ('{"status":202}', 140, None),
}  # fmt: skip


def opened() -> list[Body]:
    """A session paused before its first step."""
    return [
        SessionOpened("20260921-131320-a1b2c3", "noukai", URL, ADDRESS, None, "Hi, I was charged"),
        PlanLoaded(PLAN),
        Stopped(StopReason.START),
    ]


def begun(turn: int, index: int) -> list[Body]:
    """A step that has been asked for and has begun."""
    step = STEPS[index]
    return [
        CommandGiven("step"),
        TurnStarted(turn, index, False, "/step", ("{}",)),
        received(turn, RunStarted("7f3a20c4-1d2e", len(STEPS), 12, "h12"), "run_started"),
        received(turn, StepStarted(step.id, step.name), "step_started"),
        received(turn, StepInput(step.id, JsonText(TICKET)), "step_input"),
    ]


def taken(turn: int, index: int) -> list[Body]:
    """A whole step that paused after it."""
    step = STEPS[index]
    output, took, tokens = OUTPUTS[step.id]
    used = Tokens(tokens - 20, 20, tokens) if tokens else None
    cost = Decimal("0.000011") * tokens if tokens else None
    completed = StepCompleted(step.id, JsonText(output), step.name, took, used, cost)
    last = index + 1 == len(STEPS)
    end: Event = RunCompleted(JsonText(output)) if last else StepPaused(step.id, index + 1)
    stop = Stopped(StopReason.END) if last else Stopped(StopReason.STEP, "", STEPS[index + 1].id)
    chunks = [received(turn, chunk, "step_output") for chunk in streamed(step.id, tokens or 0)]
    return [
        *begun(turn, index),
        *chunks,
        received(turn, completed, "step_completed", '{"output":' + output + "}"),
        received(turn, end, "run_completed" if last else "step_paused"),
        TurnEnded(turn, Outcome.COMPLETED if last else Outcome.PAUSED, took / 1000),
        stop,
    ]


def streamed(step_id: str, tokens: int) -> list[StepOutput]:
    """Some of the words of a step."""
    return [StepOutput(step_id, JsonText(f'"{word} "')) for word in SAID.split()[: tokens // 20]]


def received(turn: int, event: Event, name: str, raw: str = "{}") -> EventReceived:
    """An event as it would come."""
    return EventReceived(turn, Received(name, (raw,), event))


def steps(count: int) -> list[Body]:
    """The first steps, one turn each."""
    return [body for index in range(count) for body in taken(index + 1, index)]


EDITED = TICKET.replace('"silver"', '"gold"')

PAUSED: list[Body] = [
    *opened(),
    *steps(3),
    OutputEdited("fetch", JsonText(EDITED)),
    BlockEdited("draft", {"prompt": JsonText('"Write a short reply"')}),
    BreakpointSet("docs"),
    BreakpointSet("safety"),
]
STREAMING: list[Body] = [
    *PAUSED,
    *begun(4, 3),
    *[
        received(4, StepOutput("classify", JsonText(f'"{word} "')), "step_output")
        for word in (SAID * 4).split()
    ],
]
DONE: list[Body] = [*opened(), *steps(len(STEPS))]
FAILED: list[Body] = [
    *opened(),
    *steps(3),
    *begun(4, 3),
    received(4, StepOutput("classify", JsonText('"The customer "')), "step_output"),
    received(4, StepFailed("classify", {"message": "the model [b]refused[/b]"}), "step_error"),
    TurnEnded(4, Outcome.FAILED, 1.2),
    Stopped(StopReason.ERROR, "the model [b]refused[/b]", "classify"),
]
NEW_PLAN = Plan(
    (STEPS[0], Step("check", "check_language", "llm", {"prompt": "Which?"}), STEPS[2], STEPS[1],
     Step("classify", "sort", "llm", {**STEPS[3].config, "prompt": "Sort it"}), *STEPS[4:7]),
    13, "h13", {}, True,
)  # fmt: skip
STALE: list[Body] = [
    *opened(),
    *steps(3),
    PlanWentStale(NEW_PLAN, "The flow was published again since the plan was read."),
    Stopped(StopReason.STALE_PLAN, "", "classify"),
]


CLOSED = "The connection was closed in the middle of an answer."
UNKNOWN: list[Body] = [
    *opened(),
    *steps(3),
    *begun(4, 3),
    received(4, StepOutput("classify", JsonText('"The customer "')), "step_output"),
    TurnEnded(4, Outcome.UNKNOWN, 1.2, CLOSED),
    Stopped(
        StopReason.UNKNOWN, "The connection was closed in the middle of an answer.", "classify"
    ),
]
TOOLS: list[Body] = [
    *opened(),
    *steps(3),
    *begun(4, 3),
    received(
        4,
        ToolCallsRequested(
            "classify",
            ({"id": "c1", "function": {"name": "lookup", "arguments": '{"id": 7}'}},),
            JsonText("{}"),
            1,
        ),
        "tool_calls_requested",
    ),
    TurnEnded(4, Outcome.TOOL_CALLS, 1.2),
    Stopped(StopReason.TOOL_CALL, "it asks for lookup", "classify"),
]
NO_ANSWER = "The server at localhost:8080 does not answer."
OFFLINE: list[Body] = [
    *opened(), *steps(3), CommandGiven("step"), TurnStarted(4, 3, False, "/step", ("{}",)),
    TurnEnded(4, Outcome.NOT_SENT, 0.1, NO_ANSWER),
    Stopped(StopReason.SERVER, f"{NO_ANSWER} Start it.", "classify"),
]  # fmt: skip
REFUSED: list[Body] = [
    *opened(), *steps(3), CommandGiven("step"), TurnStarted(4, 3, False, "/step", ("{}",)),
    TurnEnded(4, Outcome.REFUSED, 0.1, "The key was not accepted."),
    Stopped(StopReason.SERVER, "The key was not accepted. Check it.", "classify"),
]  # fmt: skip
CANCELLED: list[Body] = [
    *opened(), *steps(3), *begun(4, 3), TurnEnded(4, Outcome.CANCELLED, 1.2),
    Stopped(StopReason.USER, "cancelled; not confirmed", "classify"),
]  # fmt: skip


def folded(bodies: list[Body]) -> Session:
    """The session after entries that are half a second apart."""
    entries = [Entry(START + at / 2, 0, body) for at, body in enumerate(bodies)]
    return apply_all(Session(), entries)


def debugger_on(bodies: list[Body]) -> Debugger:
    """A debugger that stands where the entries end; it is never asked to run anything."""
    target = make_target("noukai", url=URL, address=parse_address(ADDRESS), key=lambda: "")
    return Debugger(target, Journal(None, folded(bodies), lambda: START + 500))

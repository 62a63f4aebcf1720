"""The fault matrix as the debugger meets it: what a server does, and what must come of it.

Each scenario is played to the debugger and to the screen. Rows are those of docs/fault-matrix.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.session import Status
from tests.faults.server import (
    CLOSE,
    HALF_CLOSE,
    HANG,
    LAST_CHUNK,
    RESET,
    STREAM_HEAD,
    Drip,
    Received,
    Script,
    answer,
    answer_json,
    chunk,
    head,
    sse,
    stream_of,
)

RUN = sse("run_started", {"executionId": "e1", "stepCount": 2})
STARTED = sse("step_started", {"stepId": "one", "name": "One"})
TOKEN = sse("step_output", {"stepId": "one", "outputData": "half a wor"})
DONE = sse("step_completed", {"stepId": "one", "output": {"text": "whole"}})
PAUSED = sse("step_paused", {"stepId": "one", "nextStepIndex": 1})
END = sse("flow_completed", {"result": {"text": "whole"}})
GOOD: Script = stream_of(RUN, STARTED, TOKEN, DONE, PAUSED)
BEGUN = (STREAM_HEAD, chunk(RUN), chunk(STARTED), chunk(TOKEN))


@dataclass(frozen=True)
class Scenario:
    """One row of the matrix, seen by a person who pressed `n` once."""

    row: str
    script: Script | Callable[[Received], Script]
    outcome: Outcome
    reason: StopReason
    says: str
    """What the screen must say, in part."""
    status: Status | None = None
    """What becomes of the step; None when nothing of it came."""
    text: str = ""
    """What the step had streamed, which must be kept."""
    cursor: int = 0
    next_verb: str = "retry"
    """What the person may do next; `step` is refused where it may repeat what ran."""
    anomalies: int = 0


def _unknown(row: str, script: Script, says: str, **more: object) -> Scenario:
    """The stream broke after the step began: the outcome is unknown, what came is kept."""
    return Scenario(
        row,
        script,
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        says,
        Status.UNKNOWN,
        "half a wor",
        **more,  # type: ignore[arg-type] # fields of the scenario
    )


def _refused(row: str, script: Script, says: str) -> Scenario:
    return Scenario(row, script, Outcome.REFUSED, StopReason.SERVER, says, next_verb="step")


def _gzip(*parts: bytes) -> Script:
    packer = zlib.compressobj(wbits=31)
    chunks = [chunk(packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)) for part in parts]
    coding = head(transfer_encoding="chunked", content_encoding="gzip")
    return [coding, *chunks, chunk(packer.flush()), LAST_CHUNK]


def _good(row: str, script: Script, *, text: str = "half a wor", anomalies: int = 0) -> Scenario:
    return Scenario(
        row,
        script,
        Outcome.PAUSED,
        StopReason.STEP,
        "PAUSED",
        Status.DONE,
        text,
        1,
        "step",
        anomalies,
    )


SILENT: dict[str, Script] = {
    "13 comments for ever": [*BEGUN, Drip(b"3\r\n:\n\n\r\n", every=0.01, times=None)],
    "14 a stall": [*BEGUN, HANG],
    "14 no headers": [HANG],
}
"""Servers that say nothing more: the person cancels."""

_PING = chunk(b": ping\n\n")
SCENARIOS = [
    _unknown("1 cut inside a chunk", [*BEGUN, b"20\r\nevent: st", CLOSE], "in the middle"),
    _unknown("1 cut after a chunk", [*BEGUN, CLOSE], "answer"),
    _unknown("2 closed without an end", [head(), RUN, STARTED, TOKEN, CLOSE], "stream ended"),
    _unknown(
        "3 last blank line missing",
        [*BEGUN, chunk(DONE[:-1]), LAST_CHUNK],
        "in the middle of an event",
    ),
    _unknown("4 reset", [*BEGUN, RESET], "reset"),
    Scenario(
        "4 reset before an answer",
        [RESET],
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "before",
    ),
    _unknown(
        "5 length too long",
        [head(content_length="5000"), RUN, STARTED, TOKEN, CLOSE],
        "5000",
    ),
    _unknown("6 bad chunk header", [*BEGUN, b"zz\r\n"], "chunk"),
    Scenario(
        "7 status 500",
        answer_json(500, {"detail": {"code": "INTERNAL_ERROR", "message": "a bug"}}),
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "500 INTERNAL_ERROR: a bug",
    ),
    _refused("7 status 503", answer_json(503, {"detail": "going down"}), "503: going down"),
    Scenario(
        "8 error event",
        stream_of(RUN, STARTED, sse("step_error", {"stepId": "one", "error": {"message": "x"}})),
        Outcome.FAILED,
        StopReason.ERROR,
        "FAILED",
        Status.FAILED,
    ),
    _refused("9 status 401 as a stream", [head(401) + RUN + DONE + PAUSED, CLOSE], "401"),
    _refused("9 status 403", answer_json(403, {"detail": "no"}), "403: no"),
    _refused("9 status 404 as a stream", [head(404) + RUN + PAUSED, CLOSE], "404"),
    Scenario(
        "10 status 204",
        [head(204, "", content_length="0")],
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "204",
    ),
    Scenario(
        "11 a login page",
        answer(200, "text/html", b"<h1>Log in</h1>"),
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "HTML page",
    ),
    Scenario(
        "11 json instead of events",
        answer_json(200, {"hello": 1}),
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "event stream was expected",
    ),
    _good("12 keep-alive comments", [*BEGUN, _PING, _PING, chunk(DONE + PAUSED), LAST_CHUNK]),
    _good(
        "15 one byte a write",
        [head(), Drip(RUN + STARTED + TOKEN + DONE + PAUSED), HALF_CLOSE],
    ),
    _unknown(
        "16 an event without end",
        [head(), RUN + STARTED + TOKEN + b"data: ", Drip(b"y" * 65536, 65536, 0, times=None)],
        "larger than 67108864 bytes",
    ),
    _good("17 gzip flushed per event", _gzip(RUN, STARTED, TOKEN, DONE, PAUSED)),
    _unknown(
        "18 a compressed bomb",
        _gzip(RUN, STARTED, TOKEN, b"data: ", *[b"y" * (1 << 20)] * 70),
        "larger than 67108864 bytes",
    ),
    _good(
        "19 invalid utf-8",
        [*BEGUN[:3], chunk(TOKEN.replace(b"wor", b"\xff")), chunk(DONE + PAUSED), LAST_CHUNK],
        text="half a \ufffd",
    ),
    _good(
        "20 another charset in the header",
        [
            head(content_type="text/event-stream; charset=windows-1252"),
            RUN + STARTED + sse("step_output", '{"stepId":"one","outputData":"\u00e9"}'),
            DONE + PAUSED,
            HALF_CLOSE,
        ],
        text="\u00e9",
    ),
    _good("21 duplicates", stream_of(RUN, STARTED, TOKEN, DONE, DONE, PAUSED), anomalies=1),
    _good(
        "22 completed before started", stream_of(RUN, DONE, STARTED, PAUSED), text="", anomalies=2
    ),
    _good(
        "22 an event after the end",
        stream_of(RUN, STARTED, TOKEN, DONE, PAUSED, TOKEN),
        anomalies=1,
    ),
    _good(
        "22 the cursor goes backwards",
        stream_of(RUN, STARTED, TOKEN, DONE, sse("step_paused", {"nextStepIndex": -1})),
        anomalies=1,
    ),
    _good(
        "23 unknown events and fields",
        stream_of(RUN, sse("news", {"x": 1}), STARTED, TOKEN, DONE[:-3] + b',"z":1}\n\n', PAUSED),
        anomalies=1,
    ),
    *(
        _refused(
            f"24, 25 redirect {status}",
            [head(status, "", location="http://127.0.0.1:9/elsewhere", content_length="0")],
            "http://127.0.0.1:9/elsewhere",
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Scenario(
        "27 kept connection closed under the request",
        [CLOSE],
        Outcome.UNKNOWN,
        StopReason.UNKNOWN,
        "answer",
    ),
    _good(
        "48 odd numbers and nesting",
        stream_of(
            RUN,
            STARTED,
            TOKEN,
            sse(
                "step_completed",
                '{"stepId":"one","output":{"n":18446744073709551616,"x":NaN,'
                '"s":"\\ud800","d":1,"d":2}}',
            ),
            PAUSED,
        ),
    ),
    Scenario(
        "50 the run expired",
        answer_json(404, {"detail": {"code": "RUN_NOT_FOUND", "message": "expired"}}),
        Outcome.REFUSED,
        StopReason.SERVER,
        "forgot the run",
        next_verb="step",
    ),
    Scenario(
        "50 the plan changed",
        answer_json(
            400,
            {"detail": {"code": "STALE_TREE", "message": "changed", "steps": [{"stepId": "z"}]}},
        ),
        Outcome.STALE,
        StopReason.STALE_PLAN,
        "STALE",
        next_verb="restart",
    ),
    _refused(
        "a rate limit",
        answer_json(429, {"detail": {"code": "RATE_LIMIT", "message": "slow"}}, retry_after="7"),
        "429 RATE_LIMIT: slow",
    ),
]

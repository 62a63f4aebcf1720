"""What the client makes of every way in which a stream can go wrong, on a real socket.

The numbers in the comments are the rows of docs/fault-matrix.md. Every test counts the POSTs:
whatever happens, a command is sent once.
"""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from flowdbg.errors import (
    AuthenticationFailed,
    EventTooLarge,
    FlowdbgError,
    FlowNotFound,
    Interrupted,
    ProtocolViolation,
    RateLimited,
    Refused,
    RequestTimedOut,
    ServerFailed,
)
from flowdbg.transport.client import HttpClient
from flowdbg.transport.event_stream import ServerSentEvent
from flowdbg.transport.stream import EventStream
from flowdbg.transport.timeouts import Timeouts
from tests.faults.server import (
    CLOSE,
    HALF_CLOSE,
    HANG,
    LAST_CHUNK,
    RESET,
    STREAM_HEAD,
    Drip,
    FaultServer,
    Pause,
    Script,
    answer,
    answer_json,
    chunk,
    head,
    sse,
    stream_of,
)

STARTED = sse("run_started", {"executionId": "e-1"})
OUTPUT = sse("step_output", {"stepId": "a", "outputData": "hello"})
PAUSED = sse("step_paused", {"stepIndex": 0})


@dataclass
class Outcome:
    """What one POST brought: events, then an end or an error."""

    events: list[ServerSentEvent] = field(default_factory=list)
    error: FlowdbgError | None = None
    stream: EventStream | None = None

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]

    @property
    def ended(self) -> bool:
        return self.stream is not None and self.stream.ended


async def post(
    fault: FaultServer, timeouts: Timeouts | None = None, limit: int = 1 << 26
) -> Outcome:
    """Send one step and note all that comes."""
    outcome = Outcome()
    async with HttpClient(
        fault.url,
        headers=lambda: {"Authorization": "Bearer nk_live_canary0_secret"},
        timeouts=timeouts or Timeouts(),
        max_event_bytes=limit,
    ) as client:
        outcome.stream = client.post_events("/step", b"{}")
        try:
            async with outcome.stream:
                async for event in outcome.stream:
                    outcome.events.append(event)
        except FlowdbgError as error:
            outcome.error = error
    return outcome


async def post_against(
    script: Script, timeouts: Timeouts | None = None, limit: int = 1 << 26
) -> Outcome:
    """One POST against one script; it must have been the only one."""
    async with FaultServer(script) as fault:
        outcome = await post(fault, timeouts, limit)
    assert fault.posts == 1
    return outcome


def assert_interrupted(outcome: Outcome, text: str) -> None:
    assert type(outcome.error) is Interrupted
    assert text in str(outcome.error)
    assert "nothing was sent again" in str(outcome.error)
    assert outcome.stream is not None
    assert outcome.stream.sent
    assert not outcome.ended


async def test_a_well_behaved_stream_ends_in_order() -> None:
    outcome = await post_against(stream_of(STARTED, OUTPUT, PAUSED))
    assert outcome.names == ["run_started", "step_output", "step_paused"]
    assert outcome.error is None
    assert outcome.ended


# 1
@pytest.mark.parametrize(
    "cut",
    [chunk(OUTPUT)[:20], b"ff\r\n" + OUTPUT[:30], chunk(OUTPUT), b""],
    ids=["inside a chunk", "in a longer chunk", "after a whole chunk", "after the first event"],
)
async def test_a_chunked_stream_cut_off_keeps_its_whole_events(cut: bytes) -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), cut, CLOSE])
    assert outcome.names[0] == "run_started"
    assert "step_paused" not in outcome.names
    assert_interrupted(outcome, "cut the answer off in the middle")


# 2
async def test_a_stream_that_ends_with_its_connection_is_only_ended() -> None:
    outcome = await post_against([head(connection="close"), STARTED, OUTPUT, CLOSE])
    assert outcome.names == ["run_started", "step_output"]
    assert outcome.error is None
    assert outcome.ended


async def test_a_half_closed_connection_ends_the_stream() -> None:
    outcome = await post_against([head(connection="close"), STARTED, HALF_CLOSE, HANG])
    assert outcome.names == ["run_started"]
    assert outcome.ended


# 3
async def test_a_missing_last_blank_line_leaves_the_event_in_the_tail() -> None:
    outcome = await post_against(stream_of(STARTED, PAUSED[:-1]))
    assert outcome.names == ["run_started"]
    assert outcome.ended
    assert outcome.stream is not None
    assert outcome.stream.tail == PAUSED[:-1]


# 4
async def test_a_reset_in_the_stream_is_told_in_words() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), Pause(0.05), RESET])
    assert_interrupted(outcome, "was reset before the answer was complete")


async def test_a_reset_before_any_answer_is_an_unknown_outcome() -> None:
    outcome = await post_against([RESET])
    assert_interrupted(outcome, "was reset before the answer was complete")


async def test_a_connection_closed_without_an_answer_is_an_unknown_outcome() -> None:
    outcome = await post_against([CLOSE])
    assert_interrupted(outcome, "closed the connection without an answer")


# 5
async def test_an_announced_length_that_never_comes_says_how_much_came() -> None:
    outcome = await post_against([head(content_length="5000"), STARTED, CLOSE])
    assert outcome.names == ["run_started"]
    assert_interrupted(outcome, f"sent {len(STARTED)} of the 5000 bytes")


# 6
async def test_a_damaged_chunk_header_is_told_apart_from_a_cut() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), b"zz\r\n", CLOSE])
    assert outcome.names == ["run_started"]
    assert_interrupted(outcome, "a chunk header is not valid")


async def test_a_server_that_does_not_speak_http_is_named_so() -> None:
    outcome = await post_against([b"SSH-2.0-OpenSSH_9.2\r\n\r\n", CLOSE])
    assert type(outcome.error) is ProtocolViolation
    assert "does not speak HTTP" in str(outcome.error)
    assert "SSH-2.0-OpenSSH_9.2" in str(outcome.error)


# 7
async def test_a_failing_server_shows_status_message_and_request_id() -> None:
    body = {"detail": {"code": "INTERNAL_ERROR", "message": "the database is away"}}
    outcome = await post_against(answer_json(500, body, x_request_id="req-7"))
    assert type(outcome.error) is ServerFailed
    assert outcome.error.status == 500
    assert outcome.error.code == "INTERNAL_ERROR"
    assert outcome.error.request_id == "req-7"
    assert "the database is away" in str(outcome.error)
    assert "req-7" in str(outcome.error)


async def test_a_long_hostile_error_page_is_cut_and_made_safe() -> None:
    page = ("\x1b]0;pwned\x07\u202e<h1>Bad gateway</h1>" + "x" * 100_000).encode()
    outcome = await post_against(answer(502, "text/html", page))
    assert type(outcome.error) is ServerFailed
    text = str(outcome.error)
    assert "Bad gateway" in text
    assert text.isprintable()
    assert len(text) < 450


async def test_an_error_body_that_never_ends_does_not_hold_up_its_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowdbg.transport.exchange._ERROR_BODY_SECONDS", 0.1)
    outcome = await post_against([head(503, "text/plain", content_length="99"), b"down", HANG])
    assert type(outcome.error) is ServerFailed
    assert "down" in str(outcome.error)


async def test_an_error_body_without_end_is_not_kept_whole() -> None:
    script: Script = [
        head(500, "text/plain", connection="close"),
        Drip(b"x" * 65536, 65536, 0.0, None),
    ]
    outcome = await post_against(script)
    assert type(outcome.error) is ServerFailed


async def test_an_error_body_cut_off_still_says_its_status() -> None:
    outcome = await post_against([head(500, "text/plain", content_length="99"), b"half", CLOSE])
    assert type(outcome.error) is ServerFailed
    assert "half" in str(outcome.error)


# 9
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, AuthenticationFailed), (403, AuthenticationFailed),
     (404, FlowNotFound), (409, Refused), (429, RateLimited), (503, ServerFailed)],
)  # fmt: skip
async def test_events_of_an_answer_with_an_error_status_are_never_delivered(
    status: int, kind: type[Refused]
) -> None:
    script: Script = [head(status, connection="close"), STARTED, PAUSED, CLOSE]
    outcome = await post_against(script)
    assert outcome.events == []
    assert type(outcome.error) is kind
    assert outcome.error.status == status


async def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    said = {"detail": {"code": "X", "message": "bad key nk_live_canary0_secret", "key":
                       "Bearer nk_live_canary0_secret"}}  # fmt: skip
    outcome = await post_against(answer_json(401, said))
    assert isinstance(outcome.error, AuthenticationFailed)
    assert "bad key [redacted]" in str(outcome.error)
    assert "canary" not in str(outcome.error) + str(outcome.error.detail)


async def test_a_wait_that_the_server_asks_for_is_passed_on() -> None:
    outcome = await post_against(answer_json(429, {"detail": "slow down"}, retry_after="12.5"))
    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after == 12.5
    assert "Wait 12.5 seconds" in str(outcome.error)


# 10
@pytest.mark.parametrize("status", [204, 205])
async def test_an_answer_without_content_is_no_empty_success(status: int) -> None:
    outcome = await post_against([head(status)])
    assert type(outcome.error) is ProtocolViolation
    assert f"status {status}, which has no content" in str(outcome.error)


# 11
@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", b'{"ok": true}', 'JSON where an event stream was expected: {"ok"'),
        ("text/html; charset=utf-8", b"<h1>Sign in</h1>", "an HTML page (perhaps a login page"),
        ("application/text/event-streamx", b"data: a\n\n", "content of type 'application/text/"),
        ("", b"data: a\n\n", "content of no stated type"),
        ("text/plain", b"", "it is empty"),
    ],
)
async def test_another_content_type_is_refused_with_the_beginning_of_the_body(
    content_type: str, body: bytes, text: str
) -> None:
    outcome = await post_against(answer(200, content_type, body))
    assert outcome.events == []
    assert type(outcome.error) is ProtocolViolation
    assert text in str(outcome.error)


@pytest.mark.parametrize(
    "content_type",
    ["TEXT/EVENT-STREAM", "text/event-stream;charset=utf-8", "text/event-stream ;x=y"],
)
async def test_the_content_type_is_compared_as_http_says(content_type: str) -> None:
    outcome = await post_against([head(200, content_type, connection="close"), PAUSED, CLOSE])
    assert outcome.names == ["step_paused"]


# 12
async def test_comments_bring_no_events_but_show_that_the_server_lives() -> None:
    go_on = asyncio.Event()
    script: Script = [
        STREAM_HEAD, chunk(sse("run_started", {}, event_id="1")), go_on,
        chunk(b": ping\n\n"), go_on, chunk(PAUSED), LAST_CHUNK,
    ]  # fmt: skip
    async with (
        FaultServer(script) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        assert stream.last_event_at == 0.0
        events = aiter(stream)
        await anext(events)
        first = stream.last_event_at
        assert first == stream.last_byte_at >= stream.sent_at > 0
        waiting = asyncio.ensure_future(anext(events))
        go_on.set()
        assert (await waiting).event == "step_paused"
        assert [event async for event in events] == []
    assert fault.posts == 1


# 13
async def test_comments_without_end_pass_the_progress_limit_and_not_the_idle_one() -> None:
    script: Script = [STREAM_HEAD, Drip(chunk(b": ping\n\n"), 100, 0.01, None)]
    outcome = await post_against(script, Timeouts(idle=5, progress=0.2))
    assert type(outcome.error) is RequestTimedOut
    assert "sent no event for 0.2 seconds" in str(outcome.error)


async def test_every_event_starts_the_progress_limit_anew() -> None:
    pulse: Script = [chunk(OUTPUT), Pause(0.3)]
    script: Script = [STREAM_HEAD, *pulse, *pulse, *pulse, *pulse, LAST_CHUNK]
    outcome = await post_against(script, Timeouts(progress=1))
    assert outcome.error is None
    assert len(outcome.events) == 4


async def test_a_slow_observer_is_not_taken_for_a_slow_server() -> None:
    looked = asyncio.Event()
    script: Script = [STREAM_HEAD, chunk(STARTED), looked, Pause(0.3), chunk(PAUSED), LAST_CHUNK]
    limits = Timeouts(progress=0.8)
    async with FaultServer(script) as fault, HttpClient(fault.url, timeouts=limits) as client:
        names = []
        async with client.post_events("/step", b"{}") as stream:
            async for event in stream:
                names.append(event.event)
                await asyncio.sleep(0.6)  # with the server's pause more than the limit
                looked.set()
    assert names == ["run_started", "step_paused"]


# 14
async def test_a_silent_server_passes_the_idle_limit() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), HANG], Timeouts(idle=0.1))
    assert outcome.names == ["run_started"]
    assert type(outcome.error) is RequestTimedOut
    assert "sent nothing for 0.1 seconds" in str(outcome.error)
    assert outcome.stream is not None
    assert outcome.stream.sent


async def test_headers_that_never_come_pass_the_idle_limit() -> None:
    outcome = await post_against([HANG], Timeouts(idle=0.1))
    assert type(outcome.error) is RequestTimedOut


async def test_headers_that_never_come_pass_the_progress_limit() -> None:
    outcome = await post_against([HANG], Timeouts(progress=0.1))
    assert type(outcome.error) is RequestTimedOut


async def test_without_limits_the_client_waits_until_it_is_cancelled() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), HANG]
    async with FaultServer(script) as fault, HttpClient(fault.url) as client:
        began = asyncio.Event()

        async def step() -> None:
            async with client.post_events("/step", b"{}") as stream:
                async for _ in stream:
                    began.set()

        task = asyncio.ensure_future(step())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fault.client_gone.wait()
    assert fault.posts == 1


async def test_cancelling_works_before_the_headers_too() -> None:
    async with FaultServer([HANG]) as fault, HttpClient(fault.url) as client:
        stream = client.post_events("/step", b"{}")
        task = asyncio.ensure_future(stream.__aenter__())
        await fault.asked.wait()
        assert stream.sent_at > 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fault.client_gone.wait()
    assert stream.sent


async def test_leaving_a_stream_early_closes_its_connection() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), HANG]
    async with FaultServer(script, stream_of(PAUSED)) as fault, HttpClient(fault.url) as client:
        async with client.post_events("/step", b"{}") as stream:
            async for _ in stream.batches():
                break
        await fault.client_gone.wait()
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
    assert fault.posts == 2


# 15
async def test_one_byte_a_write_gives_the_same_events() -> None:
    body = STARTED + OUTPUT + PAUSED
    outcome = await post_against([head(content_length=str(len(body))), Drip(body, 1)])
    assert outcome.names == ["run_started", "step_output", "step_paused"]


# 16
async def test_an_event_of_twenty_megabytes_comes_whole() -> None:
    big = sse("step_output", "y" * 20_000_000)
    outcome = await post_against(stream_of(STARTED, big, PAUSED))
    assert [len(event.data) for event in outcome.events][1] == 20_000_000
    assert outcome.names[2] == "step_paused"


async def test_an_event_without_end_is_refused_at_the_limit() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), chunk(b"data: "),
              Drip(chunk(b"y" * 65536), 1 << 20, 0.0, None)]  # fmt: skip
    outcome = await post_against(script, limit=1 << 20)
    assert outcome.names == ["run_started"]
    assert type(outcome.error) is EventTooLarge
    assert "larger than 1048576 bytes" in str(outcome.error)


# 17
def flushed(events: Sequence[bytes], window: int) -> list[bytes]:
    """Each event compressed and flushed by itself, as a server does that compresses streams."""
    deflater = zlib.compressobj(wbits=window)
    return [deflater.compress(event) + deflater.flush(zlib.Z_SYNC_FLUSH) for event in events] + [
        deflater.flush()
    ]


@pytest.mark.parametrize(
    ("coding", "window"),
    [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP", 31)],
    ids=["gzip", "x-gzip", "deflate", "bare deflate", "upper case"],
)
async def test_a_compressed_stream_delivers_each_event_as_it_is_flushed(
    coding: str, window: int
) -> None:
    first, second, end = flushed([STARTED, PAUSED], window)
    seen = asyncio.Event()
    script: Script = [
        head(transfer_encoding="chunked", content_encoding=coding), chunk(first), seen,
        chunk(second), chunk(end) if end else b"", LAST_CHUNK,
    ]  # fmt: skip
    async with (
        FaultServer(script) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        names = []
        async for event in stream:
            names.append(event.event)
            seen.set()  # the second event is only sent now
    assert names == ["run_started", "step_paused"]


async def test_two_codings_one_over_the_other_and_several_members_are_read() -> None:
    members = zlib.compress(STARTED, wbits=31) + zlib.compress(PAUSED, wbits=31) + b"\0\0"
    body = zlib.compress(members)
    outcome = await post_against(
        [head(content_encoding="gzip, deflate", content_length=str(len(body))), Drip(body, 7)]
    )
    assert outcome.names == ["run_started", "step_paused"]


async def test_a_damaged_compression_is_told_after_what_came_before() -> None:
    first, *_ = flushed([STARTED], 31)
    script: Script = [head(transfer_encoding="chunked", content_encoding="gzip"), chunk(first),
              chunk(b"\xff" * 50), LAST_CHUNK]  # fmt: skip
    outcome = await post_against(script)
    assert outcome.names == ["run_started"]
    assert type(outcome.error) is ProtocolViolation
    assert "damaged" in str(outcome.error)


async def test_a_compression_that_was_not_offered_is_refused() -> None:
    script: Script = [
        head(transfer_encoding="chunked", content_encoding="br"),
        chunk(b"?"),
        LAST_CHUNK,
    ]
    async with FaultServer(script) as fault:
        outcome = await post(fault)
    assert type(outcome.error) is ProtocolViolation
    assert "'br', which was not offered" in str(outcome.error)
    assert fault.requests[0].headers["accept-encoding"] == "gzip, deflate"


# 18
def bomb(size: int) -> bytes:
    """One event of so many bytes, compressed to a thousandth."""
    deflater = zlib.compressobj(9, wbits=31)
    block = b"y" * (1 << 20)
    pieces = [deflater.compress(b"data: ")]
    pieces += [deflater.compress(block) for _ in range(size >> 20)]
    return b"".join([*pieces, deflater.flush()])


async def test_a_compressed_bomb_is_refused_before_memory_grows() -> None:
    body = bomb(200 << 20)
    script: Script = [head(content_encoding="gzip", content_length=str(len(body))), body]
    tracemalloc.start()
    try:
        outcome = await post_against(script, limit=16 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(outcome.error) is EventTooLarge
    assert peak < 40 << 20  # the limit, and room for a growing buffer


# 19
async def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    outcome = await post_against(stream_of(b"data: caf\xe9 \xff\n\n", PAUSED))
    assert outcome.events[0].data == "caf\ufffd \ufffd"
    assert outcome.names[1] == "step_paused"


# 20
async def test_a_stream_is_utf_8_whatever_its_header_says() -> None:
    script: Script = [head(200, "text/event-stream; charset=windows-1252", connection="close"),
              "data: café €\n\n".encode(), CLOSE]  # fmt: skip
    assert (await post_against(script)).events[0].data == "café €"


# 21, 22, 23, 48: what the events mean is the debugger's; here they arrive as they were sent
async def test_duplicates_strange_orders_and_odd_json_arrive_as_they_were_sent() -> None:
    odd = ['{"n": 18446744073709551616}', '{"x": NaN}', '{"s": "\\ud800"}', "[" * 5000, "not json"]
    outcome = await post_against(
        stream_of(
            PAUSED, STARTED, STARTED, sse("never_heard_of", {"x": 1}), *[sse("", o) for o in odd]
        )
    )
    assert outcome.names == [
        "step_paused", "run_started", "run_started", "never_heard_of", *["message"] * 5,
    ]  # fmt: skip
    assert [event.data for event in outcome.events[4:]] == odd


# 24, 25
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_post_is_shown_and_not_followed(status: int) -> None:
    async with FaultServer() as other:
        target = f"{other.url}/elsewhere?token=nk_live_canary0_secret"
        outcome = await post_against(answer(status, "text/plain", b"", location=target))
    assert isinstance(outcome.error, Refused)
    assert outcome.error.status == status
    assert f"redirected to {other.url}/elsewhere" in str(outcome.error)
    assert "canary" not in str(outcome.error)
    assert other.requests == []


# 27, 50
async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async with (
        FaultServer([*stream_of(PAUSED), CLOSE], stream_of(PAUSED)) as fault,
        HttpClient(fault.url) as client,
    ):
        for _ in range(2):
            async with client.post_events("/step", b"{}") as stream:
                assert [event.event async for event in stream] == ["step_paused"]
            await asyncio.sleep(0.05)
    assert fault.posts == 2
    assert fault.connections == 2


async def test_a_kept_connection_is_used_for_the_next_step() -> None:
    async with (
        FaultServer(*[stream_of(PAUSED)] * 3) as fault,
        HttpClient(fault.url) as client,
    ):
        for _ in range(3):
            async with client.post_events("/step", b"{}") as stream:
                assert [event.event async for event in stream] == ["step_paused"]
    assert (fault.posts, fault.connections) == (3, 1)


async def test_a_kept_connection_closed_under_the_request_is_not_tried_again() -> None:
    async with (
        FaultServer(stream_of(PAUSED), [CLOSE], stream_of(PAUSED)) as fault,
        HttpClient(fault.url) as client,
    ):
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
        with pytest.raises(Interrupted, match="closed the connection without an answer"):
            async with client.post_events("/step", b"{}"):
                pass
    assert fault.posts == 2


# 50
async def test_a_run_that_expired_between_two_steps_is_told_with_its_code() -> None:
    gone = {"detail": {"code": "RUN_NOT_FOUND", "message": "the run has expired"}}
    async with (
        FaultServer(stream_of(PAUSED), answer_json(404, gone)) as fault,
        HttpClient(fault.url) as client,
    ):
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
        with pytest.raises(FlowNotFound, match="the run has expired") as caught:
            async with client.post_events("/step", b"{}"):
                pass
    assert caught.value.code == "RUN_NOT_FOUND"
    assert fault.posts == 2


# 49
async def test_nothing_is_lost_when_the_observer_is_slower_than_the_server() -> None:
    events = [sse("step_output", {"n": n, "pad": "x" * 20_000}) for n in range(200)]
    async with (
        FaultServer(stream_of(*events)) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        seen = 0
        async for batch in stream.batches():
            seen += len(batch)
            await asyncio.sleep(0.002)
    assert seen == 200
    assert fault.posts == 1

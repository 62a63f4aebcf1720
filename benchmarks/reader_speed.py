"""The event-stream reader against the decoders of httpx-sse, noukai-sdk and openai.

All read the same bytes in this process, in turns, so that a busy machine slows all of them; each
through the parts that its users' streams run through. noukai-sdk is given as much as it can do:
frames only, without its models. Goals: at least as fast as the fastest of them on small events,
on events of 50 KB and on one of 20 MB, and linear when a line grows byte by byte.
Run: `python -m benchmarks.reader_speed`.
"""

from __future__ import annotations

import asyncio
import codecs
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from unittest import mock

import noukai_sdk._streaming as noukai
from httpx_sse._decoders import SSEDecoder as HttpxSseDecoder
from httpx_sse._decoders import SSELineDecoder
from openai._streaming import SSEDecoder as OpenAiDecoder

from flowdbg.transport.event_stream import EventStreamReader

Read = Callable[[list[bytes]], int]
ROUNDS = 5


def ours(chunks: list[bytes]) -> int:
    reader = EventStreamReader()
    return sum(len(reader.feed(chunk)) for chunk in chunks)


def httpx_sse(chunks: list[bytes]) -> int:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    lines, events, count = SSELineDecoder(), HttpxSseDecoder(), 0
    for chunk in chunks:
        for line in lines.decode(decode(chunk)):
            count += events.decode(line.rstrip("\n")) is not None
    return count


def noukai_sdk(chunks: list[bytes]) -> int:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    def frame(raw: bytes) -> tuple[str, str]:
        """What its own function does up to the point where JSON and models begin."""
        name, data = "", []
        for line in raw.split(b"\n"):
            if line.startswith(b"event:"):
                name = line[6:].lstrip().decode()
            elif line.startswith(b"data:"):
                data.append(line[5:].lstrip().decode())
        return name, "\n".join(data)

    async def count() -> int:
        return len([event async for event in noukai.parse_sse_stream(stream())])

    with mock.patch.object(noukai, "_parse_frame", frame):
        return asyncio.run(count())


def openai(chunks: list[bytes]) -> int:
    return sum(1 for _ in OpenAiDecoder().iter_bytes(iter(chunks)))


READERS: dict[str, Read] = {
    "flowdbg": ours,
    "httpx-sse": httpx_sse,
    "noukai-sdk": noukai_sdk,
    "openai": openai,
}


def event(size: int, number: int = 0) -> bytes:
    """One event of so many bytes altogether."""
    start = json.dumps(
        {"eventType": "step_output", "stepId": f"step-{number:06}", "outputData": ""}
    )
    padding = max(0, size - len(start) - 27)
    return b"event: step_output\ndata: " + start[:-2].encode() + b"x" * padding + b'"}\n\n'


def in_chunks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def race(chunks: list[bytes], expected: int, readers: dict[str, Read]) -> dict[str, float]:
    """The best time of each reader, all of them in turns."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            start = time.perf_counter()
            count = read(chunks)
            best[name] = min(best[name], time.perf_counter() - start)
            if count != expected:
                raise SystemExit(f"{name} read {count} events instead of {expected}")
    return best


def workloads() -> Iterator[tuple[str, list[bytes], int, dict[str, Read]]]:
    small = b"".join(event(160, number) for number in range(50_000))
    yield "160 B events, 64 KiB chunks", in_chunks(small, 65536), 50_000, READERS
    yield "160 B events, 1460 B chunks", in_chunks(small, 1460), 50_000, READERS
    with_ids = b"".join(b"id: %d\n" % n + event(160, n) for n in range(50_000))
    yield "160 B events with ids", in_chunks(with_ids, 65536), 50_000, READERS
    crlf = small.replace(b"\n", b"\r\n")
    no_noukai = {name: read for name, read in READERS.items() if name != "noukai-sdk"}
    yield "160 B events, CRLF", in_chunks(crlf, 65536), 50_000, no_noukai
    middle = b"".join(event(50_000, number) for number in range(1000))
    yield "50 KB events, 64 KiB chunks", in_chunks(middle, 65536), 1000, READERS
    yield "50 KB events, 1460 B chunks", in_chunks(middle, 1460), 1000, no_noukai
    large = in_chunks(event(20_000_000), 65536)
    yield "one event of 20 MB", large, 1, READERS


def main() -> None:
    """Measure and print."""
    print(f"{'':30}" + "".join(f"{name:>12}" for name in READERS) + "   fastest other / ours")
    for name, chunks, expected, readers in workloads():
        best = race(chunks, expected, readers)
        size = sum(map(len, chunks))
        speeds = [f"{size / best[r] / 1e6:7.0f} MB/s" if r in best else "-" for r in READERS]
        ratio = (
            min(value for reader, value in best.items() if reader != "flowdbg") / best["flowdbg"]
        )
        print(f"{name:30}" + "".join(f"{speed:>12}" for speed in speeds) + f"{ratio:>12.2f}")
    print("\none line that grows, seconds:")
    for size in (1, 17):
        times = []
        for length in (250_000, 500_000, 1_000_000):
            chunks = in_chunks(event(length), size)
            times.append(race(chunks, 1, {"flowdbg": ours})["flowdbg"])
        shown = "  ".join(f"{seconds:.3f}" for seconds in times)
        growth = [f"{after / before:.2f}" for before, after in itertools.pairwise(times)]
        print(f"  {size:2} B chunks, 0.25 / 0.5 / 1 MB: {shown}   growth {' '.join(growth)}")
    print("  (growth of 2 is linear)")


if __name__ == "__main__":
    main()

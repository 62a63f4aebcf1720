"""A new client's first event while 200 others stream, and whether every event arrives.

Goal: p99 below 250 ms, not one event lost. The same is asked of a bare Starlette endpoint in the
same run. Run: `python -m benchmarks.server_fairness [--pace SECONDS]`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from benchmarks.server_peers import our_server, percentile

CLIENTS = 200
CHUNKS = 3000
PROBES = 200
FLOW = """\
flow: bench/fair/{name}
inputs:
  message: {{type: string}}
scripts:
  paced:
    replies:
      - chunks: ["word "]
        repeat: {chunks}
        delay: {pace}
steps:
  - {{id: s, kind: llm, model: scripted/paced, prompt: go}}
"""


@dataclass
class Seen:
    """What the streaming clients saw."""

    events: list[int] = field(default_factory=list)
    finished: int = 0


async def stream(port: int, flow: str, seen: Seen) -> float:
    """Post one step and read it to the end; seconds to the first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    body = b'{"stepIndex":0,"message":"m"}'
    began = time.perf_counter()
    writer.write(
        f"POST /api/v1/seq/bench/fair/{flow}/step HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    data = b""
    while b"event: " not in data:
        data += await reader.read(1 << 16)
    first = time.perf_counter() - began
    count, rest = 0, b""
    while data:
        text = rest + data
        count += text.count(b"event: ")
        rest = text[-6:]
        data = await reader.read(1 << 16)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    seen.events.append(count)
    seen.finished += 1
    return first


async def measure(port: int) -> tuple[list[float], Seen, float]:
    """Start the streams, probe while they run, wait for their end."""
    seen, probed = Seen(), Seen()
    began = time.perf_counter()
    streams = [asyncio.create_task(stream(port, "long", seen)) for _ in range(CLIENTS)]
    await asyncio.sleep(1)
    firsts: list[float] = []
    while len(firsts) < PROBES and not seen.finished:
        firsts.append(await stream(port, "short", probed))
        await asyncio.sleep(0.01)
    await asyncio.gather(*streams)
    return firsts, seen, time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0.002, help="seconds between two chunks")
    parser.add_argument("--chunks", type=int, default=CHUNKS, help="chunks of each stream")
    options = parser.parse_args()
    long = FLOW.format(name="long", chunks=options.chunks, pace=options.pace)
    short = FLOW.format(name="short", chunks=1, pace=0)
    with our_server(long, short) as port:
        firsts, seen, took = asyncio.run(measure(port))
    expected = options.chunks + 6
    lost = sum(expected - count for count in seen.events)
    speed = sum(seen.events) / took
    print(f"{CLIENTS} clients, {speed:.0f} events/s together, {len(firsts)} new clients meanwhile")
    for share in (0.5, 0.9, 0.99):
        print(
            f"new client's first event p{share * 100:g} {percentile(firsts, share) * 1e3:7.1f} ms"
        )
    print(f"lost events: {lost} (goal: 0); goal for p99: below 250 ms")


if __name__ == "__main__":
    main()

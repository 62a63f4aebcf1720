"""Request bodies of 1 to 500 steps of 1 KB to 1 MB, against copying their bytes.

A body is assembled for each turn while the outputs grow by one, as in a session; measured is
the last turn. Copying means joining the same pieces when they are bytes already, which no
client can do without. Goal: at most 1.2 times that for bodies that take noticeable time.
Run: `python -m benchmarks.client_assembly`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from flowdbg.core.json_text import JsonText, Segments, encode, join
from flowdbg.transport.body import BodyEncoder

SHAPES = [
    (1, 1_000), (10, 1_000), (100, 1_000), (500, 1_000),
    (1, 100_000), (10, 100_000), (100, 100_000), (500, 100_000),
    (1, 1_000_000), (10, 1_000_000), (100, 1_000_000), (500, 1_000_000),
]  # fmt: skip


def outputs(steps: int, size: int) -> list[JsonText]:
    return [JsonText('{"text":"' + "abcdefghij" * (size // 10) + '"}') for _ in range(steps)]


def body(collected: list[JsonText]) -> Segments:
    """A step's body with these outputs, in pieces."""
    pieces: list[str | JsonText] = [f'{{"stepIndex":{len(collected)},"accumulatedOutputs":{{']
    for at, output in enumerate(collected):
        pieces += [f'{"," if at else ""}"step-{at}":', output]
    return (*pieces, '},"parameters":{},"inputOverrides":{},"runRemaining":false}')


def best_of(work: Callable[[], object], size: int) -> float:
    """The best time of some rounds, in seconds."""
    rounds = max(3, min(300, 200_000_000 // size))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Measure and print."""
    print(
        f"{'steps x bytes':>16} {'copying':>10} {'kept':>9} {'encode':>8} {'join':>8} {'json':>8}"
    )
    for steps, size in SHAPES:
        collected = outputs(steps, size)
        segments = body(collected)
        as_bytes = [encode((piece,)) for piece in segments]
        encoder = BodyEncoder()
        encoder.encode(body(collected[:-1]))
        if encoder.encode(segments) != b"".join(as_bytes):
            raise SystemExit("the encoder made other bytes")
        total = sum(map(len, as_bytes))
        copying = best_of(lambda parts=as_bytes: b"".join(parts), total)  # type: ignore[misc] # a default
        ways: list[Callable[[], object]] = [
            lambda e=encoder, s=segments: e.encode(s),  # type: ignore[misc] # a default argument
            lambda s=segments: encode(s),  # type: ignore[misc] # a default argument
            lambda s=segments: join(s).encode(),  # type: ignore[misc] # a default argument
        ]
        ratios = [best_of(way, total) / copying for way in ways]
        if total < 20_000_000:
            values = [output.value for output in collected]
            ratios.append(best_of(lambda v=values: json.dumps(v), total * 20) / copying)  # type: ignore[misc] # a default
        shown = "".join(f"{ratio:9.2f}" for ratio in ratios)
        print(f"{steps:>6} x {size:>7} {copying * 1e6:>8.1f}us {shown}")


if __name__ == "__main__":
    main()

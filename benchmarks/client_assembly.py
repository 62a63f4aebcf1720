"""Request bodies of 1 to 500 steps of 1 KB to 1 MB, against copying their bytes.

Measured is a whole turn as the debugger takes it: the request that the session implies, the call
that the dialect makes of it, and its bytes, right behind the turn before it, so with one output
that no body had yet. Copying means joining the same pieces when they are bytes already, which no
client can do without; `json` is what a client does that serialises the values for each call.

The goal is 1.2 times copying. What remains above it for small bodies is a fixed cost: a body of
1 KB is copied in the time that Python takes to call a few functions, so the third column says how
many microseconds the turn took more. A step over loopback takes about 1,000.
Run: `python -m benchmarks.client_assembly`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from flowdbg.core.json_text import JsonText, encode
from flowdbg.core.plan import Plan, Step
from flowdbg.core.requests import next_request
from flowdbg.core.session import Branch, Session
from flowdbg.dialects.noukai.client.bodies import step_body
from flowdbg.transport.body import BodyEncoder

SHAPES = [
    (1, 1_000), (10, 1_000), (100, 1_000), (500, 1_000),
    (1, 100_000), (10, 100_000), (100, 100_000), (500, 100_000),
    (1, 1_000_000), (10, 1_000_000), (100, 1_000_000), (500, 1_000_000),
]  # fmt: skip


def outputs(steps: int, size: int) -> list[JsonText]:
    """Outputs of one size."""
    return [JsonText('{"text":"' + "abcdefghij" * (size // 10) + '"}') for _ in range(steps)]


def session_after(collected: list[JsonText], steps: int) -> Session:
    """A session that has these outputs and stands behind them."""
    plan = Plan(
        tuple(Step(f"step-{at}", f"Step {at}") for at in range(steps + 1)), 1, "h", {}, True
    )
    named = {f"step-{at}": output for at, output in enumerate(collected)}
    branch = Branch(cursor=len(collected), execution_id="0" * 36, outputs=named)
    return Session(plan=plan, branches=(branch,))


def best_of(work: Callable[[], object], size: int, before: Callable[[], object] = int) -> float:
    """The best time of some rounds, in seconds; `before` is done in each round, not measured."""
    rounds = max(3, min(300, 200_000_000 // size))
    best = float("inf")
    for _ in range(rounds):
        before()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def measure(steps: int, size: int) -> str:
    """One line of the table."""
    collected = outputs(steps, size)
    former, latter = session_after(collected[:-1], steps), session_after(collected, steps)
    encoder = BodyEncoder()

    def assemble(session: Session) -> bytes:
        return encoder.encode(step_body(next_request(session)))

    parts = [encode((piece,)) for piece in step_body(next_request(latter))]
    assemble(former)
    if assemble(latter) != b"".join(parts):
        raise SystemExit("the encoder made other bytes")
    total = sum(map(len, parts))
    copying = best_of(lambda: b"".join(parts), total)
    ours = best_of(lambda: assemble(latter), total, before=lambda: assemble(former))
    line = f"{steps:>6} x {size:>7} {copying * 1e6:>10.1f} {ours * 1e6:>10.1f}"
    line += f" {(ours - copying) * 1e6:>10.1f} {ours / copying:>8.2f}"
    if total < 20_000_000:
        values = [output.value for output in collected]
        line += f" {best_of(lambda: json.dumps(values).encode(), total * 20) / copying:>8.1f}"
    return line


def main() -> None:
    """Measure and print."""
    heads = ("copying us", "turn us", "more us", "ratio", "json")
    widths = (10, 10, 10, 8, 8)
    shown = " ".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True))
    print(f"{'steps x bytes':>16} {shown}")
    for steps, size in SHAPES:
        print(measure(steps, size), flush=True)


if __name__ == "__main__":
    main()

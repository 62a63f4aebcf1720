"""A scripted step of 100,000 chunks, against a bare Starlette endpoint that streams as many.

Goal: at least half its events a second, in the same run; not one event is lost.
Run: `python -m benchmarks.server_stream`.
"""

from __future__ import annotations

from benchmarks.server_peers import RawClient, bare_server, our_server, percentile

COUNT = 100_000
ROUNDS = 5
TEXT = "x" * 30  # the output of a block is bounded (4 MB)
FLOW = f"""\
flow: bench/stream/long
inputs:
  message: {{type: string}}
scripts:
  long:
    replies:
      - chunks: ["{TEXT}"]
        repeat: {COUNT}
steps:
  - {{id: s, kind: llm, model: scripted/long, prompt: go}}
"""


def main() -> None:
    """Measure and print."""
    ours: list[float] = []
    bare: list[float] = []
    with our_server(FLOW) as our_port, bare_server() as bare_port:
        us, them = RawClient(our_port), RawClient(bare_port)
        for number in range(ROUNDS + 1):
            path = "/api/v1/seq/bench/stream/long/step"
            timing = us.post(path, b'{"stepIndex":0,"message":"hello"}')
            other = them.post("/stream", b'{"count":%d}' % COUNT)
            # run_started, step_started, step_input, step_completed, run_completed, flow_completed
            assert timing.events == COUNT + 6, timing.events
            assert other.events == COUNT
            if number:
                ours.append(COUNT / timing.whole)
                bare.append(COUNT / other.whole)
        us.close()
        them.close()
    for name, values in (("bare", bare), ("ours", ours)):
        print(f"{name:5} {percentile(values, 0.5):9.0f} events/s (worst {min(values):9.0f})")
    print(f"ratio {percentile(ours, 0.5) / percentile(bare, 0.5):.2f} (goal: at least 0.5)")


if __name__ == "__main__":
    main()

"""The first event of a trivial step, its run record durable, against a bare Starlette endpoint.

Goal: within 5 times, in the same run. Both are measured in turns, so that a busy machine slows
both. Run: `python -m benchmarks.server_step`.
"""

from __future__ import annotations

from benchmarks.server_peers import RawClient, bare_server, our_server, percentile

FLOW = """\
flow: bench/step/trivial
inputs:
  message: {type: string}
steps:
  - {id: only, kind: passthrough}
"""
ROUNDS = 20
STEPS = 100


def main() -> None:
    """Measure and print."""
    ours: list[float] = []
    bare: list[float] = []
    whole: list[float] = []
    with our_server(FLOW) as our_port, bare_server() as bare_port:
        us, them = RawClient(our_port), RawClient(bare_port)
        for number in range(ROUNDS + 1):
            for _ in range(STEPS):
                path = "/api/v1/seq/bench/step/trivial/step"
                timing = us.post(path, b'{"stepIndex":0,"message":"hello"}')
                other = them.post("/stream", b'{"count":1}')
                if number:  # the first round warms up
                    ours.append(timing.first)
                    whole.append(timing.whole)
                    bare.append(other.first)
        us.close()
        them.close()
    for name, values in (
        ("bare first event", bare),
        ("ours first event", ours),
        ("ours whole", whole),
    ):
        middle, high = percentile(values, 0.5) * 1e6, percentile(values, 0.99) * 1e6
        print(f"{name:18} p50 {middle:7.0f} us   p99 {high:7.0f} us")
    ratio = percentile(ours, 0.5) / percentile(bare, 0.5)
    print(f"ratio {ratio:.2f} (goal: at most 5)")


if __name__ == "__main__":
    main()

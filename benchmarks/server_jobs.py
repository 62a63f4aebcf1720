"""A queued job of trivial steps, against a bare DBOS workflow of as many steps in the same run.

Goal: within 1.5 times. Both are timed from the queue to the recorded end, without the time that
polling adds. Run: `python -m benchmarks.server_jobs`.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.server_peers import our_server, percentile

STEPS = 50
ROUNDS = 12
FLOW = "flow: bench/jobs/trivial\ninputs:\n  message: {type: string}\nsteps:\n" + "".join(
    f"  - {{id: s{number}, kind: passthrough}}\n" for number in range(STEPS)
)
BARE = """
import sys, time
from dbos import DBOS, SetWorkflowID

@DBOS.step()
def step(index: int) -> str:
    return '{"output": {"message": "hello"}}'

@DBOS.workflow()
def workflow(count: int) -> float:
    began = time.perf_counter()
    for index in range(count):
        step(index)
    return time.perf_counter() - began

DBOS(config={"name": "bare", "system_database_url": "sqlite:///" + sys.argv[1],
             "log_level": "ERROR"})
DBOS.launch()
DBOS.register_queue("queue", worker_concurrency=8, polling_interval_sec=0.05)
print("ready", flush=True)
for line in sys.stdin:
    handle = DBOS.enqueue_workflow("queue", workflow, int(line))
    print(handle.get_result(polling_interval_sec=0.02), flush=True)
DBOS.destroy()
"""


def call(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """One request; the answer's JSON value."""
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text)
    return json.loads(connection.getresponse().read())


def our_job(connection: http.client.HTTPConnection) -> float:
    """Queue a job, wait for its end; seconds from its first step's start to its end."""
    flow = "/api/v1/seq/bench/jobs/trivial"
    run_id = call(connection, "POST", f"{flow}/jobs", {"message": "hello"})["executionId"]
    while call(connection, "GET", f"{flow}/jobs/{run_id}")["status"] not in ("completed", "failed"):
        time.sleep(0.02)
    connection.request("GET", f"/api/v1/flow-runs/{run_id}/trace")
    trace = json.loads(connection.getresponse().read())
    assert trace["flowRun"]["status"] == "completed"
    assert len(trace["steps"]) == STEPS
    return _seconds(trace["flowRun"]["completedAt"]) - _seconds(trace["steps"][0]["startedAt"])


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def main() -> None:
    """Measure in turns and print."""
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder, our_server(FLOW) as port:
        peer = subprocess.Popen(
            [sys.executable, "-c", BARE, f"{folder}/bare.db"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert peer.stdin
        assert peer.stdout
        peer.stdout.readline()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for number in range(ROUNDS + 2):
            took = our_job(connection)
            peer.stdin.write(f"{STEPS}\n")
            peer.stdin.flush()
            other = float(peer.stdout.readline())
            if number > 1:  # the first rounds warm up
                ours.append(took)
                bare.append(other)
        connection.close()
        peer.stdin.close()
        peer.wait()
    for name, values in (("bare DBOS", bare), ("ours", ours)):
        middle, high = percentile(values, 0.5), percentile(values, 0.9)
        print(f"{name:10} {STEPS} steps p50 {middle * 1e3:7.1f} ms   p90 {high * 1e3:7.1f} ms")
    ratio = percentile(ours, 0.5) / percentile(bare, 0.5)
    print(f"ratio {ratio:.2f} (goal: at most 1.5)")


if __name__ == "__main__":
    main()

"""Queued runs as their clients see them: submit, poll until they are over, read their trace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.dialects.noukai.server import http

Body = dict[str, Any]


def submit(base: str, flow: str, /, **body: Any) -> httpx.Response:
    return http.post(f"{base}/seq/acme/demo/{flow}/jobs", json=body)


def submitted(base: str, flow: str, /, **body: Any) -> str:
    answer = submit(base, flow, **body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "started"
    run_id: str = answer.json()["executionId"]
    return run_id


def poll(base: str, flow: str, run_id: str) -> Body:
    answer = http.get(f"{base}/seq/acme/demo/{flow}/jobs/{run_id}")
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


def finished(base: str, flow: str, run_ids: Sequence[str]) -> list[Body]:
    """Poll until every job is over."""
    end = time.monotonic() + 240
    while True:
        states = [poll(base, flow, run_id) for run_id in run_ids]
        if all(state["status"] in ("completed", "failed") for state in states):
            return states
        assert time.monotonic() < end, states
        time.sleep(0.05)


def trace(base: str, run_id: str) -> Body:
    found: Body = http.get(f"{base}/flow-runs/{run_id}/trace").json()
    return found

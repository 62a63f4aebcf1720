"""A server killed while people publish: nothing half done, nothing acknowledged is lost."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import httpx
import pytest

from tests.flows import TWO_STEP
from tests.serving import server_process, write_flows

FLOW = "acme/demo/two-step"


def hammer(base: str, first: int, acknowledged: dict[int, str]) -> None:
    """Publish as fast as it goes until the server is gone."""
    with httpx.Client(timeout=20) as client:
        for number in range(first, 100_000, 2):
            definition = TWO_STEP.replace("Write to", f"Write number {number} to")
            body = {"definition": definition, "production": True}
            try:
                answer = client.post(f"{base}/flows/{FLOW}/versions", json=body)
            except httpx.TransportError:
                return
            told = answer.json()
            acknowledged[told["version"]] = told["hash"]


def check(base: str, acknowledged: dict[int, str]) -> int:
    """Every version is whole and every acknowledged one is there; how many there are."""
    with httpx.Client(timeout=20) as client:
        listed = client.get(f"{base}/flows/{FLOW}/versions").json()
        numbers = [item["version"] for item in listed["versions"]]
        assert numbers == list(range(1, len(numbers) + 1))
        hashes = {item["version"]: item["hash"] for item in listed["versions"]}
        assert acknowledged.items() <= hashes.items()
        assert listed["production"] in numbers
        for number in numbers[-5:]:
            plan = client.get(f"{base}/seq/{FLOW}/v{number}/plan")
            assert plan.status_code == 200
            assert plan.json()["hash"] == hashes[number]
    return len(numbers)


def kill_rounds(tmp_path: Path, rounds: int) -> None:
    write_flows(tmp_path, TWO_STEP)
    arguments = ("--db", str(tmp_path / "server.db"))
    acknowledged: dict[int, str] = {}
    chance = random.Random(7)
    for _ in range(rounds):
        with server_process([tmp_path], *arguments) as server:
            threads = [
                threading.Thread(target=hammer, args=(server.base, first, acknowledged))
                for first in (0, 1)
            ]
            for thread in threads:
                thread.start()
            target = len(acknowledged) + chance.randint(3, 40)
            while len(acknowledged) < target:
                threads[0].join(0.001)
            server.kill()
            for thread in threads:
                thread.join(30)
    with server_process([tmp_path], *arguments) as server:
        assert check(server.base, acknowledged) >= len(acknowledged)


def test_nothing_is_half_published(tmp_path: Path) -> None:
    kill_rounds(tmp_path, 2)


@pytest.mark.slow
def test_nothing_is_half_published_however_often_it_is_killed(tmp_path: Path) -> None:
    kill_rounds(tmp_path, 20)

"""One real server with the small flows, for all tests of this folder in one process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.dialects.noukai.server import http
from tests.flows import ALL
from tests.serving import Running, running_server, write_flows


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the drafts of the small flows."""
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, *ALL)
    with running_server([folder], folder / "server.db") as running:
        yield running


@pytest.fixture
def base(server: Running) -> str:
    """What clients are pointed at."""
    return server.base


_numbers = itertools.count(1)


@pytest.fixture
def publish(base: str) -> Callable[[str, str], int]:
    """Publish a definition, as production, under its own or a given address."""

    def published(definition: str, flow: str = "") -> int:
        first, rest = definition.split("\n", 1)
        flow = flow or first.removeprefix("flow: ")
        answer = http.post(
            f"{base}/flows/{flow}/versions",
            json={"definition": f"flow: {flow}\n{rest}", "production": True},
        )
        assert answer.status_code == 201, answer.text
        version: int = answer.json()["version"]
        return version

    return published


@pytest.fixture
def fresh_flow() -> str:
    """An address that no other test uses."""
    return f"acme/tests/flow-{next(_numbers)}"

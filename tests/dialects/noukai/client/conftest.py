"""One real server with the small flows, and sessions opened from its runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows import ALL
from tests.serving import running_server, write_flows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What clients are pointed at.

    A server with a queue draws random numbers now and then, which hypothesis refuses to have beside
    its own; so it is gone before the next module's tests.
    """
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, *ALL)
    with running_server([folder], folder / "server.db") as running:
        yield running.base

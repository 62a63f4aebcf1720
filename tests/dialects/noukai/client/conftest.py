"""One real server with the small flows, and sessions opened from its runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows import ALL
from tests.serving import running_server, write_flows


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What clients are pointed at."""
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, *ALL)
    with running_server([folder], folder / "server.db") as running:
        yield running.base

"""A real server for the vendor's own clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows import ALL
from tests.serving import Running, running_server, write_flows


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the drafts of the small flows."""
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, *ALL)
    with running_server([folder], folder / "server.db") as running:
        yield running

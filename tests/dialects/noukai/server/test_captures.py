"""The bytes on the wire are the ones that were reviewed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dialects.noukai.server.capture import FOLDER, SCENARIOS, Wire, captured
from tests.flows import ALL
from tests.serving import running_server, write_flows


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_wire_has_not_changed(tmp_path: Path, scenario: Callable[[Wire], None]) -> None:
    write_flows(tmp_path, *ALL)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        found = captured(server.url, scenario)
    expected = FOLDER.joinpath(f"{scenario.__name__}.txt").read_text(encoding="utf-8")
    assert found == expected, (
        "The wire changed. When that is meant, write the captures anew:"
        " python -m tests.dialects.noukai.server.capture"
    )

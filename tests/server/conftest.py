"""Fixtures of the server's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgresql import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Callable[[], str]]:
    """URLs of fresh databases on a PostgreSQL server; skipped where none is installed."""
    with postgresql() as fresh:
        yield fresh


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    ]
)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database: a SQLite file, then one on PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "server.db")
    fresh: Callable[[], str] = request.getfixturevalue("postgresql_server")
    return fresh()

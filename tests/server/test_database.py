"""The database: opening, holding, migrating, and writes that share a commit."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from flowdbg.dialects.services import Address
from flowdbg.errors import NotSaved, SessionHeld, SessionUnreadable, StoreError, UsageError
from flowdbg.server.storage import flows, runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.location import database_url
from flowdbg.server.storage.migrations import SCHEMA_VERSION, migrate
from flowdbg.server.storage.schema import metadata

ADDRESS = Address("acme", "demo", "two")


def make(number: int) -> Callable[[Connection], flows.FlowRow]:
    """A write that makes a flow."""
    return lambda connection: flows.ensure_flow(
        connection, Address("acme", "demo", f"flow{number}")
    )


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    opened = Database(location, "here")
    yield opened
    opened.close()


def test_the_migrations_make_the_tables_the_program_uses(database: Database) -> None:
    def columns(connection: Connection) -> dict[str, set[str]]:
        inspector = inspect(connection)
        return {
            name: {str(column["name"]) for column in inspector.get_columns(name)}
            for name in inspector.get_table_names()
        }

    made = database.read_now(columns)
    expected = {
        table.name: {column.name for column in table.columns} for table in metadata.sorted_tables
    }
    assert made == {**expected, "schema_version": {"version"}}


def test_a_database_opens_again_with_what_it_held(location: str) -> None:
    first = Database(location, "one")
    made = first.write_now(lambda connection: flows.ensure_flow(connection, ADDRESS))
    first.close()
    second = Database(location, "two")
    assert second.read_now(lambda connection: flows.find_flow(connection, ADDRESS)) == made
    second.close()


def test_a_database_of_the_first_schema_is_brought_up_with_what_it_holds(location: str) -> None:
    first = Database(location, "one")
    url = first.url
    first.write_now(_back_to_the_first_schema)
    first.close()
    old = create_engine(url)
    with old.begin() as connection:
        connection.execute(text("INSERT INTO flows VALUES ('f', 'acme', 'demo', 'two', NULL, 1.5)"))
        connection.execute(
            text(
                "INSERT INTO runs VALUES ('r', 'f', NULL, 'h', 'step', 'paused', 'o', NULL,"
                " 'metadata_only', '{}', 1, 2.5, NULL, 0, 0, '0', NULL)"
            )
        )
    old.dispose()
    second = Database(location, "two")
    record = second.read_now(lambda connection: runs.find_run(connection, "r"))
    assert record is not None
    assert (record.status, record.pending) == ("paused", None)
    made = second.read_now(lambda connection: flows.find_flow(connection, ADDRESS))
    assert made is not None
    assert (made.flow_id, made.capture) == ("f", None)
    second.close()


def _back_to_the_first_schema(connection: Connection) -> None:
    for name in [*metadata.tables, "schema_version"]:
        connection.execute(text(f"DROP TABLE {name}"))
    migrate(connection, upto=1)


def test_a_newer_database_is_refused_and_left_alone(location: str) -> None:
    first = Database(location, "one")
    first.write_now(
        lambda connection: connection.execute(text("UPDATE schema_version SET version = 999"))
    )
    first.close()
    with pytest.raises(SessionUnreadable, match="schema version 999"):
        Database(location, "two")


def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.commit()
    other.close()
    with pytest.raises(SessionUnreadable, match="another program"):
        Database(str(path), "here")
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    other.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to look at" * 100)
    before = path.read_bytes()
    with pytest.raises(SessionUnreadable, match="cannot be read"):
        Database(str(path), "here")
    assert path.read_bytes() == before


def test_one_server_holds_a_file_and_another_is_told_which(tmp_path: Path) -> None:
    import os

    location = str(tmp_path / "server.db")
    first = Database(location, "one")
    with pytest.raises(SessionHeld, match=f"process {os.getpid()}"):
        Database(location, "two")
    first.close()
    Database(location, "two").close()


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "new" / "server.db"), "here")
    database.write_now(lambda connection: flows.ensure_flow(connection, ADDRESS))
    files = list((tmp_path / "new").iterdir())
    assert {file.name for file in files} >= {"server.db", "server.db-wal", "server.db.lock"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_a_file_is_held_on_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        first = Database(str(tmp_path / "server.db"), "one")
    with pytest.raises(SessionHeld, match="process unknown"):
        Database(str(tmp_path / "server.db"), "two")
    first.close()


def test_the_file_is_written_ahead_and_flushed(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "server.db"), "here")

    def modes(connection: Connection) -> tuple[object, object]:
        return (
            connection.exec_driver_sql("PRAGMA journal_mode").scalar(),
            connection.exec_driver_sql("PRAGMA synchronous").scalar(),
        )

    assert database.write_now(modes) == ("wal", 2)
    database.close()


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "link.db").symlink_to(tmp_path / "target")
    with pytest.raises(NotSaved, match=r"link\.db"):
        Database(str(tmp_path / "link.db"), "here")


@pytest.mark.parametrize("location", ["mysql://h/d", "sqlite://", "nonsense://", "://"])
def test_other_databases_are_refused(location: str) -> None:
    with pytest.raises(UsageError):
        database_url(location)


def test_a_postgresql_url_keeps_its_parts() -> None:
    url = database_url("postgresql://someone:secret@host:5433/flows")
    assert (url.drivername, url.host, url.port) == ("postgresql+psycopg", "host", 5433)
    assert "secret" not in repr(url)


def test_an_unreachable_database_is_an_error_without_the_password() -> None:
    with pytest.raises(StoreError) as raised:
        Database("postgresql://someone:hidden@127.0.0.1:1/flows", "here")
    assert "hidden" not in str(raised.value)


async def test_many_writes_at_once_are_all_carried_out(database: Database) -> None:
    made = await asyncio.gather(*(database.write(make(number)) for number in range(200)))
    rows = await database.read(flows.all_flows)
    assert {row.flow_id for row in rows} == {row.flow_id for row in made}


async def test_a_failing_write_spoils_no_other_in_the_same_commit(database: Database) -> None:
    def broken(connection: Connection) -> None:
        flows.ensure_flow(connection, Address("acme", "demo", "broken"))
        raise ZeroDivisionError

    writes: list[asyncio.Future[Any]] = [
        database.write(broken if number % 3 == 0 else make(number)) for number in range(30)
    ]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, ZeroDivisionError) for result in results] == [
        number % 3 == 0 for number in range(30)
    ]
    names = {row.address.flow for row in await database.read(flows.all_flows)}
    assert names == {f"flow{number}" for number in range(30) if number % 3}


async def test_where_no_transaction_can_begin_each_write_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A locked file keeps each try waiting for seconds."""
    database = Database(str(tmp_path / "server.db"), "here")
    tries = 0

    def locked(work: object) -> None:
        nonlocal tries
        tries += 1
        raise NotSaved("The server's database failed: database is locked.")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write_now", locked)
        writes = [database.write(make(number)) for number in range(20)]
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(result, NotSaved) for result in results)
    assert tries <= 20
    assert (await database.write(make(1))).address.flow == "flow1"
    database.close()


async def test_a_write_that_nobody_waits_for_any_more_is_carried_out(database: Database) -> None:
    written = database.write(lambda connection: flows.ensure_flow(connection, ADDRESS))
    written.cancel()
    await database.write(lambda connection: None)
    assert await database.read(lambda connection: flows.find_flow(connection, ADDRESS))


def test_closing_carries_out_what_was_asked_for(location: str) -> None:
    async def ask(database: Database) -> None:
        for number in range(100):
            database.write(make(number))

    database = Database(location, "one")
    asyncio.run(ask(database))
    database.close()
    again = Database(location, "two")
    assert len(again.read_now(flows.all_flows)) == 100
    again.close()


def test_a_readers_connection_cannot_write(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "server.db"), "here")
    with pytest.raises(NotSaved, match="readonly"):
        database.read_now(lambda connection: flows.ensure_flow(connection, ADDRESS))
    database.close()


def test_errors_never_show_what_was_written(database: Database) -> None:
    row = {"id": "1", "org": "o", "project": "p", "flow": "the secret", "created_at": 0.0}

    def doubled(connection: Connection) -> None:
        for _ in range(2):
            connection.execute(metadata.tables["flows"].insert().values(row))

    with pytest.raises(StoreError) as raised:
        database.write_now(doubled)
    assert "the secret" not in str(raised.value)
    assert isinstance(raised.value.__cause__, IntegrityError)
    assert "the secret" not in str(raised.value.__cause__)


@pytest.mark.xdist_group("postgresql")
def test_servers_on_one_postgresql_know_whether_the_others_live(
    postgresql_server: object,
) -> None:
    assert callable(postgresql_server)
    url = postgresql_server()
    one, two = Database(url, "one"), Database(url, "two")
    assert two.write_now(lambda connection: two.lives(connection, "one"))
    one.close()
    assert not two.write_now(lambda connection: two.lives(connection, "one"))
    two.close()


@pytest.mark.xdist_group("postgresql")
async def test_a_server_whose_connection_was_cut_is_known_to_be_alive_again(
    postgresql_server: object,
) -> None:
    assert callable(postgresql_server)
    url = postgresql_server()
    one = Database(url, "one")
    cut = text(
        "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert one.write_now(lambda connection: connection.execute(cut).scalar()) == 1
    two = Database(url, "two")
    assert not two.write_now(lambda connection: two.lives(connection, "one"))
    await one.renew_hold()
    assert two.write_now(lambda connection: two.lives(connection, "one"))
    await one.renew_hold()
    one.close()
    assert not two.write_now(lambda connection: two.lives(connection, "one"))
    two.close()


def test_the_schema_version_is_written(database: Database) -> None:
    found = database.read_now(
        lambda connection: (
            connection.execute(select(text("version")).select_from(text("schema_version")))
            .scalars()
            .all()
        )
    )
    assert found == [SCHEMA_VERSION]

"""The schema's history: each version's statements, applied in order inside one transaction.

The statements are frozen: a change of the schema is a new entry here, never an edit of an old one.
They are written in the SQL that SQLite and PostgreSQL share.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from flowdbg.errors import SessionUnreadable

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE flows (id TEXT PRIMARY KEY, org TEXT NOT NULL, project TEXT NOT NULL,"
        " flow TEXT NOT NULL, production INTEGER, created_at DOUBLE PRECISION NOT NULL,"
        " UNIQUE (org, project, flow))",
        "CREATE TABLE versions (flow_id TEXT NOT NULL, number INTEGER NOT NULL,"
        " source TEXT NOT NULL, definition TEXT NOT NULL, definition_hash TEXT NOT NULL,"
        " plan_hash TEXT NOT NULL, created_at DOUBLE PRECISION NOT NULL,"
        " PRIMARY KEY (flow_id, number))",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, flow_id TEXT NOT NULL, version INTEGER,"
        " plan_hash TEXT NOT NULL, trigger_type TEXT NOT NULL, status TEXT NOT NULL,"
        " owner TEXT NOT NULL, session_id TEXT, capture TEXT NOT NULL, initial TEXT NOT NULL,"
        " step_count INTEGER NOT NULL, started_at DOUBLE PRECISION NOT NULL,"
        " ended_at DOUBLE PRECISION, prompt_tokens INTEGER NOT NULL,"
        " completion_tokens INTEGER NOT NULL, cost TEXT NOT NULL, error TEXT)",
        "CREATE INDEX runs_of_flow ON runs (flow_id, started_at)",
        "CREATE INDEX runs_by_status ON runs (status)",
        "CREATE INDEX runs_by_start ON runs (started_at)",
        "CREATE TABLE run_steps (run_id TEXT NOT NULL, ordinal INTEGER NOT NULL,"
        " step_id TEXT NOT NULL, path TEXT NOT NULL, attempt INTEGER NOT NULL,"
        " loop_index INTEGER, status TEXT NOT NULL, started_at DOUBLE PRECISION NOT NULL,"
        " ended_at DOUBLE PRECISION, duration_ms INTEGER NOT NULL, model TEXT,"
        " prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,"
        " cost TEXT, input TEXT, output TEXT, error TEXT,"
        " input_bytes INTEGER NOT NULL, output_bytes INTEGER NOT NULL,"
        " PRIMARY KEY (run_id, ordinal))",
    ),
    (
        "ALTER TABLE flows ADD COLUMN capture TEXT",
        "ALTER TABLE runs ADD COLUMN pending TEXT",
        "ALTER TABLE runs ADD COLUMN result TEXT",
        "ALTER TABLE run_steps ADD COLUMN entry_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE run_steps ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX runs_by_session ON runs (session_id)",
        "CREATE TABLE api_keys (id TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL,"
        " environment TEXT NOT NULL, secret_hash TEXT NOT NULL,"
        " created_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION,"
        " revoked_at DOUBLE PRECISION)",
        "CREATE INDEX api_keys_of_project ON api_keys (project)",
    ),
)

SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: Connection, *, upto: int = SCHEMA_VERSION) -> None:
    """Bring the schema to the given version; the caller's transaction makes it all or nothing.

    Raises:
        SessionUnreadable: The database is newer than this program, or is not a server's database.
    """
    current = _current_version(connection)
    if current > SCHEMA_VERSION:
        raise SessionUnreadable(
            f"The server's database has schema version {current}, this program knows"
            f" {SCHEMA_VERSION}.",
            "Update flowdbg, or give `--db` another file.",
        )
    for number in range(current, upto):
        for statement in MIGRATIONS[number]:
            connection.execute(text(statement))
    connection.execute(text("DELETE FROM schema_version"))
    connection.execute(text("INSERT INTO schema_version VALUES (:version)"), {"version": upto})


def _current_version(connection: Connection) -> int:
    """The version the database has; 0 for an empty one, whose version table is made here."""
    if connection.dialect.name == "postgresql":
        # Two servers that start at the same time on a new database take turns.
        connection.execute(text("SELECT pg_advisory_xact_lock(7101720351)"))
    names = set(inspect(connection).get_table_names())
    if "schema_version" in names:
        found = connection.execute(text("SELECT version FROM schema_version")).scalar()
        return int(found or 0)
    if connection.dialect.name == "sqlite" and names:
        raise SessionUnreadable(
            "The database file belongs to another program.", "Give `--db` another file."
        )
    connection.execute(text("CREATE TABLE schema_version (version INTEGER NOT NULL)"))
    return 0

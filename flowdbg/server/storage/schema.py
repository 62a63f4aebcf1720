"""The tables, as SQLAlchemy sees them; `migrations` is what makes them.

Payloads are JSON texts with every non-ASCII character escaped, so that a lone surrogate or a NUL
from a model is no trouble for any database. Times are seconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, MetaData, Table, Text

metadata = MetaData()

flows = Table(
    "flows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("production", Integer),
    Column("created_at", Double, nullable=False),
    Column("capture", Text),
)

versions = Table(
    "versions",
    metadata,
    Column("flow_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("definition", Text, nullable=False),
    Column("definition_hash", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("flow_id", Text, nullable=False),
    Column("version", Integer),
    Column("plan_hash", Text, nullable=False),
    Column("trigger_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("session_id", Text),
    Column("capture", Text, nullable=False),
    Column("initial", Text, nullable=False),
    Column("step_count", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost", Text, nullable=False),
    Column("error", Text),
    Column("pending", Text),
    Column("result", Text),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("step_id", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("loop_index", Integer),
    Column("status", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("duration_ms", Integer, nullable=False),
    Column("model", Text),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost", Text),
    Column("input", Text),
    Column("output", Text),
    Column("error", Text),
    Column("input_bytes", Integer, nullable=False),
    Column("output_bytes", Integer, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("name", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)


def storable(name: str) -> bool:
    """Whether a name that a client sent can stand in the database at all; ours are plain ASCII.

    Asking for one that cannot (a NUL, half a surrogate pair) would be an error, not a miss.
    """
    return name.isascii() and name.isprintable()

"""Sessions on disk: append-only, crash-safe, one SQLite file each, one writer at a time."""

from flowdbg.store.files import session_path
from flowdbg.store.records import StoredRecord
from flowdbg.store.salvage import Salvaged, salvage
from flowdbg.store.sessions import SessionStore
from flowdbg.store.summaries import SessionSummary, list_sessions, remove_session

__all__ = [
    "Salvaged",
    "SessionStore",
    "SessionSummary",
    "StoredRecord",
    "list_sessions",
    "remove_session",
    "salvage",
    "session_path",
]

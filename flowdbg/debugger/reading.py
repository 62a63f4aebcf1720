"""Reading a stored session to look at it: folded from its log, never opened for writing."""

from __future__ import annotations

from pathlib import Path

from flowdbg.core.address import parse_address
from flowdbg.core.session import Session
from flowdbg.debugger.reopening import stored_session
from flowdbg.dialects.targets import make_target
from flowdbg.errors import SessionUnreadable
from flowdbg.store import SessionStore


def read_session(path: Path) -> Session:
    """Return a stored session as it stands, also while another process writes it.

    No server is asked and nothing is written; a turn that was left open stays open.

    Raises:
        StoreError: The file cannot be read, or its log is damaged or from a newer version.
        UsageError: Its dialect is not known here.
    """
    store = SessionStore.open(path, read_only=True)
    try:
        meta = store.meta
        if not meta.get("address"):
            raise SessionUnreadable(
                f"The session {store.session_id} was not begun: its debugger ended at once.",
                "Remove it: flowdbg sessions rm.",
            )
        target = make_target(
            str(meta["dialect"]),
            url=str(meta["url"]),
            address=parse_address(str(meta["address"])),
            key=lambda: "",
        )
        return stored_session(store, target.decode)
    finally:
        store.close()

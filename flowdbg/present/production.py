"""A server where a mistake costs: what to ask, and what to warn of, before edits go there."""

from __future__ import annotations

from flowdbg.core.requests import next_request
from flowdbg.core.session import Session
from flowdbg.present import formats
from flowdbg.present.plan_rows import edits_in
from flowdbg.present.safe_text import safe_line


def edits_to_send(session: Session) -> int:
    """Return how many edits the next request carries: whole outputs, and fields of blocks."""
    return edits_in(next_request(session))


def production_question(session: Session, profile: str) -> str:
    """Return what to ask before edits go out for the first time."""
    return f"{production_warning(profile, edits_to_send(session))} Send them?"


def production_warning(profile: str, edits: int) -> str:
    """Return the line that a script is warned with when edits go to a named server."""
    return (
        f"{safe_line(profile, 40)} is PRODUCTION, and this run takes "
        f"{formats.plural(edits, 'edit')} along."
    )

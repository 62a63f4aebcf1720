"""A server where a mistake costs: what to ask, and what to warn of, before edits go there."""

from __future__ import annotations

from flowdbg.core.requests import next_request
from flowdbg.core.session import Session
from flowdbg.present import formats
from flowdbg.present.safe_text import safe_line


def edits_to_send(session: Session) -> int:
    """Return how many edits the next request carries: whole outputs, and fields of blocks."""
    request = next_request(session)
    fields = sum(len(fields) for fields in request.block_edits.values())
    return len(request.output_edits) + fields


def production_question(session: Session, profile: str) -> str:
    """Return what to ask before edits go out for the first time."""
    return f"{_what(session, profile)} Send them?"


def production_warning(session: Session, profile: str) -> str:
    """Return the line that a script is warned with; empty when no edit goes out."""
    return _what(session, profile) if edits_to_send(session) else ""


def _what(session: Session, profile: str) -> str:
    edits = formats.plural(edits_to_send(session), "edit")
    where = safe_line(profile, 40) or safe_line(session.url, 60)
    return f"{where} is PRODUCTION, and this run takes {edits} along."

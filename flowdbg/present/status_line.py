"""The status line: what the session is doing in words, and as much more as fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowdbg.core.entries import StopReason
from flowdbg.core.session import Session, State
from flowdbg.present import formats
from flowdbg.present.looks import RUN_LOOKS, Look, RunState, Tone
from flowdbg.present.plan_rows import edits_in
from flowdbg.present.safe_text import safe_line
from flowdbg.present.text_lines import character_cells


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the status line."""

    text: str
    tone: Tone = "plain"
    weight: int = 50
    """Which go first when space is short: the lowest; 100 and more never go."""
    strong: bool = False
    badge: bool = False
    """Whether a warning colour is behind the text, so that nobody reads over it."""


def look(session: Session) -> Look:
    """Return how the session's state looks."""
    if session.state is State.RUNNING:
        return RUN_LOOKS[RunState.RUNNING]
    if session.stop.reason is StopReason.SERVER:
        turn = session.turns[-1] if session.turns else None
        if turn is not None and turn.outcome == "not sent":
            return RUN_LOOKS[RunState.OFFLINE]
    if session.state is State.PAUSED:
        turn = session.turns[-1] if session.turns else None
        if session.stop.reason is StopReason.USER and turn and turn.outcome == "cancelled":
            return RUN_LOOKS[RunState.CANCELLED]
        return RUN_LOOKS[RunState.PAUSED]
    return RUN_LOOKS[STATES[session.state]]


STATES = {
    State.DONE: RunState.DONE,
    State.FAILED: RunState.FAILED,
    State.TOOLS: RunState.WAITING,
    State.STALE: RunState.STALE,
    State.UNKNOWN: RunState.UNKNOWN,
}


def status_parts(
    session: Session,
    *,
    elapsed: float,
    speed: str = "",
    unsaved: bool = False,
    read_only: bool = False,
    viewing: str = "",
    profile: str = "",
    production: bool = False,
) -> list[Part]:
    """Return the pieces of the status line, in the order they stand.

    Args:
        session: The session.
        elapsed: Seconds that turns took so far, the running one included.
        speed: Tokens a second while something streams.
        unsaved: Whether the newest entries are not on disk.
        read_only: Whether another process writes the session, so that nothing can be changed.
        viewing: What is looked at, when it is not the newest state.
        profile: The name of the server; seen at any width.
        production: Whether that server is production.
    """
    shown = look(session)
    badge = Part("VIEWING", "plain", 200, strong=True) if viewing else None
    parts = [badge or Part(shown.word, shown.tone, 200, strong=True)]
    name = safe_line(profile, 20)
    if production:
        parts.append(Part(f"PRODUCTION {name}".rstrip(), "bad", 160, strong=True, badge=True))
    elif name:
        parts.append(Part(name, "accent", 120))
    parts.append(Part(_where(session), weight=90))
    if viewing:
        parts.append(Part(viewing, "accent", 95))
    if unsaved:
        parts.append(Part("NOT SAVED", "bad", 150, strong=True))
    if read_only:
        parts.append(Part("READ ONLY", "warning", 140, strong=True))
    parts.append(Part(_flow(session), "muted", 80))
    if session.current and not viewing:
        branch = session.branch
        parts.append(Part(f"{branch.reason or 'branch'} #{branch.number}", "muted", 45))
    edits = edits_in(session)
    if edits:
        parts.append(Part(f"±{edits}", "edit", 85))
    if session.anomalies:
        parts.append(Part(formats.plural(len(session.anomalies), "odd event"), "warning", 40))
    parts.append(Part(formats.clock(elapsed), weight=70))
    if speed:
        parts.append(Part(speed, "running", 75))
    if session.totals.tokens.total:
        parts.append(Part(formats.tokens(session.totals.tokens.total), weight=60))
    spent = formats.cost(session.totals.cost)
    if spent:
        parts.append(Part(spent, weight=55))
    if session.branch.execution_id:
        parts.append(Part(safe_line(session.branch.execution_id[:8]), "muted", 10))
    return [part for part in parts if part.text]


def fitted(parts: Sequence[Part], width: int) -> list[Part]:
    """Return the parts that fit into `width` cells, the weightiest first to stay."""
    kept = list(parts)
    while len(kept) > 1 and sum(_cells(part) + 2 for part in kept) - 2 > width:
        least = min(kept, key=lambda part: part.weight)
        if least.weight >= 100:
            break
        kept.remove(least)
    return kept


def _cells(part: Part) -> int:
    return sum(map(character_cells, part.text)) + 2 * part.badge


def _flow(session: Session) -> str:
    name = session.address.rpartition("/")[2] or session.address
    version = session.version
    if version is None:
        return safe_line(name, 40)
    pin = " pinned" if session.pinned is not None else ""
    return f"{safe_line(name, 40)}@{version}{pin}"


def _where(session: Session) -> str:
    length = session.plan.length
    total = f"/{length}" if length is not None else ""
    step = session.plan.at(session.cursor)
    name = safe_line(step.name or step.id, 32) if step else ""
    if session.state is State.DONE:
        return f"after {session.cursor}{total} steps"
    if session.state is State.STALE:
        return f"at step {session.cursor + 1}{total}"
    place = f"{session.cursor + 1}{total} {name}".rstrip()
    reason = {
        StopReason.BREAKPOINT: "breakpoint before",
        StopReason.ERROR: "in",
        StopReason.UNKNOWN: "in",
        StopReason.TOOL_CALL: "in",
    }.get(session.stop.reason, "before")
    return place if session.state is State.RUNNING else f"{reason} {place}"

"""Why the debugger stopped after a turn, in words."""

from __future__ import annotations

from flowdbg.core.entries import Outcome, Stopped, StopReason
from flowdbg.core.session import Session
from flowdbg.core.tool_calls import ToolCall
from flowdbg.errors import EditRefused, InputMissing, NoSuchStep, RunLost, TargetError

_REASONS = {
    Outcome.PAUSED: StopReason.STEP,
    Outcome.COMPLETED: StopReason.END,
    Outcome.FAILED: StopReason.ERROR,
    Outcome.TOOL_CALLS: StopReason.TOOL_CALL,
    Outcome.CANCELLED: StopReason.USER,
    Outcome.REFUSED: StopReason.SERVER,
    Outcome.NOT_SENT: StopReason.SERVER,
    Outcome.STALE: StopReason.STALE_PLAN,
    Outcome.UNKNOWN: StopReason.UNKNOWN,
}


def stop_after(session: Session, outcome: Outcome, error: TargetError | None) -> Stopped:
    """The stop that a turn's outcome means; the session has already folded the turn."""
    step = session.plan.at(session.cursor)
    step_id = step.id if step else ""
    if isinstance(error, NoSuchStep) and not session.plan.told and session.cursor:
        return Stopped(StopReason.END, "the server has no further step", step_id)
    if isinstance(error, InputMissing):
        return Stopped(StopReason.INPUT_NEEDED, str(error), step_id)
    if isinstance(error, EditRefused):
        return Stopped(StopReason.EDIT_REFUSED, str(error), step_id)
    if isinstance(error, RunLost):
        detail = "the server forgot the run; the outputs are here, the next step starts a new run"
        return Stopped(StopReason.SERVER, detail, step_id)
    if outcome is Outcome.PAUSED and session.at_end:
        return Stopped(StopReason.END, "the server paused after the last step")
    turn = session.turns[-1]
    detail = f"{turn.what} {turn.next_step}".strip()
    if outcome is Outcome.FAILED:
        detail = turn.failure
    if outcome is Outcome.TOOL_CALLS:
        names = [ToolCall.of(call).name for call in session.branch.unanswered]
        detail = f"it asks for {', '.join(names)}"
    if outcome is Outcome.CANCELLED:
        detail = "cancelled; whether the server stopped in time is not confirmed"
    return Stopped(_REASONS[outcome], detail, step_id)

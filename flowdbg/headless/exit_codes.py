"""The exit codes, which are a contract with scripts."""

from __future__ import annotations

from enum import IntEnum

from flowdbg.core.entries import StopReason
from flowdbg.core.session import Session, State
from flowdbg.errors import (
    EditRefused,
    FlowdbgError,
    InputMissing,
    StalePlan,
    StoreError,
    TargetError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    END = 0
    """The flow came to its end."""
    STEP_FAILED = 1
    USAGE = 2
    STOPPED = 3
    """Stopped before the end, as asked."""
    TROUBLE = 4
    """The server or the protocol made trouble, or an outcome is unknown."""
    STALE = 5
    NOT_SAVED = 6
    """The session could not be written."""
    INTERRUPTED = 130


def code_of_session(session: Session, *, interrupted: bool = False) -> ExitCode:
    """The exit code that a stopped session means."""
    if interrupted:
        return ExitCode.INTERRUPTED
    by_state = {
        State.DONE: ExitCode.END,
        State.FAILED: ExitCode.STEP_FAILED,
        State.STALE: ExitCode.STALE,
        State.UNKNOWN: ExitCode.TROUBLE,
    }
    if session.state in by_state:
        return by_state[session.state]
    by_reason = {
        StopReason.SERVER: ExitCode.TROUBLE,
        StopReason.INPUT_NEEDED: ExitCode.USAGE,
        StopReason.EDIT_REFUSED: ExitCode.USAGE,
    }
    return by_reason.get(session.stop.reason, ExitCode.STOPPED)


def code_of_run(status: str) -> ExitCode:
    """The exit code that a whole run's status means."""
    codes = {"completed": ExitCode.END, "failed": ExitCode.STEP_FAILED}
    return codes.get(status, ExitCode.STOPPED)


def code_of_error(error: FlowdbgError) -> ExitCode:
    """The exit code that an error means."""
    if isinstance(error, StalePlan):
        return ExitCode.STALE
    if isinstance(error, TargetError):
        wrong = isinstance(error, EditRefused | InputMissing)
        return ExitCode.USAGE if wrong else ExitCode.TROUBLE
    if isinstance(error, StoreError):
        return ExitCode.NOT_SAVED
    return ExitCode.USAGE

"""The exception tree. Every error says what happened and what to do next.

    FlowdbgError
    ├── UsageError              wrong flags, target, value or file; nothing was sent
    │   ├── ConfigError         a configuration file or keymap is wrong
    │   └── DefinitionError     a flow file is wrong (carries every problem found)
    ├── BusyError               a turn is running; a second running verb is refused
    ├── TargetError             trouble with the server or on the way to it
    │   ├── ConnectionFailed    no answer: refused, unreachable, name unknown, TLS
    │   ├── RequestTimedOut     a deadline passed (connect, idle, progress)
    │   ├── Interrupted         the stream broke after the request was sent: outcome unknown
    │   ├── ProtocolViolation   an answer that the protocol does not allow
    │   │   └── EventTooLarge   one event passed the size limit
    │   └── Refused             the server answered with an error status
    │       ├── AuthenticationFailed  401, 403
    │       ├── FlowNotFound          404
    │       ├── RateLimited           429
    │       ├── StalePlan             the plan changed under the session
    │       ├── NoSuchStep            the flow has no step at the cursor: it is at its end
    │       ├── RunLost               the server no longer knows the run; its outputs are ours
    │       ├── InputMissing          the run's inputs lack something
    │       ├── EditRefused           an edit does not fit its block
    │       └── ServerFailed          5xx
    ├── StoreError              the session could not be read or written
    │   ├── NotSaved            disk full or an I/O error; what is in memory stays
    │   ├── SessionHeld         another process writes this session
    │   └── SessionUnreadable   corrupt, foreign, newer or not a regular file
    ├── ModelError              a model could not be loaded or did not answer
    └── SandboxError            code or an expression failed or passed its limits

Foreign exceptions are mapped once, at the edge that met them. Messages carry no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FlowdbgError(Exception):
    """Base of all errors: what happened, and what the person can do next."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        """One sentence: what happened and where."""
        self.next_step = next_step
        """One sentence: what to do next; empty when there is nothing to do."""

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".rstrip()


class UsageError(FlowdbgError):
    """A wrong flag, target, value or file; nothing was sent."""


class ConfigError(UsageError):
    """A configuration file or keymap is wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a flow file."""

    file: str
    line: int
    """1-based line; 0 when the place is not known."""
    field: str
    """Dotted path of the field, such as `steps[2].prompt`; empty for the whole file."""
    message: str
    """What is wrong and what was expected."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return (
            f"{where}: {self.field}: {self.message}" if self.field else f"{where}: {self.message}"
        )


class DefinitionError(UsageError):
    """A flow file is wrong; `problems` lists everything found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BusyError(FlowdbgError):
    """A turn is running, so a second running verb is refused."""


class TargetError(FlowdbgError):
    """Trouble with the server or on the way to it."""


class ConnectionFailed(TargetError):
    """No answer came: refused, unreachable, unknown name, or a TLS failure."""


class RequestTimedOut(TargetError):
    """A deadline passed before or during the answer."""


class Interrupted(TargetError):
    """The stream broke after the request was sent, so its outcome is unknown.

    `tail` is what came after the last whole event, for people to look at.
    """

    def __init__(self, what: str, next_step: str = "", *, tail: str = "") -> None:
        super().__init__(what, next_step)
        self.tail = tail


class ProtocolViolation(TargetError):
    """The server sent something that the protocol does not allow."""


class EventTooLarge(ProtocolViolation):
    """One event of a stream passed the size limit."""


class Refused(TargetError):
    """The server answered with an error status.

    `status` is the HTTP status, `code` the machine-readable code of the error body (empty
    when there was none), `detail` the parsed `detail` object, `request_id` what the server
    calls the request, `retry_after` seconds when the server named them.
    """

    def __init__(
        self,
        what: str,
        next_step: str = "",
        *,
        status: int = 0,
        code: str = "",
        detail: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, next_step)
        self.status = status
        self.code = code
        self.detail = detail or {}
        self.request_id = request_id
        self.retry_after = retry_after


class AuthenticationFailed(Refused):
    """The key is missing, wrong, or not allowed here (401, 403)."""


class FlowNotFound(Refused):
    """The flow, version, run or job does not exist (404)."""


class RateLimited(Refused):
    """Too many requests (429)."""


class StalePlan(Refused):
    """The plan changed under the session; `detail["steps"]` is the current one."""


class NoSuchStep(Refused):
    """The flow has no step at the cursor: it is at its end."""


class RunLost(Refused):
    """The server no longer knows the run; nothing is lost, because the outputs are the client's."""


class InputMissing(Refused):
    """The run's inputs lack something that the flow needs."""


class EditRefused(Refused):
    """A block has no such field, or the field cannot have such a value; nothing ran."""


class ServerFailed(Refused):
    """The server failed (5xx)."""


class StoreError(FlowdbgError):
    """The session could not be read or written."""


class NotSaved(StoreError):
    """A disk is full or failed; what is in memory stays and can be saved again."""


class SessionHeld(StoreError):
    """Another process writes this session."""


class SessionUnreadable(StoreError):
    """The file is corrupt, foreign, newer, or not a regular file; it is left as it is."""


class ModelError(FlowdbgError):
    """A model could not be loaded or did not answer."""


class SandboxError(FlowdbgError):
    """Code or an expression failed, or passed its limits of time, memory or output."""

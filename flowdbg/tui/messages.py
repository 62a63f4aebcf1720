"""What the workers of the debug screen tell it; only its handlers touch widgets."""

from __future__ import annotations

from textual.message import Message

from flowdbg.core.entries import Entry
from flowdbg.core.session import Session


class SessionMoved(Message):
    """The session changed; several changes in short time come as one."""

    def __init__(self, session: Session, entries: tuple[Entry, ...], unsaved: str) -> None:
        super().__init__()
        self.session = session
        self.entries = entries
        self.unsaved = unsaved


class VerbEnded(Message):
    """A verb returned; `problem` says what went wrong and what to do, empty when nothing did."""

    def __init__(self, problem: str = "") -> None:
        super().__init__()
        self.problem = problem


class Moved(Message):
    """A verb that moves the cursor at once has come to its end."""


class DraftsLoaded(Message):
    """The unfinished edits of the session were read, and where the person stood."""

    def __init__(self, text: str | None, place: str | None = None) -> None:
        super().__init__()
        self.text = text
        self.place = place


class ExternallyEdited(Message):
    """A text came back from the person's editor."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

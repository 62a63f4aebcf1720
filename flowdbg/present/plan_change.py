"""An old plan beside the new one: each step with what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from flowdbg.core.plan import Change, Step, StepChange
from flowdbg.present.looks import ADDED, CHANGED, MOVED, REMOVED, Look
from flowdbg.present.safe_text import safe_line

SAME = Look("=", "=", "same", "muted")
UNTOLD = Look("?", "?", "not told", "muted")

_LOOKS = {
    Change.SAME: SAME,
    Change.CHANGED: CHANGED,
    Change.MOVED: MOVED,
    Change.NEW: ADDED,
    Change.GONE: REMOVED,
    Change.UNTOLD: UNTOLD,
}
_WORDS = {Change.NEW: "new", Change.GONE: "gone"}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One step on both sides."""

    old: str
    """`2 Classify`; empty where the old plan has no such step."""
    new: str
    look: Look
    word: str
    detail: str = ""
    """What changed: `prompt, model`, or `from 2 to 4`."""


def change_rows(changes: tuple[StepChange, ...]) -> tuple[ChangeRow, ...]:
    """Return a row for each step, in the order of the new plan, those that are gone last."""
    return tuple(
        ChangeRow(
            _named(change.old, change.old_index),
            _named(change.new, change.new_index),
            _LOOKS[change.change],
            _WORDS.get(change.change, str(change.change)),
            _detail(change),
        )
        for change in changes
    )


def _named(step: Step | None, index: int | None) -> str:
    if step is None or index is None:
        return ""
    return f"{index + 1} {safe_line(step.name or step.id, 40)}"


def _detail(change: StepChange) -> str:
    old, new = change.old, change.new
    if old is None or new is None:
        return ""
    parts = []
    if change.change is Change.MOVED and change.old_index != change.new_index:
        parts.append(f"from {(change.old_index or 0) + 1} to {(change.new_index or 0) + 1}")
    if old.name != new.name:
        parts.append("renamed")
    fields = {**old.config, **new.config}
    parts += [name for name in fields if old.config.get(name) != new.config.get(name)]
    if old.children != new.children:
        parts.append("what it holds")
    return safe_line(", ".join(parts), 60)

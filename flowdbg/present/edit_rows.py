"""All edits and breakpoints of a session, as one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flowdbg.core.session import Session
from flowdbg.present.json_rows import preview
from flowdbg.present.safe_text import safe_line

EditKind = Literal["output", "block", "breakpoint", "draft"]


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit or breakpoint."""

    step_id: str
    kind: EditKind
    label: str
    """What it is about: `Fetch output`, `Draft.prompt`, `before Reply`."""
    value: str = ""
    """The new value on one line."""


def edit_rows(session: Session, drafts: tuple[str, ...] = ()) -> tuple[EditRow, ...]:
    """List what a person put on the session: outputs, fields of blocks, breakpoints, drafts."""
    rows = [
        EditRow(step_id, "output", f"{_name(session, step_id)} output", preview(value.value, 80))
        for step_id, value in session.output_edits.items()
    ]
    for step_id, fields in session.block_edits.items():
        name = _name(session, step_id)
        rows += [
            EditRow(step_id, "block", f"{name}.{safe_line(field, 40)}", preview(value.value, 80))
            for field, value in fields.items()
        ]
    rows += [
        EditRow(step_id, "breakpoint", f"before {_name(session, step_id)}",
                "" if point.enabled else "off")
        for step_id, point in session.breakpoints.items()
    ]  # fmt: skip
    rows += [
        EditRow(step_id, "draft", _name(session, step_id), "not applied yet") for step_id in drafts
    ]
    return tuple(rows)


def _name(session: Session, step_id: str) -> str:
    step = session.plan.find(step_id)
    return safe_line((step.name if step else "") or step_id, 40)

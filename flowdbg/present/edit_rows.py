"""All edits and breakpoints of a session, as one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flowdbg.core.session import Session
from flowdbg.present.json_diff import Kind, changes, compare
from flowdbg.present.json_paths import show
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


def edit_rows(session: Session, drafts: Mapping[str, str] | None = None) -> tuple[EditRow, ...]:
    """List what a person put on the session: outputs, fields of blocks, breakpoints, drafts.

    `drafts` says by step why an unfinished edit is not taken.
    """
    rows = [
        EditRow(step_id, "output", f"{_name(session, step_id)} output", _what(session, step_id))
        for step_id in session.output_edits
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
        EditRow(step_id, "draft", _name(session, step_id), safe_line(why, 120))
        for step_id, why in sorted((drafts or {}).items())
    ]
    return tuple(rows)


def _what(session: Session, step_id: str) -> str:
    """What an edited output says differently: its first changed leaf, or the whole value."""
    edit = session.output_edits[step_id]
    produced = session.branch.outputs.get(step_id)
    if produced is None or produced.problem or edit.problem:
        return preview(edit.value, 80)
    found = changes(compare(produced.value, edit.value))
    if not found:
        return "as it was"
    first = found[0]
    where = f"{show(first.path)}: " if first.path else ""
    more = f"  and {len(found) - 1} more" if len(found) > 1 else ""
    now = "removed" if first.kind is Kind.REMOVED else preview(first.new, 60)
    return f"{safe_line(where, 60)}{now}{more}"


def _name(session: Session, step_id: str) -> str:
    step = session.plan.find(step_id)
    return safe_line((step.name if step else "") or step_id, 40)

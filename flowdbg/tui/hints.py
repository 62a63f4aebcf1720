"""Which keys the footer offers: what helps most where the session stands comes first."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowdbg.core.session import State
from flowdbg.tui.actions import ACTIONS, BY_ID, GROUPS, Situation, key_label
from flowdbg.tui.keymap import Keymap
from flowdbg.tui.widgets.footer_bar import Hint

_COMMON = ("app.palette", "app.help", "app.quit")
_EDITS = ("edit.output", "edit.block")
_AGAIN = ("run.restart", "run.retry", "run.fork")
_MENDED = ("run.retry", *_EDITS, "run.restart", "run.fork")
_FORWARD = ("run.step", "run.continue")

FIRST: Mapping[State, tuple[str, ...]] = {
    State.PAUSED: (*_FORWARD, *_EDITS, "breakpoint.toggle", *_COMMON),
    State.RUNNING: ("run.cancel", *_EDITS, "breakpoint.toggle", *_COMMON),
    State.TOOLS: ("tools.answer", "run.retry", *_EDITS, *_COMMON),
    State.DONE: (*_AGAIN, *_EDITS, *_COMMON),
    State.FAILED: (*_MENDED, *_COMMON),
    State.UNKNOWN: ("run.retry", "run.restart", "run.fork", *_EDITS, *_COMMON),
    State.STALE: ("run.restart", "run.pin", "view.plan-change", *_COMMON),
}
"""What each state offers first, in this order; all else follows by its weight."""

_VIEWING = ("run.fork", "view.goto-next", "view.earlier", "view.later", "view.diff",
            "view.branches", *_COMMON)  # fmt: skip
"""What is offered first while an earlier turn is looked at."""

_ALWAYS = 1000
"""More than any weight of an action."""


def hints(situation: Situation, keys: Keymap) -> list[Hint]:
    """Return the hints for where the session stands and for the pane that has the keys."""
    first = FIRST[situation.session.state] if situation.seen is None else _VIEWING
    if not BY_ID["run.skip"].off(situation):  # an output of one's own waits to be gone on with
        first = ("run.skip", *first)
    found = []
    for action in ACTIONS:
        if not keys[action.id]:
            continue
        off = bool(action.off(situation))
        in_pane = situation.pane in action.panes
        if action.id in first and not off:
            weight = _ALWAYS - first.index(action.id)
        elif action.weight and (in_pane or not action.panes):
            weight = action.weight + 5 * in_pane
        else:
            continue
        found.append(_hint(action.id, keys, weight, enabled=not off))
    return found


def hints_of(place: str, keys: Keymap, without: Collection[str] = ()) -> list[Hint]:
    """Return the hints of the editor or of a screen, by its name in the registry."""
    return [
        _hint(action.id, keys, action.weight)
        for action in GROUPS[place]
        if action.weight and keys[action.id] and action.id not in without
    ]


def _hint(action_id: str, keys: Keymap, weight: int, *, enabled: bool = True) -> Hint:
    label = BY_ID[action_id].label
    keep = action_id.endswith(".help")
    return Hint(action_id, key_label(keys[action_id][0]), label, weight, enabled, keep)

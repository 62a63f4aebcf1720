"""The help: keys of the focused pane first, then all others, from the registry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flowdbg.present.keys import in_keys
from flowdbg.tui.actions import ACTIONS, BY_ID, GROUPS, Action, first_key, key_label
from flowdbg.tui.keymap import Keymap

MOVEMENT = (
    ("j k ↓ ↑", "Move down and up."),
    ("g G", "Go to the first, the last row."),
    ("^d ^u", "Move by a screenful."),
    ("h l ← →", "Fold and unfold; go to the parent, to the first child."),
    ("enter", "Open: unfold, edit a leaf, go to a step, show an event."),
    ("space", "Fold or unfold."),
    ("* _", "Unfold, fold everything below (in a tree)."),
    ("tab", "Go to the next pane."),
)

ABOUT = {
    "flow": (
        "1 Flow",
        "The steps of the plan. The gutter shows breakpoints (●) and edits (±), then how the step"
        " stands: ✓ done, ▶ next, ⟳ running, ✗ failed, · not yet. The cursor is the selected step:"
        " the panes beside it show that one. enter goes to its output.",
    ),
    "detail": (
        "2 Step",
        "The selected step: what it streams and said (Output), what it ran on (Input), how it is"
        " configured (Block), what differs (Diff), the event under the cursor (Event)."
        " enter on a leaf edits that leaf alone.",
    ),
    "outputs": (
        "3 Outputs",
        "What later steps read: each step's output, with your edits (±) laid over it.",
    ),
    "edits": (
        "4 Edits",
        "Your edits and breakpoints. enter goes to the step, {edit.clear} takes its edits back.",
    ),
    "events": (
        "5 Events",
        "Everything the server sent and you did, newest last. A run of streamed chunks is one row;"
        " enter unfolds it. The Event view of the step pane shows the row under the cursor raw.",
    ),
    "editor": (
        "Editor",
        "Apply takes the edit; leaving keeps what you typed as a draft (∓). Text is checked while"
        " you type. An edited output is sent whole, a block only by the fields that differ.",
    ),
    "branches": (
        "Branches",
        "Every line of turns of this session, below the one it left. A fork, a retry or a restart"
        " begins one; nothing is overwritten. enter looks at how a branch or a turn stood; nothing"
        " changes by that, and {run.fork} forks from there. l unfolds a branch to its turns. Below:"
        " its steps, with ≠ where they say something else than the branch it is compared with.",
    ),
    "sessions": (
        "Sessions",
        "The sessions stored on this machine, newest first: their state, their flow, how many steps"
        " ran, how large they are, when they were used last. One that another program writes (in"
        " use) opens to be read only.",
    ),
    "compare": (
        "Compare",
        "Two runs side by side: two branches, or two sessions. A step is ≠ when its output, its"
        " input or its block differs; the numbers count the leaves. Outputs are compared as later"
        " steps read them, with the edits of then. h and l fold what differs inside a container."
        " The line below the difference says exactly what is compared with what.",
    ),
}
"""What each pane is for."""


def help_text(pane: str, keys: Keymap) -> str:
    """Return the help for a pane."""
    title, about = ABOUT.get(pane, ABOUT["flow"])
    lines = [title.upper(), in_keys(about, lambda named: first_key(named, keys[named])), ""]
    actions: Sequence[Action] = GROUPS.get(pane, ACTIONS)
    here = [action for action in actions if pane in action.panes]
    if here:
        lines += ["HERE", *_rows(here, keys), ""]
    if pane != "editor":
        lines += ["MOVING", *(f"  {key:<12} {said}" for key, said in MOVEMENT), ""]
    for group, members in groupby(actions, key=lambda action: action.group):
        lines += [group.upper(), *_rows(list(members), keys), ""]
    return "\n".join(lines)


def key_table(keys: Keymap) -> str:
    """Return the key table of the README, as Markdown."""
    lines = ["| key | action | what it does |", "|---|---|---|"]
    for action in BY_ID.values():
        labels = " ".join(f"`{key_label(key)}`" for key in keys[action.id]) or "palette"
        lines.append(f"| {labels.replace('|', chr(92) + '|')} | `{action.id}` | {action.help} |")
    return "\n".join(lines)


def _rows(actions: Sequence[Action], keys: Keymap) -> list[str]:
    return [
        f"  {' '.join(key_label(key) for key in keys[action.id]) or ':':<12} {action.help}"
        for action in actions
    ]

"""The one registry of what a person can do, from which keys, footer, help and palette are made.

An action is known by its id everywhere: in the keymap of the configuration, in tests and in the
key table of the README. `off` says why an action cannot be done now; an empty text means it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowdbg.core import rules
from flowdbg.core.session import Branch, Session
from flowdbg.present.keys import KeyOf


@dataclass(frozen=True, slots=True)
class Situation:
    """What an action looks at to know whether it can be done."""

    session: Session
    key: KeyOf
    """What a person presses for an action."""
    step_id: str = ""
    """The selected step; empty when there is none."""
    pane: str = "flow"
    """The pane that has the keys."""
    seen: Branch | None = None
    """The branch that is looked at, as it stood then; None for the present."""
    moving: bool = False
    """Whether a fork, restart or pin is being done."""
    can_undo: bool = False
    searching: bool = False
    draft_steps: frozenset[str] = frozenset()
    """Steps with an unfinished edit."""

    def key_for(self, verb: str) -> str:
        """Return what a person presses for a verb, as it stands behind its name: ` (R)`."""
        return f" ({self.key(_ACTIONS_OF.get(verb, f'run.{verb}'))})"


_ACTIONS_OF = {"answer": "tools.answer", "edit": "edit.output"}
"""The actions of verbs that are not called as they are."""

Off = Callable[[Situation], str]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    id: str
    keys: tuple[str, ...]
    label: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for help, palette and README."""
    group: str
    off: Off = field(default=lambda _: "")
    """Why it cannot be done now; empty when it can."""
    weight: int = 0
    """How early it appears in the footer; 0 for not at all."""
    panes: tuple[str, ...] = ()
    """The panes in which it is worth a place in the footer; none for everywhere."""


def _verb(name: str) -> Off:
    return lambda situation: rules.refusal(situation.session, name, situation.key_for)


def _at_present(off: Off) -> Off:
    """What changes the next request: not while something else is seen."""

    def off_or_not_here(situation: Situation) -> str:
        if situation.seen is None:
            return off(situation)
        forks, back = situation.key("run.fork"), situation.key("view.goto-next")
        return f"this is an earlier turn: {forks} forks from here, {back} goes back to the present"

    return off_or_not_here


def _here(name: str) -> Off:
    return _at_present(_verb(name))


def _cancel(situation: Situation) -> str:
    return "" if situation.moving else _verb("cancel")(situation)


def _needs_step(situation: Situation) -> str:
    return "" if situation.step_id else "the plan has no step to select yet"


def _index(situation: Situation) -> int | None:
    return situation.session.plan.index_of(situation.step_id)


def _run_to(situation: Situation) -> str:
    index = _index(situation)
    refused = _here("run to")(situation)
    if refused or index is None:
        return refused or "select a step of the plan, not one inside a container"
    if index <= situation.session.cursor:
        forks = situation.key_for("fork")
        return f"the selected step does not lie ahead; fork{forks} from it to run it again"
    return ""


def _fork(situation: Situation) -> str:
    index = _index(situation)
    refused = _verb("fork")(situation)
    if refused or index is None:
        return refused or "select a step of the plan, not one inside a container"
    branch = situation.seen or situation.session.branch
    if index > branch.cursor:
        return "the selected step was not reached yet"
    return rules.fork_refusal(situation.session, index, branch.number, situation.key_for)


def _edit_output(situation: Situation) -> str:
    if _index(situation) is None:
        return "select a step of the plan: only whole steps have an output that others read"
    return ""


def _edit_block(situation: Situation) -> str:
    step = situation.session.plan.find(situation.step_id)
    if step is None:
        return "the plan has no step to select yet"
    return "" if step.config else "the server does not tell how this step is configured"


def _tools(situation: Situation) -> str:
    return "" if situation.session.branch.unanswered else "no tool call waits for an answer"


def _has_edits(situation: Situation) -> str:
    session, step_id = situation.session, situation.step_id
    if step_id in session.output_edits or session.block_edits.get(step_id):
        return ""
    if step_id in situation.draft_steps:
        return ""
    return "the selected step has no edits"


def _any_edits(situation: Situation) -> str:
    session = situation.session
    if session.output_edits or session.block_edits or situation.draft_steps:
        return ""
    return "there are no edits"


def _history(situation: Situation) -> str:
    return "" if situation.session.turns else "nothing has run yet"


def _branches(situation: Situation) -> str:
    if len(situation.session.branches) > 1:
        return ""
    fork, retry, restart = map(situation.key_for, ("fork", "retry", "restart"))
    return f"there is one branch; fork{fork}, retry{retry} or restart{restart} makes another"


def _request(situation: Situation) -> str:
    at_end = situation.session.at_end
    return "the flow is at its end: there is no next request" if at_end else ""


def _stale(situation: Situation) -> str:
    return "" if situation.session.stale else "the plan did not change"


def _searching(situation: Situation) -> str:
    searches = situation.key("search.start")
    return "" if situation.searching else f"nothing was searched in this pane; {searches} searches"


def _undo(situation: Situation) -> str:
    return "" if situation.can_undo else "no edit was made since the program was started"


RUN, EDIT, LOOK, PANES, SEARCH, PROGRAM = "Run", "Edit", "Look", "Panes", "Search", "Program"

ACTIONS: tuple[Action, ...] = (
    Action("run.step", ("n",), "Step", "Run the next step and pause.", RUN, _here("step"), 100),
    Action("run.continue", ("c",), "Continue",
           "Run step after step until a breakpoint, an error or the end.", RUN,
           _here("continue"), 90),
    Action("run.to-end", ("E",), "End", "Run all that is left in one call, without pausing.", RUN,
           _here("run to end"), 50),
    Action("run.to-selected", ("t",), "To here", "Run and stop before the selected step.", RUN,
           _run_to, 60, ("flow",)),
    Action("run.cancel", ("ctrl+c",), "Cancel", "Stop what is running; its stream is closed.", RUN,
           _cancel, 0),
    Action("run.retry", ("r",), "Retry", "Run the last step again; its former attempt stays.", RUN,
           _here("retry"), 40),
    Action("run.skip", ("s",), "Skip",
           "Go past the next step without running it; your output stands in for it.", RUN,
           _here("skip")),
    Action("run.restart", ("R",), "Restart",
           "Begin a new run at the first step; edits and breakpoints stay.", RUN,
           _verb("restart"), 35),
    Action("run.fork", ("F",), "Fork",
           "Start a branch before the selected step; nothing is overwritten.", RUN, _fork, 30,
           ("flow",)),
    Action("run.pin", ("P",), "Pin", "Pin the session to the version it runs.", RUN, _verb("pin")),
    Action("run.inputs", ("m",), "Inputs", "Change the run's message and parameters.", RUN),
    Action("breakpoint.toggle", ("b",), "Break", "Set a breakpoint before the selected step.", RUN,
           _needs_step, 80),
    Action("edit.output", ("i",), "Output",
           "Edit the selected step's output: what later steps will read.", EDIT,
           _at_present(_edit_output), 75),
    Action("edit.block", ("o",), "Block",
           "Edit the selected step's block: its prompt, model, code.", EDIT,
           _at_present(_edit_block), 74),
    Action("edit.clear", ("x",), "Clear edits", "Take the selected step's edits back.", EDIT,
           _at_present(_has_edits), 45),
    Action("edit.clear-all", ("X",), "", "Take all edits of all steps back.", EDIT,
           _at_present(_any_edits)),
    Action("edit.undo", ("U",), "Undo", "Undo the last edit.", EDIT, _at_present(_undo), 20),
    Action("edit.external", ("ctrl+e",), "$EDITOR",
           "Edit the selected step's output in $VISUAL or $EDITOR.", EDIT,
           _at_present(_edit_output)),
    Action("tools.answer", ("a",), "Answer", "Answer the tool calls that the step waits for.", EDIT,
           _at_present(_tools), 99),
    Action("view.earlier", ("[",), "Earlier", "Look at the turn before.", LOOK, _history, 15),
    Action("view.later", ("]",), "Later", "Look at the turn after.", LOOK, _history, 14),
    Action("view.goto-next", ("H",), "Present", "Go back to the step that runs next.", LOOK),
    Action("view.branches", ("B",), "Branches",
           "Show branches and turns: look at one, compare, go on from it.", LOOK, weight=24),
    Action("view.compare", ("C",), "Compare",
           "Compare two branches step by step: outputs, inputs, blocks.", LOOK, _branches, 16),
    Action("view.compare-session", (), "", "Compare with another session of this flow.", LOOK),
    Action("view.next-tab", ("v",), "Next view",
           "Show the next of output, input, block, difference, event.", LOOK, weight=55),
    Action("view.previous-tab", ("V",), "", "Show the view before.", LOOK),
    Action("view.diff", ("D",), "Diff",
           "Show what differs: edited, its block, the attempt before.", LOOK, _needs_step, 25),
    Action("view.as-text", ("ctrl+t",), "Text/tree", "Show the output as text or as a tree.", LOOK,
           _needs_step, 10, ("output",)),
    Action("view.pager", ("p",), "Pager", "Read what is shown in $PAGER.", LOOK),
    Action("view.request", (), "", "Show the exact next request, without the key.", LOOK, _request),
    Action("view.plan-change", ("N",), "New plan",
           "Show the old plan beside the new one.", LOOK, _stale, 0),
    Action("copy.value", ("y",), "Copy", "Copy what is under the cursor.", LOOK, weight=22),
    Action("copy.path", ("Y",), "", "Copy the path of what is under the cursor.", LOOK),
    Action("copy.command", (), "", "Copy the headless command that does the same.", LOOK),
    Action("pane.flow", ("1",), "", "Go to the flow.", PANES),
    Action("pane.detail", ("2",), "", "Go to the selected step; again for its next view.", PANES),
    Action("pane.outputs", ("3",), "", "Go to the outputs that later steps read.", PANES),
    Action("pane.edits", ("4",), "", "Go to the edits and breakpoints.", PANES),
    Action("pane.events", ("5",), "", "Go to the events.", PANES),
    Action("pane.zoom", ("z",), "Zoom", "Give the pane the whole screen, or take it back.", PANES,
           weight=18),
    Action("pane.grow", ("+",), "", "Make the flow wider.", PANES),
    Action("pane.shrink", ("-",), "", "Make the flow narrower.", PANES),
    Action("pane.reset", ("=",), "", "Give all panes their first size.", PANES),
    Action("pane.jump", ("ctrl+o",), "", "Jump to a pane by its letter.", PANES),
    Action("search.start", ("/",), "Search", "Search in the pane; /re/ is a regular expression.",
           SEARCH, weight=28),
    Action("search.next", (".",), "", "Go to the next match.", SEARCH, _searching),
    Action("search.previous", (",",), "", "Go to the match before.", SEARCH, _searching),
    Action("app.palette", (":", "ctrl+p"), "Command", "Find and do anything by name.", PROGRAM,
           weight=85),
    Action("app.help", ("?", "f1"), "Help", "Show the keys of this pane and all others.", PROGRAM,
           weight=95),
    Action("app.sessions", ("S",), "Sessions", "Show the sessions on this machine.", PROGRAM),
    Action("app.theme", ("T",), "", "Choose how it looks.", PROGRAM),
    Action("app.screenshot", (), "", "Save a screenshot (SVG) in this folder.", PROGRAM),
    Action("app.redraw", ("ctrl+l",), "", "Draw the screen again.", PROGRAM),
    Action("app.suspend", ("ctrl+z",), "", "Put the program aside; `fg` brings it back.", PROGRAM),
    Action("app.quit", ("q",), "Quit", "Leave; the session is saved.", PROGRAM, weight=70),
)  # fmt: skip

EDITOR_ACTIONS: tuple[Action, ...] = (
    Action("editor.apply", ("ctrl+s", "ctrl+j"), "Apply", "Take the edit.", EDIT, weight=100),
    Action("editor.back", ("escape",), "Back", "Leave; what was typed is kept as a draft.", EDIT,
           weight=90),
    Action("editor.external", ("ctrl+e",), "$EDITOR", "Go on in $VISUAL or $EDITOR.", EDIT,
           weight=80),
    Action("editor.next-field", ("f8", "ctrl+n"), "Next field", "Edit the next field of the block.",
           EDIT, weight=60),
    Action("editor.previous-field", ("f7",), "", "Edit the field before.", EDIT),
    Action("editor.turn", ("ctrl+t",), "Text/JSON", "Edit a text as JSON, or JSON as a text.", EDIT,
           weight=40),
    Action("editor.reset", ("ctrl+r",), "Original", "Put the original back into the editor.", EDIT,
           weight=50),
)  # fmt: skip

BRANCHES_ACTIONS: tuple[Action, ...] = (
    Action("branches.look", ("enter",), "Look",
           "Look at the branch, or at how things stood after the turn; nothing changes.", LOOK,
           weight=95),
    Action("branches.fork", ("F",), "Go on", "Go on from the end of the branch, on a new one.",
           RUN, weight=80),
    Action("branches.compare", ("D", "C"), "Compare",
           "Compare the branch with the marked one, else with the one it left.", LOOK, weight=90),
    Action("branches.mark", ("space",), "Mark", "Mark the branch to compare others with it.", LOOK,
           weight=70),
    Action("branches.session", ("S",), "Session", "Compare with another session of this flow.",
           LOOK, weight=40),
    Action("branches.search", ("/",), "Search", "Search in the list that has the keys.", SEARCH,
           weight=35),
    Action("branches.search-next", (".",), "", "Go to the next match.", SEARCH),
    Action("branches.search-previous", (",",), "", "Go to the match before.", SEARCH),
    Action("branches.help", ("?", "f1"), "Help", "Show the keys of this list.", PROGRAM, weight=60),
    Action("branches.back", ("escape", "q", "B"), "Back", "Go back to the debugger.", PROGRAM,
           weight=50),
)  # fmt: skip

COMPARE_ACTIONS: tuple[Action, ...] = (
    Action("compare.next-view", ("v",), "Output/input/block",
           "Show the next of output, input, block.", LOOK, weight=90),
    Action("compare.previous-view", ("V",), "", "Show the view before.", LOOK),
    Action("compare.next", ("n",), "Next ≠", "Go to the next step that differs.", LOOK, weight=85),
    Action("compare.previous", ("N",), "", "Go to the step before that differs.", LOOK),
    Action("compare.left-back", ("[",), "Left", "Put an earlier attempt at the step on the left.",
           LOOK, weight=70),
    Action("compare.left-on", ("]",), "", "Put a later attempt at the step on the left.", LOOK),
    Action("compare.right-back", ("{",), "Right", "Put an earlier attempt on the right.", LOOK,
           weight=65),
    Action("compare.right-on", ("}",), "", "Put a later attempt on the right.", LOOK),
    Action("compare.swap", ("s",), "Swap", "Swap the two sides.", LOOK, weight=60),
    Action("compare.only", ("o",), "Only ≠", "List only the steps that differ, or all.", LOOK,
           weight=55),
    Action("compare.session", ("S",), "Session", "Compare with another session of this flow.",
           LOOK, weight=40),
    Action("compare.copy", ("y",), "Copy", "Copy the difference that is shown.", LOOK, weight=45),
    Action("compare.search", ("/",), "Search", "Search in the list that has the keys.", SEARCH,
           weight=35),
    Action("compare.search-next", (".",), "", "Go to the next match.", SEARCH),
    Action("compare.search-previous", (",",), "", "Go to the match before.", SEARCH),
    Action("compare.help", ("?", "f1"), "Help", "Show the keys of this comparison.", PROGRAM,
           weight=80),
    Action("compare.back", ("escape", "q"), "Back", "Go back.", PROGRAM, weight=75),
)  # fmt: skip

SESSIONS_ACTIONS: tuple[Action, ...] = (
    Action("sessions.open", ("enter",), "Open", "Go on with the session where it stood.", PROGRAM,
           weight=90),
    Action("sessions.find", ("/",), "Find", "List only the sessions with the words you type.",
           SEARCH, weight=80),
    Action("sessions.remove", ("d", "delete"), "Delete", "Delete the session for good; it asks.",
           PROGRAM, weight=70),
    Action("sessions.help", ("?", "f1"), "Help", "Show the keys of this list.", PROGRAM, weight=60),
    Action("sessions.back", ("escape", "q"), "Back", "Go back, or leave.", PROGRAM, weight=50),
)  # fmt: skip

GROUPS: Mapping[str, tuple[Action, ...]] = {
    "debug": ACTIONS,
    "editor": EDITOR_ACTIONS,
    "branches": BRANCHES_ACTIONS,
    "compare": COMPARE_ACTIONS,
    "sessions": SESSIONS_ACTIONS,
}
"""All actions, by where they can be done; a key may mean another thing in another place."""

BY_ID = {action.id: action for group in GROUPS.values() for action in group}


def key_label(key: str) -> str:
    """Write a key as people do: `^s` for ctrl+s, `esc`, `F8`."""
    if key.startswith("ctrl+"):
        return f"^{key[5:]}"
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return {"escape": "esc", "asterisk": "*", "underscore": "_"}.get(key, key)


def first_key(action_id: str, keys: Sequence[str]) -> str:
    """Write the first of an action's keys; what to say to the palette where there is none."""
    action = BY_ID[action_id]
    return key_label(keys[0]) if keys else f":{(action.label or action.id).lower()}"

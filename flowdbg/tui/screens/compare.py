"""Two runs side by side: which steps differ, and the difference of the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Static

from flowdbg.core.plan import Step
from flowdbg.core.session import Session
from flowdbg.present.branches import branch_look, branch_title
from flowdbg.present.compare import (
    RUN,
    RunsCompared,
    StepCompared,
    compare_runs,
    compare_takes,
    is_heavy,
    sides_of,
)
from flowdbg.present.compare import (
    title as title_of,
)
from flowdbg.present.takes import ASPECTS, Aspect, Side, Take, takes
from flowdbg.tui.host import Host
from flowdbg.tui.screens.keyed import KeyedScreen, Result, keys_of
from flowdbg.tui.screens.sessions import choose_session
from flowdbg.tui.styles import plain_line, stylesheet, subtitle, title
from flowdbg.tui.widgets.compared_view import ComparedView
from flowdbg.tui.widgets.diff_view import DiffView
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.search_bar import SearchBar
from flowdbg.tui.widgets.view_tabs import Tab, ViewTabs

_LABELS: Mapping[Aspect, tuple[str, str]] = {
    "output": ("Output", "Out"),
    "input": ("Input", "In"),
    "block": ("Block", "Blk"),
}


class RunsScreen(KeyedScreen[Result]):
    """A screen that compares two runs: at once, large ones aside, so that keys are answered."""

    class Compared(Message):
        """Two runs were compared aside."""

        def __init__(self, compared: RunsCompared) -> None:
            super().__init__()
            self.compared = compared

    _before: Side
    _after: Side

    def compare(self, before: Side, after: Side) -> None:
        """Compare two runs; what was asked before and has not come yet is forgotten."""
        self._before, self._after = before, after
        if is_heavy(before, after):
            self.run_worker(self._compare_aside(before, after), exclusive=False)
        else:
            self.take(compare_runs(before, after))

    def take(self, compared: RunsCompared) -> None:
        """Show how two runs compare."""
        raise NotImplementedError

    async def _compare_aside(self, before: Side, after: Side) -> None:
        self.post_message(self.Compared(await asyncio.to_thread(compare_runs, before, after)))

    @on(Compared)
    def _are_compared(self, event: Compared) -> None:
        event.stop()
        if event.compared.before is self._before and event.compared.after is self._after:
            self.take(event.compared)


class CompareScreen(RunsScreen[None]):
    """Lists the steps of two runs beside the difference of the selected one."""

    PLACE = "compare"
    BINDINGS: ClassVar[list[BindingType]] = keys_of(PLACE)
    CSS = stylesheet(__file__)

    _list = query_one(ComparedView)
    _diff = query_one(DiffView)
    _tabs = query_one(ViewTabs)
    _versus = query_one("#versus", Static)

    def __init__(self, before: Side, after: Side, step_id: str = "") -> None:
        super().__init__()
        self._before, self._after = before, after
        self._wanted = step_id
        self._compared: RunsCompared | None = None
        self._aspect: Aspect = "output"
        self._picked_for = ""
        self._only = False

    def compose(self) -> ComposeResult:
        """Lay out who is compared, the steps, the difference and the keys."""
        yield Static(id="versus", markup=False)
        with Horizontal(id="columns"):
            with Vertical(id="steps") as steps:
                steps.border_title = "Steps"
                yield ComparedView()
            with Vertical(id="difference"):
                yield ViewTabs(id="views")
                yield DiffView(id="diff")
        yield SearchBar(id="search")
        yield FooterBar(id="footer")

    def on_mount(self) -> None:
        """Compare, and show the first step that differs."""
        self._list.focus()
        self.show_hints()
        self.compare(self._before, self._after)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what does each action."""
        return {
            "compare.next-view": lambda: self._turn_view(1),
            "compare.previous-view": lambda: self._turn_view(-1),
            "compare.next": lambda: self._go_to_difference(1),
            "compare.previous": lambda: self._go_to_difference(-1),
            "compare.left-back": lambda: self._move_side("before", -1),
            "compare.left-on": lambda: self._move_side("before", 1),
            "compare.right-back": lambda: self._move_side("after", -1),
            "compare.right-on": lambda: self._move_side("after", 1),
            "compare.swap": self._swap,
            "compare.only": self._toggle_only,
            "compare.session": self._with_session,
            "compare.copy": self._copy,
        }

    @property
    def step(self) -> StepCompared | None:
        """The step whose difference is shown."""
        return self._list.step_at_cursor

    @property
    def aspect(self) -> Aspect:
        """What is compared: what was picked, else what differs; of the run its inputs only."""
        step = self.step
        if step is not None and not step.number:
            return "input"
        if step is None or self._picked_for == step.step_id or step.counts.get(self._aspect):
            return self._aspect
        return next((aspect for aspect in ASPECTS if step.counts.get(aspect)), self._aspect)

    def compare(self, before: Side, after: Side) -> None:
        """Compare two runs, and stand on the step that was shown before."""
        self._wanted = self.step.step_id if self.step else self._wanted
        self._versus.update(plain_line(f" {_told(before)}  →  {_told(after)}"))
        self._list.show_steps((), 0)
        self._diff.clear("Comparing…")
        super().compare(before, after)

    def take(self, compared: RunsCompared) -> None:
        """Show the steps of both, on the first that differs."""
        self._compared = compared
        subtitle(self.query_one("#steps", Vertical), compared.said)
        self._show_list(self._first(compared))

    def _first(self, compared: RunsCompared) -> str:
        """The step to stand on: the wanted one where it differs, else the first that does."""
        differing = [step.step_id for step in compared.differing]
        if self._wanted in differing or not differing:
            return self._wanted
        return next((step_id for step_id in differing if step_id != RUN), differing[0])

    def _show_list(self, step_id: str) -> None:
        assert self._compared is not None
        steps: Sequence[StepCompared] = self._compared.steps
        if self._only:
            steps = self._compared.differing or steps
        at = next((at for at, step in enumerate(steps) if step.step_id == step_id), 0)
        self._list.show_steps(steps, at)
        self._show_step()

    def _show_step(self) -> None:
        step, compared = self.step, self._compared
        if step is None or compared is None:
            return
        aspect = self.aspect
        box = self.query_one("#difference", Vertical)
        title(box, f"{step.number} {step.name}" if step.number else "The run")
        self._tabs.show_tabs(_tabs(step), aspect)
        subtitle(box, title_of(compared, step, aspect))
        sides = sides_of(compared, step, aspect)
        if sides is None:
            self._diff.clear(_nothing(step, aspect))
        else:
            self._diff.compare_values(*sides)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if event.view is self._list:
            self._picked_for = ""
            self._show_step()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if event.view is self._list:
            self._diff.focus()

    @on(ViewTabs.Picked)
    def _picked(self, event: ViewTabs.Picked) -> None:
        event.stop()
        self._pick(next(aspect for aspect in ASPECTS if aspect == event.tab))

    def _turn_view(self, by: int) -> None:
        self._pick(ASPECTS[(ASPECTS.index(self.aspect) + by) % len(ASPECTS)])

    def _pick(self, aspect: Aspect) -> None:
        if self.step is not None and self.step.number:
            self._aspect, self._picked_for = aspect, self.step.step_id
            self._show_step()

    def _go_to_difference(self, by: int) -> None:
        at = self._list.next_differing(by)
        if at is None:
            self.say("no other step differs")
        else:
            self._list.move_to(at)

    def _move_side(self, which: str, by: int) -> None:
        """Put another attempt at the step on one side."""
        step, compared = self.step, self._compared
        if step is None or compared is None or not step.number:
            return
        side = compared.before if which == "before" else compared.after
        there = takes(side, step.step_id)
        names = [take.name for take in there]
        now = step.before if which == "before" else step.after
        at = names.index(now.name) + by if now is not None and now.name in names else 0
        if not 0 <= at < len(there):
            self.say("there is no other attempt at this step on that side")
            return
        self._put(step, which, there[at])

    def _put(self, step: StepCompared, which: str, take: Take) -> None:
        assert self._compared is not None
        before = take if which == "before" else step.before
        after = take if which == "after" else step.after
        shown = Step(step.step_id, step.name)
        put = compare_takes(shown, step.number, before, after)
        steps = tuple(put if one.step_id == step.step_id else one for one in self._compared.steps)
        self._compared = replace(self._compared, steps=steps)
        self._show_list(step.step_id)

    def _swap(self) -> None:
        self.compare(self._after, self._before)

    def _toggle_only(self) -> None:
        if self._compared is not None:
            self._only = not self._only
            self._show_list(self.step.step_id if self.step else "")

    def _with_session(self) -> None:
        open_here = self.host.debugger.session.id
        mine = self._after if self._after.session.id == open_here else self._before

        def compare(other: Session) -> None:
            here = _labelled(mine.session, mine.number)
            self.compare(_labelled(other, other.current), here)

        choose_session(self.host, mine.session, compare)

    def _copy(self) -> None:
        step, compared = self.step, self._compared
        if step is None or compared is None:
            return
        what = title_of(compared, step, self.aspect)
        self.host.copy(f"{what}\n{self._diff.whole_text()}", "the difference")


def compare_with_another(host: Host, session: Session, number: int) -> None:
    """Ask for another session of the flow, and compare a branch of this one with it."""

    def compare(other: Session) -> None:
        sides = _labelled(other, other.current), _labelled(session, number)
        host.push_screen(CompareScreen(*sides))

    choose_session(host, session, compare)


def _labelled(session: Session, number: int) -> Side:
    """Return a branch as a side that tells its session."""
    return Side(session, number, session.id[-6:])


def _told(side: Side) -> str:
    """Name a run in full: `#1 retry of 2 Classify · failed`."""
    state = branch_look(side.session, side.number)
    name = branch_title(side.session, side.number).partition(", from")[0]
    return f"{side.label} {name} {state.glyph} {state.word.lower()}".strip()


def _tabs(step: StepCompared) -> tuple[Tab, ...]:
    aspects: Sequence[Aspect] = ASPECTS if step.number else ("input",)
    return tuple(
        Tab(aspect, *_LABELS[aspect], str(step.counts.get(aspect, 0) or "")) for aspect in aspects
    )


def _nothing(step: StepCompared, aspect: Aspect) -> str:
    if step.verdict == "not run":
        return "It ran on neither side."
    return f"Neither side has an {aspect}." if aspect != "block" else "Neither block is told."

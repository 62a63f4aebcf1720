"""The steps of two runs, each with what became of it and how many leaves differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from flowdbg.present.compare import StepCompared
from flowdbg.present.takes import Aspect
from flowdbg.tui.widgets.branches_view import fitted
from flowdbg.tui.widgets.line_view import LineView, Piece

_SHORT: Mapping[Aspect, str] = {"output": "out", "input": "in", "block": "blk"}


class ComparedView(LineView):
    """Lists steps; those that differ are seen at a glance."""

    def __init__(self) -> None:
        super().__init__(id="compared")
        self._steps: tuple[StepCompared, ...] = ()

    @property
    def step_at_cursor(self) -> StepCompared | None:
        """The step under the cursor."""
        return self._steps[self.cursor] if self.cursor < len(self._steps) else None

    def show_steps(self, steps: Sequence[StepCompared], at: int) -> None:
        """Show other steps, the cursor on one of them."""
        self._steps = tuple(steps)
        self.rows_changed()
        with self.prevent(LineView.Moved):
            self.move_to(at)
        self.refresh()

    def next_differing(self, by: int) -> int | None:
        """Return the row of the next step that differs, after the last one the first."""
        differing = [at for at, step in enumerate(self._steps) if _differs(step)]
        beyond = [at for at in differing if (at - self.cursor) * by > 0]
        found = beyond or [at for at in differing if at != self.cursor]
        if not found:
            return None
        return found[0] if by > 0 else found[-1]

    def row_count(self) -> int:
        """Return how many steps there are."""
        return len(self._steps)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one step: its mark, its name, what differs."""
        step = self._steps[index]
        said = _said(step)
        width = self.scrollable_content_region.width
        number = f"{step.number:>2} " if step.number else ""
        room = max(width - 5 - cell_len(number) - cell_len(said), 8)
        return [
            (f" {step.look.glyph} ", f"tone--{step.look.tone}"),
            (number, "tone--muted"),
            (f"{fitted(step.name, room)} ", "" if _differs(step) else "tone--muted"),
            (said, "tone--edit" if _differs(step) else "tone--muted"),
        ]


def _differs(step: StepCompared) -> bool:
    return step.verdict not in ("same", "not run")


def _said(step: StepCompared) -> str:
    counts = [
        f"{short} {step.counts[aspect]}"
        for aspect, short in _SHORT.items()
        if step.counts.get(aspect)
    ]
    words = {"only before": "only left", "only after": "only right", "not run": ""}
    return " ".join(counts) or words.get(step.verdict, "")

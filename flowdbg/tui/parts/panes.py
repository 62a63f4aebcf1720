"""Panes: which one has the keys, which are seen where space is short, how wide they are."""

from __future__ import annotations

from textual.widget import Widget

from flowdbg.present.looks import EDITED
from flowdbg.tui.desk import NARROW, RIGHT, WIDE, Desk
from flowdbg.tui.hints import hints, hints_of
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.footer_bar import Hint
from flowdbg.tui.widgets.view_tabs import Tab

MIN_WIDTH, MAX_WIDTH = 16, 80
FIRST_WIDTHS = {"narrow": 28, "wide": 36}
"""Cells that the flow takes at least, unless a person chose otherwise."""

LEAF_HINTS = (
    Hint("", "enter", "Take", 3),
    Hint("", "esc", "Back", 2),
    Hint("", "^t", "Text or JSON", 1),
)
SEARCH_HINTS = (
    Hint("", "enter", "Stay here", 3),
    Hint("", "↑↓", "Other matches", 2),
    Hint("", "esc", "End", 1),
)


class Panes(Part):
    """Moves the keys between panes and shares the space."""

    def __init__(self, screen: Desk) -> None:
        super().__init__(screen)
        self.right = "detail"
        """Which pane beside the flow is seen where there is space for one."""
        self.zoomed = ""
        """The pane that has the whole screen; empty when none has."""
        self._widths: dict[str, int] = {}
        self._needed = 0

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "pane.flow": lambda: self.go("flow"),
            "pane.outputs": lambda: self.go("outputs"),
            "pane.edits": lambda: self.go("edits"),
            "pane.events": lambda: self.go("events"),
            "pane.zoom": self._zoom,
            "pane.grow": lambda: self._resize(2),
            "pane.shrink": lambda: self._resize(-2),
            "pane.reset": self._reset,
            "pane.jump": self._jump,
        }

    def go(self, pane: str) -> None:
        """Give a pane the keys."""
        if self.zoomed and self.zoomed != pane:
            self.set_zoom(pane)
        if pane != "flow":
            self.show_right(pane)
        self._show_place(pane)
        self.screen.set_focus(self._target(pane))  # at once: the next key is for it

    def show_right(self, pane: str) -> None:
        """See a pane beside the flow where there is space for one."""
        self.right = pane
        self._show_place(pane)
        self.screen.share_space({f"-at-{name}": name == pane for name in RIGHT})
        self.refresh_tabs()

    def refresh_tabs(self) -> None:
        """Show the tabs of a narrow screen: the views of the step and the other panes."""
        screen = self.screen
        edits = sum(1 for _ in screen.session.output_edits)
        edits += sum(len(fields) for fields in screen.session.block_edits.values())
        mark = f"{EDITED.glyph}{edits}" if edits else ""
        others = (
            Tab("outputs", "Outputs", "Vars"),
            Tab("edits", "Edits", "Edits", mark),
            Tab("events", "Events", "Log"),
        )
        active = screen.detail.tab if self.right == "detail" else self.right
        screen.all_tabs.show_tabs((*screen.detail.tabs(), *others), active)

    def refresh_footer(self) -> None:
        """Show the hints of the pane that has the keys."""
        screen = self.screen
        keys = self.app.keys
        if screen.leaf.is_open:
            screen.footer.show_hints(LEAF_HINTS)
            return
        if screen.search_bar.is_open:
            screen.footer.show_hints(SEARCH_HINTS)
            return
        if screen.editor.state is not None:
            one = len(screen.editor.state.titles) == 1
            without = ("editor.next-field",) if one else ()
            screen.footer.show_hints(hints_of("editor", keys, without))
        else:
            screen.footer.show_hints(hints(screen.situation(), keys))

    def load_sizes(self) -> None:
        """Take the sizes that were kept from the last time."""
        self._widths = self.app.kept.sizes()
        self.fit()

    def fit_names(self) -> None:
        """Make the flow wide enough for its longest name, up to a third of the screen."""
        needed = self.screen.plan.needed_width + 2  # its border
        if needed > self._needed:
            self._needed = needed
            self.fit()

    def fit(self) -> None:
        """Give the flow the width that was chosen for a screen of this size."""
        pane = self.screen.flow_pane
        chosen = self._widths.get(self._mode())
        if not self._mode() or self.zoomed:
            pane.styles.clear_rule("width")
        elif chosen is None:
            first = FIRST_WIDTHS[self._mode()]
            pane.styles.width = max(first, min(self._needed, self.screen.size.width // 3))
        else:
            most = max(min(MAX_WIDTH, self.screen.size.width - 30), MIN_WIDTH)
            pane.styles.width = min(max(chosen, MIN_WIDTH), most)
        pane.refresh(layout=True)

    def _mode(self) -> str:
        width = self.screen.size.width
        return "wide" if width >= WIDE else "narrow" if width >= NARROW else ""

    def _zoom(self) -> None:
        self.set_zoom("" if self.zoomed else self.screen.pane)

    def set_zoom(self, pane: str) -> None:
        """Give a pane the whole screen; with an empty name take it back."""
        zoomed = {f"-zoom-{name}": name == pane for name in ("flow", *RIGHT)}
        self.screen.share_space({**zoomed, "-zoomed": bool(pane)})
        self.zoomed = pane
        self.fit()

    def _resize(self, by: int) -> None:
        mode = self._mode()
        if mode:
            self._widths[mode] = self.screen.flow_pane.outer_size.width + by
            self.fit()
            self._widths[mode] = min(max(self._widths[mode], MIN_WIDTH), MAX_WIDTH)
            self.app.kept.keep_sizes(self._widths)

    def _reset(self) -> None:
        self._widths.clear()
        self.fit()
        self.app.kept.keep_sizes({})

    def _jump(self) -> None:
        from flowdbg.tui.screens.jump import JumpScreen, Spot  # noqa: PLC0415 # when it is opened

        spots = []
        for letter, pane in zip("asdfg", ("flow", *RIGHT), strict=True):
            widget = self._frame(pane)
            if widget.display and widget.region.area:
                spots.append(Spot(letter, pane, widget.region))

        def jumped(pane: str | None) -> None:
            if pane:
                self.go(pane)

        self.app.push_screen(JumpScreen(spots), jumped)

    def _show_place(self, pane: str) -> None:
        """Where one pane is seen at a time, see this one."""
        self.screen.share_space({"-at-flow": pane == "flow"})

    def _frame(self, pane: str) -> Widget:
        screen = self.screen
        frames: dict[str, Widget] = {
            "flow": screen.flow_pane,
            "editor": screen.editor,
            "detail": screen.detail,
            "outputs": screen.outputs,
            "edits": screen.edits,
            "events": screen.events,
        }
        return frames[pane]

    def _target(self, pane: str) -> Widget:
        if pane == "flow":
            return self.screen.plan
        return self.screen.detail.shown if pane == "detail" else self._frame(pane)

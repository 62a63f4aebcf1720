"""An app that sends the terminal only the cells that change.

The one module that depends on how Textual draws: it takes the updates that Textual is about to
write and writes what `picture.py` makes of them. An update of a kind that is not known here is
written as it is, and the picture is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen

from flowdbg.tui.picture import Picture, Piece


class Sent(CompositorUpdate):
    """Bytes for the terminal in the place of one of Textual's updates."""

    def __init__(self, text: str) -> None:
        self.text = text

    def render_segments(self, console: Console) -> str:
        """Return what is to be sent."""
        del console
        return self.text


class LeanApp(App[Path | None]):
    """Sends only what changes on the terminal."""

    _picture: Picture | None = None

    def redraw(self) -> None:
        """Send everything anew, whatever the terminal shows."""
        self._forget()
        self.screen.refresh(layout=True)

    def on_mount(self) -> None:
        """Know nothing of the terminal after another program had it."""
        self.app_resume_signal.subscribe(self, lambda _: self._forget(), immediate=True)

    def on_resize(self) -> None:
        """Know nothing of the terminal after its size changed: it cuts and moves what it shows."""
        self._forget()

    def _forget(self) -> None:
        self._picture = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write an update, or what changes through it."""
        super()._display(screen, cast("RenderableType | None", self._lean(renderable)))

    def _lean(self, update: object) -> object:
        driver = self._driver
        if driver is None or driver.is_inline or self.is_headless or update is None:
            return update
        if self._batch_count or self._closed or not self._running:
            return None  # as Textual does: nothing is written now
        try:
            pieces = pieces_of(update)
        except (AttributeError, TypeError, ValueError):  # another Textual
            pieces = None
        if pieces is None:
            self._forget()
            return update
        if self._picture is None:
            self._picture = Picture()
        colours = COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR)
        text = self._picture.draw(pieces, self.size, colours)
        stands = self.screen.outer_size.clamp_offset(self.cursor_position)
        return Sent(text) if text or stands != self._previous_cursor_position else None


def pieces_of(update: object) -> list[Piece] | None:
    """Return the strips of an update of Textual's, each with its place; None for other things."""
    if isinstance(update, LayoutUpdate):
        return list(_rows(update))
    if isinstance(update, ChopsUpdate):
        return list(_chops(update))
    return None


def _rows(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip
            x += strip.cell_length


def _chops(update: ChopsUpdate) -> Iterator[Piece]:
    """Yield the parts of rows that overlap what has to be drawn, each once."""
    seen: set[tuple[int, int]] = set()
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < last and end > first and (y, x) not in seen:
                seen.add((y, x))
                yield y, x, strip

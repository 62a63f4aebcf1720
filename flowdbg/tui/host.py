"""What every screen and part knows of the program: debugger, keys, themes, toasts, the clipboard.

The program itself, with its first screen, is `app.py`; nothing here knows a screen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from textual import events
from textual.app import App
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.worker import Worker, WorkerState

from flowdbg.config import paths
from flowdbg.debugger import Debugger
from flowdbg.present.formats import size
from flowdbg.present.safe_text import safe_line, safe_text
from flowdbg.present.session_rows import Stored
from flowdbg.present.tips import Tip
from flowdbg.store import list_sessions
from flowdbg.tui import memory
from flowdbg.tui.actions import BY_ID, first_key
from flowdbg.tui.ascii_filter import AsciiFilter
from flowdbg.tui.clipboard import Mode, copy_with_program, terminal_note, way_to_copy
from flowdbg.tui.inks import INKS_CSS
from flowdbg.tui.kept import Kept
from flowdbg.tui.keymap import Keymap, binding_key, resolve
from flowdbg.tui.lean import LeanApp
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.themes import OURS, chosen_theme, colours_are_off
from flowdbg.tui.typed import Typed


class FlowdbgApp(LeanApp):
    """What the debugger and the list of sessions have in common: themes, colours, safe toasts."""

    CSS = INKS_CSS + stylesheet(__file__)
    ENABLE_COMMAND_PALETTE = False
    TITLE = "flowdbg"

    keys: Keymap
    """The keys of each action."""
    clipboard_mode: Mode = "auto"
    """How text is copied."""

    def __init__(self, *, theme: str = "", ascii_only: bool = False) -> None:
        no_colour = colours_are_off()
        if not no_colour:
            # an empty NO_COLOR asks for nothing, but Textual looks only whether it is there
            os.environ.pop("NO_COLOR", None)
        super().__init__(ansi_color=True if no_colour else None)
        self.ascii_only = ascii_only
        """Whether only ASCII characters are drawn."""
        self._ascii_filter = AsciiFilter()
        for ours in OURS:
            self.register_theme(ours)
        self._begin_in(chosen_theme("ansi" if no_colour else theme))

    def _begin_in(self, theme: str) -> None:
        """Have a theme from the first style on: assigned, it reads all styles three more times."""
        self.set_reactive(App.theme, theme)
        is_dark = self.current_theme.dark
        classes = {"-dark-mode": is_dark, "-light-mode": not is_dark, f"-theme-{theme}": True}
        self.update_classes(classes, update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def take_keys(self, keys: Mapping[str, str | list[str]] | None, keymap: str) -> None:
        """Bind actions as the configuration says.

        Raises:
            ConfigError: The keys are wrong.
        """
        self.keys = resolve(keys, keymap)
        self.set_keymap(
            {
                action_id: ",".join(map(binding_key, given))
                for action_id, given in self.keys.items()
                if given != BY_ID[action_id].keys
            }
        )

    def action_help_quit(self) -> None:
        """Answer ctrl+c where nothing is cancelled with it: on screens over the debugger's."""
        self.say("esc goes back from here.")

    def clear_selection(self) -> None:
        """Clear the selection of text on the screen, where there is one already.

        From Python 3.12 on tasks begin at once, so that widgets are mounted before their screen is
        on the stack; an input clears the selection then.
        """
        if self._screen_stack:
            super().clear_selection()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the filter that draws with ASCII alone, where that is wanted."""
        filters = super().get_line_filters()
        return [*filters, self._ascii_filter] if self.ascii_only else filters

    def key(self, action_id: str) -> str:
        """Return what a person presses for an action: `R`."""
        return first_key(action_id, self.keys[action_id])

    def say(self, text: str, *, warning: bool = False) -> None:
        """Say the result of an action in a toast, or why there is none."""
        severity: SeverityLevel = "warning" if warning else "information"
        self.notify(text, severity=severity, timeout=4 if warning else 2.5)

    def copy(self, text: str, what: str) -> None:
        """Copy a text and say what was copied; half a character is copied as its escape."""
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        way = way_to_copy(text, self.clipboard_mode)
        if way.through == "nothing":
            self.say(f"Not copied: {way.why_not}.", warning=True)
        elif way.through == "program":
            self.run_worker(self._copy_with(text, way.command, what), exclusive=False)
        else:
            self.copy_to_clipboard(text)
            self.say(f"Copied {what}, {size(len(text))}{terminal_note()}")

    async def _copy_with(self, text: str, command: tuple[str, ...], what: str) -> None:
        problem = await copy_with_program(text, command)
        if problem:
            self.say(f"Not copied: {problem}.", warning=True)
        else:
            self.say(f"Copied {what}, {size(len(text))}")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast; whatever it says is text, never markup.

        It stands in the place of one that says the same, and at most two stand at once.
        """
        del markup
        shown = list(self._notifications)
        same = [one for one in shown if one.message == safe_text(message)]
        others = [one for one in shown if one not in same]
        for gone in (*same, *others[:-1]):
            self._unnotify(gone, refresh=False)
        super().notify(
            safe_text(message),
            title=safe_line(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )


class Host(FlowdbgApp):
    """Has one debugger; ends with the file of another session when that is to be opened."""

    def __init__(
        self,
        debugger: Debugger,
        *,
        theme: str = "",
        ascii_only: bool = False,
        tips: Sequence[Tip] = (),
        keys: Mapping[str, str | list[str]] | None = None,
        keymap: str = "default",
        clipboard: Mode = "auto",
        state_dir: Path | None = None,
    ) -> None:
        """Prepare the program.

        Args:
            debugger: What is debugged; the caller closes it.
            theme: A theme's name; empty for the terminal's wish, else dark.
            ascii_only: Whether to draw with ASCII characters only.
            tips: Sentences that lead through the flow.
            keys: Keys by action id, from the configuration; they win over the keymap.
            keymap: The name of a ready-made map.
            clipboard: How text is copied.
            state_dir: Where drafts and sizes are kept; the data directory's when not given.

        Raises:
            ConfigError: The theme or the keys are wrong.
        """
        super().__init__(theme=theme, ascii_only=ascii_only)
        self.debugger = debugger
        self.tips = tips
        self.clipboard_mode = clipboard
        self.kept = Kept(state_dir or paths.data_dir() / "screen")
        self.take_keys(keys, keymap)
        self.typed = Typed(self, self.keys["run.cancel"])

    async def on_event(self, event: events.Event) -> None:
        """Deal with keys and pasted texts one after another, each whole before the next."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.typed.take(event, super().on_event)
        else:
            await super().on_event(event)

    def on_ready(self) -> None:
        """The first frame is there."""
        self.rest()

    def rest(self) -> None:
        """Tidy the memory while nothing runs; not where the program shares its process."""
        if not self.is_headless:
            memory.rest()

    def stored_sessions(self) -> Sequence[Stored]:
        """Return the sessions on this machine, newest first."""
        return list_sessions(paths.sessions_dir())

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A fault of our own in a worker is told, and the screen stays."""
        if event.state is WorkerState.ERROR:
            self.notify(
                f"Something went wrong inside flowdbg ({event.worker.name}): "
                f"{type(event.worker.error).__name__}: {event.worker.error}",
                severity="error",
                timeout=15,
            )

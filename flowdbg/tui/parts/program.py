"""The program itself: palette, help, themes, sessions, inputs, the stale plan, leaving."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from flowdbg.core.inputs import missing_inputs
from flowdbg.core.session import StalePlan
from flowdbg.tui.actions import ACTIONS, EDITOR_ACTIONS, key_label
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.themes import SHORT

if TYPE_CHECKING:
    from flowdbg.tui.screens.inputs import Inputs

# The screens over the debug screen are imported when they are opened: together they would cost the
# first frame a tenth of its time.
# ruff: noqa: PLC0415


class Program(Part):
    """Opens the screens over the debug screen, and closes the program."""

    _stale: StalePlan | None = None
    _watches_resume = False

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "app.palette": self._palette,
            "app.help": self.help,
            "app.sessions": self._sessions,
            "app.theme": self._theme,
            "app.redraw": self._redraw,
            "app.screenshot": self._screenshot,
            "app.suspend": self._suspend,
            "app.quit": self._quit,
            "run.inputs": self.ask_inputs,
            "view.plan-change": self._show_stale,
        }

    def look_for_questions(self) -> None:
        """Ask what has to be asked: inputs that are missing, or how to go on after a new plan."""
        stale = self.session.stale
        if stale is not self._stale:
            self._stale = stale
            if stale is not None:
                self._show_stale()

    def lacks_inputs(self) -> bool:
        """Whether the flow needs inputs that nobody has given."""
        session = self.session
        if session.turns:
            return False
        given = session.parameters.value
        schema = session.plan.inputs
        if not schema:
            return session.message is None and not given
        return bool(missing_inputs(session.message, given or {}, schema))

    def ask_inputs(self) -> None:
        """Ask for the run's inputs with a form."""
        from flowdbg.tui.screens.inputs import InputsScreen

        session = self.session
        given = session.parameters.value
        parameters = given if isinstance(given, dict) else {}

        def taken(inputs: Inputs | None) -> None:
            if inputs is not None:
                message, parameters = inputs
                again = f"They go out with the next restart ({self.app.key('run.restart')})"
                said = again if self.session.turns else ""
                self.move("run.inputs", self.debugger.give_inputs(message, parameters), said)

        self.app.push_screen(
            InputsScreen(session.address, session.plan.inputs, session.message, parameters), taken
        )

    def help(self) -> None:
        """Show the help for the pane that has the keys."""
        from flowdbg.tui.help_text import help_text
        from flowdbg.tui.screens.text import TextScreen

        pane = "editor" if self.screen.editor.state is not None else self.screen.pane
        text = help_text(pane, self.app.keys)
        self.app.push_screen(TextScreen("Help", text))

    def _palette(self) -> None:
        from flowdbg.tui.screens.choose import Choice, ChooseScreen

        situation = self.screen.situation()
        editing = self.screen.editor.state is not None
        choices = [
            Choice(
                action.id,
                action.help,
                " ".join(key_label(key) for key in self.app.keys[action.id]),
                action.off(situation),
            )
            for action in (EDITOR_ACTIONS if editing else ACTIONS)
            if action.id != "app.palette"
        ]

        def chosen(action_id: str | None) -> None:
            if action_id and action_id.startswith("editor."):
                self.screen.editor.action_do(action_id)
            elif action_id:
                self.screen.action_do(action_id)

        self.app.push_screen(ChooseScreen("Command", choices), chosen)

    def _theme(self) -> None:
        from flowdbg.tui.screens.choose import Choice, ChooseScreen

        names = sorted(self.app.available_themes)
        offered = [name for name in SHORT if name != "color-blind"]
        choices = [Choice(SHORT[name], name) for name in offered]
        choices += [Choice(name, name) for name in names if name not in SHORT.values()]

        def chosen(name: str | None) -> None:
            if name:
                self.app.theme = name

        self.app.push_screen(ChooseScreen("Theme", choices), chosen)

    def _sessions(self) -> None:
        from flowdbg.tui.screens.sessions import SessionsScreen

        def chosen(path: Path | None) -> None:
            if path is not None:
                self._leave_for(path)

        self.app.push_screen(SessionsScreen(self.app.stored_sessions(), self.session.id), chosen)

    def _leave_for(self, path: Path) -> None:
        if path.stem.startswith(self.session.id) and self.session.id:
            self.say("This session is the one that is open.")
        else:
            self.app.exit(path)

    def _show_stale(self) -> None:
        from flowdbg.tui.screens.stale import StaleScreen

        stale = self.session.stale
        if stale is None:
            return

        def chosen(way: str | None) -> None:
            if way == "restart":
                self.screen.action_do("run.restart")
            elif way == "pin":
                pin = self.debugger.pin(stale.old.version)
                self.move("run.pin", pin, "Pinned; it goes on where it stood")
            else:
                self.say(f"{self.app.key('view.plan-change')} shows the new plan again.")

        self.app.push_screen(StaleScreen(stale), chosen)

    def _screenshot(self) -> None:
        self.screen.call_after_refresh(self._take_picture)  # the palette is gone then

    def _take_picture(self) -> None:
        from flowdbg.tui.screenshot import save_picture

        picture = self.app.export_screenshot(title="flowdbg")

        async def save() -> None:
            flow = self.session.address.rpartition("/")[2]
            file = await asyncio.to_thread(save_picture, picture, flow, Path.cwd())
            self.say(f"The screen is in {file}, as it is shown: with what steps said, no keys.")

        self.launch("app.screenshot", save())

    def _redraw(self) -> None:
        self.app.redraw()

    def _suspend(self) -> None:
        if not self._watches_resume:
            # the terminal lost everything meanwhile; without this only a part is drawn again
            self.app.app_resume_signal.subscribe(self.screen, lambda _: self._redraw())
            self._watches_resume = True
        self.app.action_suspend_process()

    def _quit(self) -> None:
        from flowdbg.tui.screens.confirm import ConfirmScreen

        question = ""
        if self.session.running:
            question = (
                "A step is running. Leave? Its stream is closed; whether it ran is not known then."
            )
        elif self.screen.unsaved:
            question = (
                f"The newest entries are not saved: {self.screen.unsaved} Leave all the same?"
            )
        if not question:
            self.app.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.exit()

        self.app.push_screen(ConfirmScreen(question), answered)

"""Drafts: what was typed into an editor and not applied, kept with the session."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from flowdbg.present.step_documents import why_not_taken
from flowdbg.tui.desk import Desk
from flowdbg.tui.parts.part import Part

DRAFTS = "screen"
"""The key under which the session's store keeps unfinished edits."""


class Drafts(Part):
    """The unfinished edits: by `output:<step>` or `block:<step>`, then by document."""

    def __init__(self, screen: Desk) -> None:
        super().__init__(screen)
        self._drafts: dict[str, dict[str, str]] = {}
        self._notes: dict[str, tuple[str, dict[str, str]]] = {}

    def load(self, text: str | None) -> None:
        """Take what was kept for this session; what is not readable is none."""
        try:
            stored = json.loads(text or "{}")
        except ValueError:
            return
        if isinstance(stored, dict):
            self._drafts = {
                key: dict(texts) for key, texts in stored.items() if isinstance(texts, dict)
            }
        self.screen.show_session()

    def of(self, plane: str, step: str) -> Mapping[str, str] | None:
        """Return the texts of an unfinished edit by document; None where there is none."""
        return self._drafts.get(f"{plane}:{step}")

    def steps(self) -> set[str]:
        """Return the steps that have an unfinished edit."""
        return {key.partition(":")[2] for key in self._drafts}

    def notes(self) -> dict[str, str]:
        """Return for each step with an unfinished edit why it is not taken."""
        notes: dict[str, str] = {}
        for key, texts in self._drafts.items():
            plane, _, step = key.partition(":")
            if self._notes.get(key, ("", {}))[1] != texts:
                problem = why_not_taken(self.session, plane, step, texts)
                said = f"not taken: {problem}" if problem else "not applied yet"
                self._notes[key] = (said, dict(texts))
            notes[step] = self._notes[key][0]
        return notes

    def put(self, plane: str, step: str, texts: Mapping[str, str]) -> None:
        """Keep what was typed and not applied, or forget it when there is nothing."""
        key = f"{plane}:{step}"
        if texts:
            self._drafts[key] = dict(texts)
        elif self._drafts.pop(key, None) is None:
            return
        self.launch("draft", self._keep())

    def drop(self, steps: Collection[str]) -> None:
        """Forget the unfinished edits of some steps."""
        gone = [key for key in self._drafts if key.partition(":")[2] in steps]
        if gone:
            for key in gone:
                del self._drafts[key]
            self.launch("draft", self._keep())
            self.screen.show_session()

    async def _keep(self) -> None:
        if self._drafts:
            await self.debugger.save_draft(DRAFTS, json.dumps(self._drafts))
        else:
            await self.debugger.drop_draft(DRAFTS)

"""The verbs that change what the next request carries; none of them sends anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from flowdbg.core.entries import (
    BlockEdited,
    BreakpointSet,
    InputsGiven,
    OutputEditCleared,
    OutputEdited,
    ToolAnswered,
)
from flowdbg.core.json_text import JsonText, standard_problem
from flowdbg.core.session import Session
from flowdbg.debugger.journal import Journal
from flowdbg.errors import UsageError


class EditingVerbs:
    """Edits, breakpoints, inputs, answers and drafts of one session."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._in_order = asyncio.Lock()
        """Held from looking at the session to changing it: edits of one breath see each other."""

    @property
    def session(self) -> Session:
        """The session now; an immutable value."""
        return self._journal.session

    async def answer(self, call_id: str, content: str) -> None:
        """Answer a pending tool call; the answers go out with the next step.

        Raises:
            UsageError: No such call is pending.
        """
        pending = self.session.branch.pending
        ids = [str(call.get("id", "")) for call in pending.calls] if pending else []
        if call_id not in ids:
            raise UsageError(
                f"No tool call '{call_id}' is pending.",
                f"Pending: {', '.join(ids)}." if ids else "Step until the flow asks for tools.",
            )
        await self._journal.write(ToolAnswered(call_id, content))

    async def edit_output(self, step_id: str, value: JsonText) -> None:
        """Let later steps read this value as the whole output of a step; the original stays.

        An edit equal to the original takes the edit back.

        Raises:
            UsageError: The text is not JSON.
        """
        if problem := standard_problem(value.text):
            raise UsageError(f"The value is {problem}.", "Correct it and apply again.")
        async with self._in_order:
            original = self.session.branch.outputs.get(step_id)
            if original is None or original.text != value.text:
                await self._journal.write(OutputEdited(step_id, value))
            elif step_id in self.session.output_edits:
                await self._journal.write(OutputEditCleared(step_id))

    async def clear_output_edit(self, step_id: str) -> None:
        """Take back the edit of a step's output."""
        async with self._in_order:
            if step_id in self.session.output_edits:
                await self._journal.write(OutputEditCleared(step_id))

    async def edit_block(self, step_id: str, fields: Mapping[str, JsonText]) -> None:
        """Change fields of a block's configuration; only those that differ are kept and sent.

        Raises:
            UsageError: A value is not JSON.
        """
        for name, value in fields.items():
            if problem := standard_problem(value.text):
                raise UsageError(f"{name} is {problem}.", "Correct it and apply again.")
        async with self._in_order:
            step = self.session.plan.find(step_id)
            config = step.config if step else {}
            merged = {**self.session.block_edits.get(step_id, {}), **fields}
            differing = {
                name: value
                for name, value in merged.items()
                if name not in config or config[name] != value.value
            }
            await self._journal.write(BlockEdited(step_id, differing))

    async def clear_block_edit(self, step_id: str) -> None:
        """Take back all changes of a block."""
        async with self._in_order:
            if step_id in self.session.block_edits:
                await self._journal.write(BlockEdited(step_id, {}))

    async def toggle_breakpoint(self, step_id: str) -> None:
        """Set a breakpoint before a step, or remove it."""
        async with self._in_order:
            enabled = None if step_id in self.session.breakpoints else True
            await self._journal.write(BreakpointSet(step_id, enabled))

    async def give_inputs(self, message: str | None, parameters: JsonText) -> None:
        """Give the run's inputs; they go out with the next fresh run."""
        if parameters.kind != "object":
            raise UsageError("The parameters are not a JSON object.", 'Write {"name": value}.')
        await self._journal.write(InputsGiven(message, parameters))

    async def save_draft(self, key: str, text: str) -> None:
        """Keep the text of an unfinished edit, so that a crash does not lose it.

        Raises:
            StoreError: It could not be kept.
        """
        await self._journal.in_store(lambda store: store.drafts.save(key, text))

    async def load_draft(self, key: str) -> str | None:
        """The text of an unfinished edit; None when there is none."""
        return await self._journal.in_store(lambda store: store.drafts.load(key))

    async def drop_draft(self, key: str) -> None:
        """Forget an unfinished edit, because it was applied or given up.

        Raises:
            StoreError: It is still there.
        """
        await self._journal.in_store(lambda store: store.drafts.delete(key))

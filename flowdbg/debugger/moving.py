"""The verbs that move a session to another place or plan; none of them runs a step."""

from __future__ import annotations

from flowdbg.core import rules
from flowdbg.core.entries import (
    Body,
    Forked,
    ForkReason,
    PlanLoaded,
    StepSkipped,
    Stopped,
    StopReason,
    VersionPinned,
)
from flowdbg.core.plan import Plan
from flowdbg.debugger.editing import EditingVerbs
from flowdbg.debugger.journal import Journal
from flowdbg.debugger.place import Place
from flowdbg.debugger.waiting import GivenUp, Waiting
from flowdbg.dialects.target import Target
from flowdbg.errors import BusyError, Interrupted, UsageError

_STAYS = (StopReason.UNKNOWN, StopReason.ERROR, StopReason.TOOL_CALL, StopReason.INPUT_NEEDED)
"""Why a session stopped that pinning a version does not change: it still waits for a person."""


class MovingVerbs(EditingVerbs):
    """Restart, pin, fork and skip: each waits its turn behind those before it (`Place`)."""

    def __init__(self, target: Target, journal: Journal) -> None:
        super().__init__(journal)
        self._target = target
        self._place = Place()
        self._waiting = Waiting()

    async def restart(self, *, pinned: int | str | None = "keep") -> None:
        """Begin a fresh run at step 0 on the current plan: new id, no outputs, edits kept.

        `pinned` is a version, None to follow production, or "keep".

        Raises:
            BusyError: A turn is running.
            TargetError: The server could not be asked for its plan.
        """
        async with self._place.hold("restart"):
            self._check("restart")
            session = self.session
            await self._begin_again(session.pinned if isinstance(pinned, str) else pinned)

    async def _begin_again(self, version: int | None) -> None:
        session = self.session
        plan = await self._ask_plan(version)
        if plan is None:
            known = session.stale.new if session.stale else session.plan
            plan = known if version == session.pinned else Plan(version=version)
        moves: list[Body] = [] if version == session.pinned else [VersionPinned(version)]
        fork = self._fork(0, ForkReason.RESTART, fresh=True)
        await self._journal.write(*moves, PlanLoaded(plan), fork, Stopped(StopReason.START))

    async def _ask_plan(self, version: int | None) -> Plan | None:
        try:
            return await self._waiting.on(self._target.fetch_plan(version))
        except GivenUp as error:
            raise Interrupted(
                "The server was not waited for.", "Nothing has changed; restart to ask again."
            ) from error

    async def pin(self, version: int | None = None) -> None:
        """Pin the session to a version: the one its outputs come from keeps the place.

        Another version is another tree, so the session restarts on it.

        Raises:
            BusyError: A turn is running.
            UsageError: The server does not tell which version ran and none is named.
            TargetError: The server could not be asked for its plan.
        """
        async with self._place.hold("pin"):
            self._check("pin")
            running = self.session.version
            wanted = version if version is not None else running
            if wanted is None:
                raise UsageError(
                    "The server does not tell which version this session runs.",
                    "Name one, for example version 1.",
                )
            if wanted != running:
                await self._begin_again(wanted)
                return
            moves: list[Body] = [VersionPinned(wanted), PlanLoaded(self.session.plan)]
            if self.session.stop.reason not in _STAYS:
                moves.append(Stopped(StopReason.USER, f"pinned to version {wanted}"))
            await self._journal.write(*moves)

    async def fork(self, index: int, *, parent: int | None = None) -> None:
        """Start a new branch before the step at `index`, with the outputs of the steps before it.

        `parent` is the branch that it leaves; the current one when it is not named.

        Raises:
            BusyError: A turn is running.
            UsageError: The step was not reached there, or the branch ran on another plan.
        """
        async with self._place.hold("fork"):
            self._check("fork")
            if parent is not None and not 0 <= parent < len(self.session.branches):
                raise UsageError(f"There is no branch #{parent}.", "Look at the branches.")
            why = rules.fork_refusal(self.session, index, parent)
            if why:
                raise UsageError(f"{why[0].upper()}{why[1:]}.")
            left = self.session.current if parent is None else parent
            where = f" of branch #{left}" if left != self.session.current else ""
            stop = Stopped(StopReason.USER, f"forked before step {index + 1}{where}")
            await self._journal.write(self._fork(index, ForkReason.FORK, parent=left), stop)

    async def skip(self) -> None:
        """Go past the step at the cursor without running it: its edited output stands in for it.

        Tool calls that it waits for are given up.

        Raises:
            BusyError: A turn is running.
            UsageError: The step has no edited output, or none is left (see `rules.refusal`).
        """
        async with self._place.hold("skip"), self._in_order:  # behind the edits given before it
            self._check("skip")
            plan, cursor = self.session.plan, self.session.cursor
            step = plan.at(cursor)
            assert step is not None
            reason = StopReason.END if cursor + 1 == plan.length else StopReason.STEP
            stop = Stopped(reason, f"'{step.id}' was skipped")
            await self._journal.write(StepSkipped(step.id), stop)

    def _check(self, verb: str) -> None:
        why = rules.refusal(self.session, verb)
        if why and (self.session.verb or self.session.running):
            raise BusyError(f"{why[0].upper()}{why[1:]}.")
        if why:
            raise UsageError(f"{why[0].upper()}{why[1:]}.")

    def _fork(
        self, index: int, reason: ForkReason, *, fresh: bool = False, parent: int | None = None
    ) -> Forked:
        session = self.session
        left = session.current if parent is None else parent
        return Forked(len(session.branches), left, index, reason, fresh)

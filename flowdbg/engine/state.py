"""How far a plan entry has come, as JSON: what is finished, and where it stopped.

A state is a tree that mirrors the entry: a finished node holds its output, an unfinished
container the nodes inside it. Going on means walking the tree again and taking what is finished
from here, so a state written at any block boundary is enough after the process died.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from flowdbg.engine.errors import ResumeInvalid
from flowdbg.engine.events import NodePath, Usage
from flowdbg.engine.tools import checked_conversation

STATE_VERSION = 1


class Progress:
    """The mutable state of one running entry."""

    def __init__(self, entry_id: str, plan_hash: Callable[[], str]) -> None:
        self.entry_id = entry_id
        # Asked for only when a state is written or read: it takes milliseconds for a large flow.
        self._plan_hash = cache(plan_hash)
        self.usage = Usage()
        self.models: set[str] = set()
        self.stopped_at: NodePath | None = None
        self.conversation: dict[str, Any] | None = None
        self._root: dict[str, Any] = {}
        self._begun: set[NodePath] = set()

    def finished(self, path: NodePath) -> bool:
        """Whether the node at this path has an output."""
        node = self._find(path)
        return node is not None and "output" in node

    def output(self, path: NodePath) -> Any:
        """The output of a finished node."""
        node = self._find(path)
        return None if node is None else node["output"]

    def finish(self, path: NodePath, output: Any) -> None:
        """Record an output; what was inside the node is no longer needed."""
        self._begun.discard(path)
        if not path:
            self._root = {"output": output}
            return
        node = self._root
        for part in path[:-1]:
            node = node.setdefault("inside", {}).setdefault(str(part), {})
        node.setdefault("inside", {})[str(path[-1])] = {"output": output}

    def begin(self, path: NodePath) -> None:
        """Record that a node that changes something outside is about to run."""
        self._begun.add(path)

    def begun(self, path: NodePath) -> bool:
        """Whether such a node had begun and is not finished: its outcome is unknown.

        Someone who found out that nothing happened takes its path out of the state's `begun`.
        """
        return path in self._begun

    def add(self, usage: Usage, model: str | None) -> None:
        """Count what a block consumed."""
        self.usage += usage
        if model:
            self.models.add(model)

    def as_json(self) -> dict[str, Any]:
        """A snapshot; later progress does not change it."""
        return {
            "version": STATE_VERSION,
            "entry": self.entry_id,
            "plan_hash": self._plan_hash(),
            "progress": _skeleton(self._root),
            "begun": [list(path) for path in sorted(self._begun, key=str)],
            "stopped_at": None if self.stopped_at is None else list(self.stopped_at),
            "conversation": self.conversation,
            "usage": [self.usage.prompt, self.usage.completion, self.usage.cost_text],
            "models": sorted(self.models),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises:
            ResumeInvalid: It is not one, or belongs to another entry or another plan.
        """
        if state.get("version") != STATE_VERSION:
            raise ResumeInvalid("The state is not one of this engine.", "Start the step again.")
        if "entry" in state and state["entry"] != self.entry_id:
            raise ResumeInvalid(
                f"The state belongs to step `{state['entry']}`, not to `{self.entry_id}`.",
                "Resume that step.",
            )
        if state.get("plan_hash") not in (None, self._plan_hash()):
            raise ResumeInvalid("The flow changed since the state was written.", "Start again.")
        try:
            self.conversation = _conversation(state.get("conversation"))
            self._root = _skeleton(state.get("progress", {}))
            self._begun = {tuple(path) for path in state.get("begun", ())}
            stopped = state.get("stopped_at")
            self.stopped_at = None if stopped is None else tuple(stopped)
            prompt, completion, cost = state.get("usage", (0, 0, "0"))
            self.usage = Usage(prompt, completion, None if cost is None else Decimal(cost))
            self.models = set(state.get("models", ()))
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ResumeInvalid("The state is damaged.", "Start the step again.") from error

    def _find(self, path: NodePath) -> dict[str, Any] | None:
        node: dict[str, Any] | None = self._root
        for part in path:
            if node is None:
                return None
            node = node.get("inside", {}).get(str(part))
        return node


def tool_resume(
    messages: Sequence[Mapping[str, Any]],
    iterations_used: int,
    state: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The state that goes on with a tool conversation.

    `messages` is the conversation of the pause with a tool message for every call appended;
    `state` that of the pause, where the caller kept it.

    Raises:
        ResumeInvalid: The results do not answer the calls (code `TOOL_RESULTS_MISMATCH`).
    """
    conversation = {
        "messages": checked_conversation(messages),
        "iterations_used": iterations_used,
    }
    return {"version": STATE_VERSION, **(state or {}), "conversation": conversation}


def _conversation(stored: Any) -> dict[str, Any] | None:
    """A conversation that a state holds, with its results checked."""
    if stored is None:
        return None
    return {
        "messages": checked_conversation(stored["messages"]),
        "iterations_used": int(stored["iterations_used"]),
    }


def _skeleton(node: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the tree; outputs are shared, because nobody changes them."""
    if "output" in node:
        return {"output": node["output"]}
    inside = node.get("inside", {})
    return {"inside": {key: _skeleton(child) for key, child in inside.items()}} if inside else {}

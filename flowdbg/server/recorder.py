"""Turns the engine's events of one plan entry into the records of its steps.

A block inside a container gets a record of its own, with its path and the index of the iteration
around it; the entry's record comes last, because it ends last.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowdbg.dialects.records import Capture, StepNote, StepStatus, redacted
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    NodeFinished,
    NodePath,
    NodeSkipped,
    NodeStarted,
    PromptRendered,
    StepInput,
    Usage,
)
from flowdbg.engine.plan import PlanEntry
from flowdbg.server.storage.steps import to_text

RENDERED_PROMPT = "__rendered_prompt__"
"""Reserved key of kept outputs (noukai section 8.6); live outputs never have it."""
_NO_USAGE = Usage()


@dataclass(slots=True)
class _Open:
    """A node that has begun."""

    started_at: float
    began: float
    """Monotonic seconds."""
    name: str = ""
    value: Any = None
    has_input: bool = False
    skipped: bool = False
    prompt: dict[str, Any] | None = None
    """What its model was asked, last."""


class EntryRecorder:
    """Notes events; `steps` are the records they make."""

    def __init__(self, entry: PlanEntry, capture: Capture, counted: Usage = _NO_USAGE) -> None:
        """Begin to note.

        Args:
            entry: The plan entry.
            capture: How much of inputs and outputs to keep.
            counted: What earlier calls of the same entry consumed and recorded already; the
                engine counts it again when the entry ends.
        """
        self._counted = counted
        self._entry = entry
        self._capture = capture
        self._steps: list[StepNote] = []
        self._open: dict[NodePath, _Open] = {(): _Open(time.time(), time.monotonic())}

    def note(self, event: EngineEvent) -> None:
        """Take in one event."""
        match event:
            case StepInput(path, value):
                node = self._node(path)
                node.value, node.has_input = value, True
            case NodeStarted(path, name):
                self._node(path).name = name
            case PromptRendered(path, model, messages):
                self._node(path).prompt = {"model": model, "messages": messages}
            case NodeSkipped(path, output):
                self._node(path).skipped = True
                if path:
                    self._end(path, "skipped", output=(output,))
            case NodeFinished(path, output, usage, duration_ms):
                self._end(path, "completed", (output,), usage=usage, duration_ms=duration_ms)
            case EntryCompleted():
                self._complete(event)
            case EntryFailed(path, error, usage, duration_ms):
                usage = _less(usage, self._counted)
                if path:
                    self._end(path, "failed", error=(error,))
                self._end((), "failed", error=(error,), usage=usage, duration_ms=duration_ms)
            case EntryPaused(usage=usage, duration_ms=duration_ms):
                self._end((), "running", usage=usage, duration_ms=duration_ms)

    def steps(self) -> list[StepNote]:
        """The records; a node that began and never ended is still `running`."""
        if self._capture == "off":
            return []
        for path in sorted(self._open, key=len, reverse=True):
            self._end(path, "running")
        return self._steps

    def _node(self, path: NodePath) -> _Open:
        node = self._open.get(path)
        if node is None:
            node = self._open[path] = _Open(time.time(), time.monotonic())
        return node

    def _complete(self, event: EntryCompleted) -> None:
        skipped = () in self._open and self._open[()].skipped
        self._end(
            (),
            "skipped" if skipped else "completed",
            (event.output,),
            usage=_less(event.usage, self._counted),
            duration_ms=event.duration_ms,
            model=event.model,
        )

    def _end(
        self,
        path: NodePath,
        status: StepStatus,
        output: tuple[Any, ...] = (),
        *,
        error: tuple[Any, ...] = (),
        usage: Usage = _NO_USAGE,
        duration_ms: int | None = None,
        model: str | None = None,
    ) -> None:
        node = self._open.pop(path, None) or _Open(time.time(), time.monotonic())
        if duration_ms is None:
            duration_ms = round((time.monotonic() - node.began) * 1000)
        read = to_text(node.value) if node.has_input else None
        written = to_text(output[0]) if output else None
        names = [part for part in path if isinstance(part, str)]
        iterations = [part for part in path if isinstance(part, int)]
        self._steps.append(
            StepNote(
                step_id=names[-1] if names else self._entry.step_id,
                name=node.name if path else self._entry.name,
                entry_id=self._entry.step_id,
                path=path,
                status=status,
                started_at=node.started_at,
                duration_ms=duration_ms,
                loop_index=iterations[-1] if iterations else None,
                model=model,
                prompt_tokens=usage.prompt,
                completion_tokens=usage.completion,
                cost=usage.cost,
                input=self._kept(read, node.value),
                output=self._kept(written, _with_prompt(node, output)),
                error=to_text(error[0]) if error else None,
                input_bytes=len(read) if read is not None else 0,
                output_bytes=len(written) if written is not None else 0,
            )
        )

    def _kept(self, text: str | None, value: Any) -> str | None:
        """What the record keeps of an input or output: its text, its shape, or nothing."""
        if text is None or self._capture not in ("full", "redacted"):
            return None
        return to_text(value if self._capture == "full" else redacted(value))


def _with_prompt(node: _Open, output: tuple[Any, ...]) -> Any:
    """An output as it is kept: with what the model was asked, under the reserved key."""
    value = output[0] if output else None
    if node.prompt is None or not isinstance(value, dict):
        return value
    return {**value, RENDERED_PROMPT: node.prompt}


def usage_in(state: Mapping[str, Any] | None) -> Usage:
    """What the calls before a pause consumed, by the engine's state of it."""
    if state is None or "usage" not in state:
        return _NO_USAGE
    prompt, completion, cost = state["usage"]
    return Usage(prompt, completion, None if cost is None else Decimal(cost))


def _less(usage: Usage, counted: Usage) -> Usage:
    cost = usage.cost
    if cost is not None and counted.cost is not None:
        cost -= counted.cost
    return Usage(usage.prompt - counted.prompt, usage.completion - counted.completion, cost)

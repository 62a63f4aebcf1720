"""What a node can see: its pipeline input, the flow's input, earlier outputs, the loop's item.

Names in order of precedence: `pipeline_input`, `initial`, `outputs`, inside a loop `item` and
`index`; then the fields of the pipeline input, when that is an object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowdbg.engine.errors import BlockFailed


@dataclass(frozen=True, slots=True)
class Iteration:
    """The position in the innermost loop."""

    item: Any
    index: int


@dataclass(frozen=True, slots=True)
class Scope:
    """The data one node sees; each step of a sequence gets its own."""

    pipeline_input: Any
    initial: Mapping[str, Any]
    outputs: Mapping[str, Any]
    """Step id to output: earlier plan entries and, inside a container, earlier siblings."""
    iteration: Iteration | None = None

    def names(self) -> dict[str, Any]:
        """Everything a template or an expression can name."""
        fields = self.pipeline_input if isinstance(self.pipeline_input, Mapping) else {}
        loop = self.iteration
        return {
            **{str(name): value for name, value in fields.items()},
            **({} if loop is None else {"item": loop.item, "index": loop.index}),
            "pipeline_input": self.pipeline_input,
            "initial": self.initial,
            "outputs": self.outputs,
        }

    def resolve(self, path: str) -> Any:
        """The value at a dotted data path; a number picks an item of a list.

        Raises:
            BlockFailed: There is nothing at that path (code `DATA_NOT_FOUND`).
        """
        return _at(path, self.names())

    def mapped(self, mapping: Mapping[str, str] | None) -> Scope:
        """The scope with the pipeline input collected from data paths.

        Raises:
            BlockFailed: See `resolve`.
        """
        if mapping is None:
            return self
        names = self.names()
        return replace(
            self, pipeline_input={name: _at(path, names) for name, path in mapping.items()}
        )

    def after(self, step_id: str, output: Any) -> Scope:
        """What the next step of a sequence sees."""
        return replace(self, pipeline_input=output, outputs={**self.outputs, step_id: output})

    def iterated(self, item: Any, index: int) -> Scope:
        """What the first step of an iteration sees: the item, or `{"item": …}` around it."""
        return replace(
            self,
            pipeline_input=item if isinstance(item, Mapping) else {"item": item},
            iteration=Iteration(item, index),
        )


def _at(path: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and _is_index(part, value):
            value = value[int(part)]
        else:
            raise _not_found(path, part, value)
    return value


def _is_index(part: str, values: Sequence[Any]) -> bool:
    # A number of thousands of digits is beyond every list, and beyond what Python reads.
    return part.isdecimal() and len(part) < 10 and int(part) < len(values)


def _not_found(path: str, part: str, value: Any) -> BlockFailed:
    if isinstance(value, Mapping):
        names = ", ".join(sorted(map(str, value))) or "nothing"
        there = f"There is: {names[:500]}."
    elif isinstance(value, list | tuple):
        there = f"There is a list of {len(value)} items."
    else:
        there = "There is no object or list at that place."
    return BlockFailed(
        "DATA_NOT_FOUND",
        f"Nothing is at the data path `{path}` (looked for `{part}`).",
        there,
        retryable=False,
    )

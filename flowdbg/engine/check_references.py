"""Whether what a flow reads by name is there: outputs of earlier steps, inputs of the flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowdbg.engine.checks import raw_nodes
from flowdbg.engine.effort import Deadline
from flowdbg.engine.problems import nearest
from flowdbg.engine.references import reads_in
from flowdbg.engine.yaml_source import KeyPath, YamlSource
from flowdbg.errors import Problem

_NAMES = ("pipeline_input", "initial", "outputs", "item", "index", "messages", "attachments")
"""What a step may name beside fields of its input; the last two come with a chat."""


def check_references(source: YamlSource, deadline: Deadline) -> Iterator[Problem]:
    """Every read of an output that is not there yet, or of an input the flow does not have.

    Raises:
        TakesLonger: It takes longer than the deadline.
    """
    top = source.value if isinstance(source.value, dict) else {}
    inputs = top.get("inputs")
    checker = _Checker(source, inputs if isinstance(inputs, dict) else {}, deadline)
    yield from checker.sequence(top.get("steps"), ("steps",), frozenset(), begins=True)


class _Checker:
    def __init__(self, source: YamlSource, inputs: dict[str, Any], deadline: Deadline) -> None:
        self._source = source
        self._inputs = {"message": None, **inputs}
        self._deadline = deadline
        self._places = {
            node["id"]: path
            for path, node in raw_nodes(source.value.get("steps"), ("steps",))
            if isinstance(node.get("id"), str)
        } if isinstance(source.value, dict) else {}  # fmt: skip

    def sequence(
        self, steps: Any, path: KeyPath, visible: frozenset[str], *, begins: bool
    ) -> Iterator[Problem]:
        """The steps of a sequence; each sees the outputs of those before it.

        The first step of one that `begins` the flow reads the flow's input.
        """
        for index, node in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(node, dict):
                yield from self._node(node, (*path, index), visible, begins=begins and not index)
                if isinstance(node.get("id"), str):
                    visible |= {node["id"]}

    def _node(
        self, node: dict[str, Any], path: KeyPath, visible: frozenset[str], *, begins: bool
    ) -> Iterator[Problem]:
        for place, read in reads_in(node):
            self._deadline.check()
            # What a node's own `input` collects hides the flow's input from the rest of it.
            reads_input = begins and (place[0] == "input" or node.get("input") is None)
            message = self._read_problem(read, path, visible, reads_input=reads_input)
            if not message and place == ("array_field",):
                message = self._list_problem(read, reads_input=reads_input)
            if message:
                yield self._source.problem((*path, *place), message)
        inside = node.get("steps")
        begins = begins and node.get("input") is None and node.get("kind") != "loop"
        if node.get("kind") == "parallel":
            # Branches run at the same time: none sees the output of another.
            for index, branch in enumerate(inside if isinstance(inside, list) else ()):
                if isinstance(branch, dict):
                    place = (*path, "steps", index)
                    yield from self._node(branch, place, visible, begins=begins)
        else:
            yield from self.sequence(inside, (*path, "steps"), visible, begins=begins)

    def _read_problem(
        self, read: tuple[str, ...], path: KeyPath, visible: frozenset[str], *, reads_input: bool
    ) -> str:
        root, name = read[0], read[1] if len(read) > 1 else None
        if root == "outputs" and name is not None and name not in visible:
            return self._output_problem(name, path, visible)
        if root == "initial" and name is not None and name not in self._inputs:
            close = nearest(name, self._inputs)
            hint = f"Did you mean `{close}`?" if close else "Add it to `inputs`."
            return f"the flow has no input `{name}`. {hint}"
        # A run may bring fields that the flow does not declare; not ones that are almost its own.
        if reads_input and root not in _NAMES and root not in self._inputs:
            close = nearest(root, self._inputs, 0.75)
            return f"the flow has no input `{root}`. Did you mean `{close}`?" if close else ""
        return ""

    def _list_problem(self, read: tuple[str, ...], *, reads_input: bool) -> str:
        if read[0] != "initial" and not reads_input:
            return ""
        name = read[1:] if read[0] == "initial" else read
        field = self._inputs.get(name[0]) if len(name) == 1 else None
        kind = field.get("type", "string") if isinstance(field, dict) else "array"
        return "" if kind == "array" else f"the input `{name[0]}` is of type {kind}, not a list."

    def _output_problem(self, name: str, path: KeyPath, visible: frozenset[str]) -> str:
        what = f"`outputs.{name}` is not there"
        place = self._places.get(name)
        if place is None:
            close = nearest(name, sorted(visible)) or nearest(name, self._places)
            hint = f" Did you mean `{close}`?" if close else ""
            return f"{what}: the flow has no step `{name}`.{hint}"
        if place == path:
            return f"{what}: it is this step's own output."
        if path[: len(place)] == place:
            return f"{what}: this step is inside `{name}`."
        around = place[:-2]
        if path[: len(around)] == around:
            return f"{what} yet: step `{name}` does not run before this one."
        return f"{what}: step `{name}` is inside a container; read the container's output."

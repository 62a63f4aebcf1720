"""Whether what a flow reads by name is there: outputs of earlier steps, inputs of the flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowdbg.engine.checks import raw_nodes
from flowdbg.engine.effort import Deadline
from flowdbg.engine.problems import nearest
from flowdbg.engine.references import Read, reads_in
from flowdbg.engine.yaml_source import KeyPath, YamlSource
from flowdbg.errors import Problem


def check_references(source: YamlSource, deadline: Deadline) -> Iterator[Problem]:
    """Every read of an output that is not there yet, or of an input the flow does not have.

    Raises:
        TakesLonger: It takes longer than the deadline.
    """
    top = source.value if isinstance(source.value, dict) else {}
    inputs = top.get("inputs")
    known = set(inputs) if isinstance(inputs, dict) else set()
    checker = _Checker(source, {"message", *known}, deadline)
    yield from checker.sequence(top.get("steps"), ("steps",), frozenset())


class _Checker:
    def __init__(self, source: YamlSource, inputs: set[str], deadline: Deadline) -> None:
        self._source = source
        self._deadline = deadline
        self._inputs = inputs
        self._places = {
            node["id"]: path
            for path, node in raw_nodes(source.value.get("steps"), ("steps",))
            if isinstance(node.get("id"), str)
        } if isinstance(source.value, dict) else {}  # fmt: skip

    def sequence(self, steps: Any, path: KeyPath, visible: frozenset[str]) -> Iterator[Problem]:
        """The steps of a sequence; each sees the outputs of those before it."""
        for index, node in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(node, dict):
                yield from self._node(node, (*path, index), visible)
                if isinstance(node.get("id"), str):
                    visible |= {node["id"]}

    def _node(
        self, node: dict[str, Any], path: KeyPath, visible: frozenset[str]
    ) -> Iterator[Problem]:
        for read in reads_in(node):
            self._deadline.check()
            if read.root == "outputs" and read.name not in visible:
                message = self._output_problem(read, path, visible)
                yield self._source.problem((*path, *read.place), message)
            elif read.root == "initial" and read.name not in self._inputs:
                message = f"the flow has no input `{read.name}`."
                close = nearest(read.name, sorted(self._inputs))
                hint = f" Did you mean `{close}`?" if close else " Add it to `inputs`."
                yield self._source.problem((*path, *read.place), message + hint)
        inside = node.get("steps")
        if node.get("kind") == "parallel":
            # Branches run at the same time: none sees the output of another.
            for index, branch in enumerate(inside if isinstance(inside, list) else ()):
                if isinstance(branch, dict):
                    yield from self._node(branch, (*path, "steps", index), visible)
        else:
            yield from self.sequence(inside, (*path, "steps"), visible)

    def _output_problem(self, read: Read, path: KeyPath, visible: frozenset[str]) -> str:
        what = f"`outputs.{read.name}` is not there"
        place = self._places.get(read.name)
        if place is None:
            close = nearest(read.name, sorted(visible)) or nearest(read.name, list(self._places))
            hint = f" Did you mean `{close}`?" if close else ""
            return f"{what}: the flow has no step `{read.name}`.{hint}"
        if place == path:
            return f"{what}: it is this step's own output."
        if path[: len(place)] == place:
            return f"{what}: this step is inside `{read.name}`."
        around = place[:-2]
        if path[: len(around)] == around:
            return f"{what} yet: step `{read.name}` does not run before this one."
        return f"{what}: step `{read.name}` is inside a container; read the container's output."

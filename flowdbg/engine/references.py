"""What a node reads by name: the data paths in its templates, mappings, guards and code.

Works on nodes as plain JSON, so that it serves files that do not validate and definitions alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowdbg.engine.nodes import Node, walk
from flowdbg.engine.templates import Template, TemplateError
from flowdbg.engine.yaml_source import KeyPath
from flowdbg.expressions.source import constant_subscripts

_ROOTS = ("outputs", "initial")


@dataclass(frozen=True, slots=True)
class Read:
    """One named read: `outputs.draft` or `initial.message`."""

    place: KeyPath
    """Where it stands, below the node."""
    root: Literal["outputs", "initial"]
    name: str


def outputs_needed(nodes: tuple[Node, ...], index: int) -> frozenset[str]:
    """The plan steps before `index` whose outputs the entry at `index` names.

    What code reaches in another way (`outputs.get(name)`) is not seen.
    """
    earlier = {node.id for node in nodes[:index]}
    named = {
        read.name
        for node in walk(nodes[index])
        for read in reads_in(node.model_dump(mode="json", exclude_none=True))
        if read.root == "outputs"
    }
    return frozenset(named & earlier)


def reads_in(node: Mapping[str, Any]) -> Iterator[Read]:
    """Every named read of one node (not of the nodes inside it)."""
    for place, template in templates_in(node):
        try:
            paths = Template(template, _ROOTS).paths()
        except TemplateError:
            continue
        for path in sorted(paths):
            yield from _read(place, path)
    for place, data_path in data_paths_in(node):
        yield from _read(place, tuple(data_path.split(".")))
    for place, source, mode in python_in(node):
        for path in sorted(constant_subscripts(source, mode)):
            yield from _read(place, path)


def templates_in(node: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """The templates of a node, each with its place below the node."""
    kind = node.get("kind")
    if kind == "llm":
        yield from _texts(("prompt",), node.get("prompt"))
        yield from _texts(("system_prompt",), node.get("system_prompt"))
    elif kind == "http":
        for field in ("url", "headers", "body"):
            yield from _texts((field,), node.get(field))


def data_paths_in(node: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """The data paths of a node, each with its place below the node."""
    mapping = node.get("input")
    if isinstance(mapping, Mapping):
        for name, path in mapping.items():
            if isinstance(path, str):
                yield ("input", name), path
    if node.get("kind") == "loop" and isinstance(node.get("array_field"), str):
        yield ("array_field",), node["array_field"]


def python_in(
    node: Mapping[str, Any],
) -> Iterator[tuple[KeyPath, str, Literal["eval", "exec"]]]:
    """The Python of a node: its guard (an expression) and its code (a function body)."""
    if isinstance(node.get("when"), str):
        yield ("when",), node["when"].strip(), "eval"
    if node.get("kind") == "code" and isinstance(node.get("code"), str):
        yield ("code",), node["code"], "exec"


def _texts(place: KeyPath, value: Any) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts((*place, name), item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts((*place, index), item)


def _read(place: KeyPath, path: tuple[str, ...]) -> Iterator[Read]:
    if len(path) > 1:
        if path[0] == "outputs":
            yield Read(place, "outputs", path[1])
        elif path[0] == "initial":
            yield Read(place, "initial", path[1])

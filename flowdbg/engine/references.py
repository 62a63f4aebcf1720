"""What a node reads by name: the data paths in its templates, mappings, guards and code.

Works on nodes as plain JSON, so that it serves files that do not validate and definitions alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from flowdbg.engine.nodes import Node, walk
from flowdbg.engine.templates import Template, TemplateError
from flowdbg.engine.yaml_source import KeyPath
from flowdbg.expressions.source import constant_subscripts

_ROOTS = ("outputs", "initial")

Read = tuple[KeyPath, tuple[str, ...]]
"""Where a path stands, below its node, and its parts: `("outputs", "draft", "text")`."""


def outputs_needed(nodes: tuple[Node, ...], index: int) -> frozenset[str]:
    """The plan steps before `index` whose outputs the entry at `index` names.

    What code reaches in another way (`outputs.get(name)`) is not seen.
    """
    earlier = {node.id for node in nodes[:index]}
    named = {
        path[1]
        for node in walk(nodes[index])
        for _, path in reads_in(node.model_dump(mode="json", exclude_none=True))
        if path[0] == "outputs" and len(path) > 1
    }
    return frozenset(named & earlier)


def reads_in(node: Mapping[str, Any]) -> Iterator[Read]:
    """What one node (not the nodes inside it) reads by name.

    All paths of templates and data paths; of Python `outputs["…"]` and `initial["…"]`.
    """
    for place, template in templates_in(node):
        try:
            paths = Template(template, _ROOTS).paths()
        except TemplateError:
            continue
        yield from ((place, path) for path in sorted(paths))
    for place, data_path in data_paths_in(node):
        yield place, tuple(data_path.split("."))
    for place, source, mode in python_in(node):
        for path in sorted(constant_subscripts(source, mode)):
            if path[0] in _ROOTS:
                yield place, path


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

"""Which earlier outputs a plan entry reads: the names in its templates, paths and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.nodes import CodeBlock, HttpBlock, LlmBlock, LoopNode, Node, walk
from flowdbg.engine.templates import Template, TemplateError
from flowdbg.expressions.source import subscripts_of


def references_of(definition: FlowDefinition, index: int) -> frozenset[str]:
    """The plan steps before `index` whose outputs the entry names as `outputs.<step id>`.

    Outputs that code reaches in another way (`outputs.get(name)`) are not seen.
    """
    earlier = {node.id for node in definition.steps[:index]}
    read = {name for node in walk(definition.steps[index]) for name in outputs_read(node)}
    return frozenset(read & earlier)


def outputs_read(node: Node) -> Iterator[str]:
    """The step ids a node itself names, whatever they are."""
    for template in templates_of(node):
        try:
            paths = Template(template, ("outputs",)).paths()
        except TemplateError:
            continue
        yield from (path[1] for path in paths if path[0] == "outputs" and len(path) > 1)
    for path in data_paths_of(node):
        parts = path.split(".")
        if parts[0] == "outputs" and len(parts) > 1:
            yield parts[1]
    if node.when:
        yield from subscripts_of(node.when.strip(), "eval", "outputs")
    if isinstance(node, CodeBlock):
        yield from subscripts_of(node.code, "exec", "outputs")


def data_paths_of(node: Node) -> Iterator[str]:
    """The data paths of a node."""
    yield from (node.input or {}).values()
    if isinstance(node, LoopNode):
        yield node.array_field


def templates_of(node: Node) -> Iterator[str]:
    """The templates of a node."""
    if isinstance(node, LlmBlock):
        yield node.prompt
        if node.system_prompt:
            yield node.system_prompt
    elif isinstance(node, HttpBlock):
        yield node.url
        yield from node.headers.values()
        yield from _texts(node.body)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)

"""What the models cannot say about a flow file: identifiers, templates, code, schemas, references.

The checks walk the raw values, not the models, so that they also find what is wrong beside a
field that did not validate: everything is said at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowdbg.engine.yaml_source import KeyPath, YamlSource
from flowdbg.errors import Problem


def check_tree(source: YamlSource) -> Iterator[Problem]:
    """Every problem of a flow file that the field types do not show."""
    yield from _identifiers(source)


def raw_nodes(steps: Any, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Every mapping that stands where a node stands, with its place; depth first."""
    if not isinstance(steps, list):
        return
    for index, node in enumerate(steps):
        if isinstance(node, dict):
            yield (*path, index), node
            yield from raw_nodes(node.get("steps"), (*path, index, "steps"))


def _identifiers(source: YamlSource) -> Iterator[Problem]:
    root = source.value.get("steps") if isinstance(source.value, dict) else None
    first: dict[str, int] = {}
    for path, node in raw_nodes(root, ("steps",)):
        name = node.get("id")
        if not isinstance(name, str):
            continue
        place = (*path, "id")
        if name in first:
            message = f"`{name}` is already the id of the step in line {first[name]}. Rename one."
            yield source.problem(place, message)
        else:
            first[name] = source.line(place)

"""What the models cannot say about a flow file: identifiers, templates, code, schemas.

The checks walk the raw values, not the models, so that they also find what is wrong beside a
field that did not validate: everything is said at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from flowdbg.engine.effort import Deadline
from flowdbg.engine.http_access import FRAMING
from flowdbg.engine.nodes import SMALL_MODEL
from flowdbg.engine.references import python_in, templates_in
from flowdbg.engine.schema_format import schema_problems
from flowdbg.engine.schemas import SchemaMismatch, check_now
from flowdbg.engine.templates import template_problem
from flowdbg.engine.yaml_source import KeyPath, YamlSource, cut
from flowdbg.errors import Problem
from flowdbg.expressions import body_problem, expression_problem
from flowdbg.expressions.source import attributes_of

SCHEMAS = ("input_schema", "output_schema")
"""The fields of a block that hold a JSON Schema."""
_OBJECTS = ("initial", "outputs", "pipeline_input")
_INPUT_TYPES = ("string", "integer", "number", "boolean", "object", "array")

RawNode = tuple[KeyPath, dict[str, Any]]
"""A mapping that stands where a node stands, and its place in the file."""


def check_content(source: YamlSource, deadline: Deadline) -> Iterator[Problem]:
    """Every problem of a flow file that the field types do not show, except references.

    Raises:
        TakesLonger: It takes longer than the deadline.
    """
    top = source.value if isinstance(source.value, dict) else {}
    nodes = list(raw_nodes(top.get("steps"), ("steps",)))
    yield from _identifiers(source, nodes)
    scripts = top.get("scripts")
    scripted = list(scripts) if isinstance(scripts, dict) else []
    for path, node in nodes:
        deadline.check()
        for below, message, line in content_problems(node):
            yield source.problem_inside((*path, *below), message, line)
        if message := _model_problem(node.get("model"), scripted):
            yield source.problem((*path, "model"), message)
    inputs = top.get("inputs")
    if isinstance(inputs, dict):
        for name, field in inputs.items():
            deadline.check()
            yield from _input(source, ("inputs", name), field)


def raw_nodes(steps: Any, path: KeyPath) -> Iterator[RawNode]:
    """Every mapping that stands where a node stands, depth first."""
    if not isinstance(steps, list):
        return
    for index, node in enumerate(steps):
        if isinstance(node, dict):
            yield (*path, index), node
            yield from raw_nodes(node.get("steps"), (*path, index, "steps"))


def _identifiers(source: YamlSource, nodes: list[RawNode]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for path, node in nodes:
        name = node.get("id")
        place = (*path, "id")
        if isinstance(name, str) and name in first:
            message = f"`{name}` is already the id of the step in line {first[name]}. Rename one."
            yield source.problem(place, message)
        elif isinstance(name, str):
            first[name] = source.line(place)
        if node.get("kind") == "parallel":
            yield from _branch_names(source, path, node)


def _branch_names(source: YamlSource, path: KeyPath, node: dict[str, Any]) -> Iterator[Problem]:
    """The names of parallel branches are the keys of its output."""
    seen: set[str] = set()
    branches = node.get("steps")
    for index, branch in enumerate(branches if isinstance(branches, list) else ()):
        if not isinstance(branch, dict):
            continue
        name = branch.get("name", branch.get("id"))
        if not isinstance(name, str):
            continue
        if name in seen:
            message = f"two branches are called `{name}`; names are the keys of the output."
            yield source.problem((*path, "steps", index, "name"), message)
        seen.add(name)


def content_problems(node: dict[str, Any]) -> Iterator[tuple[KeyPath, str, int]]:
    """What is wrong with the templates, Python and schemas of one node.

    Each with its place below the node, what is wrong, and the line inside that text (0: unknown).
    """
    for place, template in templates_in(node):
        if error := template_problem(template):
            hint = "" if error.next_step == "Correct the template." else f" {error.next_step}"
            yield place, f"{error.what}{hint}", error.line
    for place, source, mode in python_in(node):
        yield from ((place, what, line) for what, line in _python_problems(source, mode))
    for field in SCHEMAS:
        if isinstance(node.get(field), dict):
            for inside, message in schema_problems(node[field]):
                yield (field, *inside), message, 0
    if node.get("kind") == "http":
        yield from _request_problems(node)


def _python_problems(source: str, mode: Literal["eval", "exec"]) -> Iterator[tuple[str, int]]:
    if not source:
        return  # said by the field's own length
    problem = expression_problem(source) if mode == "eval" else body_problem(source)
    if problem:
        yield f"{problem.what}.", problem.line
    elif mode == "eval" and source.startswith("{{"):
        yield "is a Python expression, not a template. Leave the braces out.", 0
    for line, name, attribute in sorted(attributes_of(source, mode, _OBJECTS)):
        if not hasattr(dict, attribute):
            yield f'`{name}.{attribute}` is written `{name}["{attribute}"]` in Python.', line


def _model_problem(model: Any, scripted: list[str]) -> str:
    """What is wrong with a model's id, as far as the file tells."""
    kind, slash, name = str(model).partition("/")
    if kind == "scripted" and slash and name not in scripted:
        known = ", ".join(f"`{script}`" for script in scripted[:20]) or "none"
        return f"there is no script `{cut(name)}` under `scripts`; there are: {known}."
    if kind == "local" and slash and name != SMALL_MODEL and not name.endswith(".gguf"):
        return f"is no offline model. Write local/{SMALL_MODEL}, or local/ and a .gguf file."
    return ""


def _request_problems(node: dict[str, Any]) -> Iterator[tuple[KeyPath, str, int]]:
    url, headers = node.get("url"), node.get("headers")
    beginning = url.split("{")[0] if isinstance(url, str) else ""
    scheme, colon, _ = beginning.partition("://")
    if colon and scheme.strip().lower() not in ("http", "https"):
        yield ("url",), f"the scheme `{scheme}` is not http or https.", 0
    elif beginning == url and beginning and not colon:
        yield ("url",), "has no `https://` or `http://` at its beginning.", 0
    for name in headers if isinstance(headers, dict) else ():
        if str(name).lower() in FRAMING:
            yield ("headers", name), "is not a flow's to set. Take it out.", 0


def _input(source: YamlSource, path: KeyPath, field: Any) -> Iterator[Problem]:
    if not isinstance(field, dict):
        return
    schema = {"type": "string", **field}
    for name in ("default", "required", "description"):
        schema.pop(name, None)
    if schema["type"] not in _INPUT_TYPES:
        return  # said by the field's own type
    problems = list(schema_problems(schema))
    for inside, message in problems:
        if len(inside) > 1:  # else it is said by the field's own type
            yield source.problem((*path, *inside), message)
    if not problems and field.get("default") is not None:
        try:
            check_now(field["default"], schema)
        except SchemaMismatch as error:
            yield source.problem((*path, "default"), f"does not fit the input: {error.what}")

"""A flow's definition: read from YAML with every problem named, frozen as canonical JSON.

`load_flow` and `parse_flow` are the way in from a file; `definition_json` and
`FlowDefinition.model_validate` are the way out to storage and back. Protocol: noukai section 13.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from flowdbg.engine.check_references import check_references
from flowdbg.engine.checks import check_content
from flowdbg.engine.effort import Deadline, TakesLonger
from flowdbg.engine.nodes import Address, FieldName, Model, Node, Schema
from flowdbg.engine.problems import problems_of
from flowdbg.engine.scripts import ScriptedReplies
from flowdbg.engine.templates import due
from flowdbg.engine.yaml_source import YamlSource, load_yaml, read_yaml
from flowdbg.errors import DefinitionError, Problem

MAX_PROBLEMS = 100
"""Most problems of a file that are told at once."""
MAX_SECONDS = 2.0
"""Longest check of a file, in processor time."""


class InputField(Model):
    """One input of a flow: a JSON Schema in the words people use."""

    type: Literal["string", "integer", "number", "boolean", "object", "array"] = "string"
    """JSON type."""
    description: str = ""
    """What people are told when they are asked for it."""
    default: Any = None
    """Value when none is given; an input with a default is not required."""
    required: bool | None = None
    """Whether it must be given; None means: when there is no default."""
    enum: tuple[Any, ...] | None = Field(default=None, min_length=1)
    """The only values allowed."""
    items: Schema | None = None
    """JSON Schema of the items of an array."""
    properties: dict[str, Schema] | None = None
    """JSON Schemas of the members of an object."""

    @property
    def is_required(self) -> bool:
        """Whether a run must give it."""
        return self.default is None if self.required is None else self.required

    def as_schema(self) -> dict[str, Any]:
        """The field as a JSON Schema."""
        return self.model_dump(mode="json", exclude={"required"}, exclude_none=True) | {
            "type": self.type
        }


class FlowDefinition(Model):
    """One version of a flow: its address, inputs and the root sequence of steps."""

    flow: Address
    """`org/project/flow`."""
    name: str = Field(default="", max_length=200)
    """What people read; the address' last part when none is given."""
    description: str = Field(default="", max_length=10_000)
    """What the flow is for."""
    inputs: dict[FieldName, InputField] = Field(default_factory=dict, max_length=100)
    """The flow's global input, in the order people are asked for it."""
    scripts: dict[str, ScriptedReplies] = Field(default_factory=dict, max_length=100)
    """Scripted models of this flow: `scripted/<name>` answers from `scripts.<name>`."""
    steps: tuple[Node, ...] = Field(min_length=1, max_length=1000)
    """The plan: the root sequence's children."""

    @property
    def org(self) -> str:
        """First part of the address."""
        return self.flow.split("/")[0]

    @property
    def project(self) -> str:
        """Second part of the address."""
        return self.flow.split("/")[1]

    @property
    def slug(self) -> str:
        """Last part of the address."""
        return self.flow.split("/")[2]

    @property
    def title(self) -> str:
        """The name, or the slug."""
        return self.name or self.slug

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The inputs as one JSON Schema object; properties keep their order."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: field.as_schema() for name, field in self.inputs.items()},
        }
        required = [name for name, field in self.inputs.items() if field.is_required]
        return schema | ({"required": required} if required else {})


def load_flow(path: Path) -> FlowDefinition:
    """Read a flow file.

    Raises:
        DefinitionError: The file is missing, too large or wrong; every problem is listed.
    """
    return _definition(load_yaml(path))


def parse_flow(text: str, file: str) -> FlowDefinition:
    """Read the text of a flow file; `file` is what problems call it.

    Raises:
        DefinitionError: Every problem found, in the order of the lines.
    """
    return _definition(read_yaml(text, file))


def _definition(source: YamlSource) -> FlowDefinition:
    try:
        definition = FlowDefinition.model_validate_json(source.as_json(), strict=True)
    except ValidationError as error:
        of_fields = problems_of(error, source, FlowDefinition)
        raise DefinitionError(_problems(source, of_fields)) from error
    if problems := _problems(source, ()):
        raise DefinitionError(problems)
    return definition


def _problems(source: YamlSource, of_fields: Iterable[Problem]) -> list[Problem]:
    """Everything that is wrong, in the order of the lines; bounded, whatever the file holds."""
    deadline = Deadline(MAX_SECONDS)
    checks = (check_content(source, deadline), check_references(source, deadline))
    problems: list[Problem] = []
    more = ""
    try:
        with due(deadline):
            found = chain(source.problems, of_fields, *checks)
            problems.extend(islice(found, MAX_PROBLEMS))
            if len(problems) == MAX_PROBLEMS:
                more = f"may have more problems than these {MAX_PROBLEMS}. Correct them first."
    except TakesLonger:  # what was found before stays
        more = f"takes longer than {MAX_SECONDS:g} seconds to check. Make the flow smaller."
    problems.sort(key=lambda problem: problem.line)
    return [*problems, Problem(source.file, 0, "", more)] if more else problems


def definition_json(definition: FlowDefinition) -> dict[str, Any]:
    """The canonical JSON of a definition: what differs from the defaults, in a fixed order.

    `FlowDefinition.model_validate` takes it back; storing it freezes a version.
    """
    return definition.model_dump(mode="json", exclude_defaults=True)

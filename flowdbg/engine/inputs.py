"""A flow's global input (`initial`): message and parameters, with defaults, checked.

Protocol: noukai section 12, points 3, 4 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.errors import InputInvalid
from flowdbg.engine.schemas import SchemaMismatch, check_now


def flow_input(
    definition: FlowDefinition, message: str | None, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """The flow's global input.

    `message` is the input called `message`; where the flow has none, it also stands for the first
    text input. Parameters the flow does not know are kept: templates may read them.

    Raises:
        InputInvalid: A required input is missing (`missing` names it), or one has a wrong value.
    """
    given = dict(parameters)
    if message is not None:
        given.setdefault("message", message)
        if "message" not in definition.inputs:
            first = next((n for n, f in definition.inputs.items() if f.type == "string"), None)
            if first is not None:
                given.setdefault(first, message)
    for name, field in definition.inputs.items():
        if name not in given and field.default is not None:
            given[name] = field.default
    missing = tuple(
        name for name, field in definition.inputs.items() if field.is_required and name not in given
    )
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise InputInvalid(
            f"The flow needs {names}.", "Give it as message or parameter.", missing=missing
        )
    try:
        check_now(given, definition.input_schema)
    except SchemaMismatch as error:
        raise InputInvalid(f"An input is wrong: {error.what}", "Correct it.") from error
    return given

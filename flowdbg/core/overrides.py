"""Edits as people type them on a command line, and back again."""

from __future__ import annotations

from flowdbg.core.inputs import nearest, read_json
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.errors import UsageError


def split_output_override(text: str) -> tuple[str, str]:
    """`STEP=JSON` into the step and the value's text.

    Raises:
        UsageError: There is no `=` or no step.
    """
    step_id, equals, value = text.partition("=")
    if not equals or not step_id:
        raise UsageError(f"'{text}' is not an output override.", "Write STEP=JSON or STEP=@file.")
    return step_id, value


def split_block_override(text: str) -> tuple[str, str, str]:
    """`STEP.FIELD=VALUE` into step, field and the value's text.

    Raises:
        UsageError: The text has another shape.
    """
    name, equals, value = text.partition("=")
    step_id, dot, field = name.rpartition(".")
    if not equals or not dot or not step_id or not field:
        raise UsageError(
            f"'{text}' is not a block override.", "Write STEP.FIELD=VALUE or STEP.FIELD=@file."
        )
    return step_id, field, value


def output_value(text: str, step_id: str) -> JsonText:
    """The value of an output override.

    Raises:
        UsageError: It is not JSON.
    """
    return read_json(text, f"The output given for '{step_id}'")


def block_value(text: str, field: str, step: Step | None) -> JsonText:
    """The value of a block's field: text where the field holds text, else JSON where it is.

    Raises:
        UsageError: The block does not have the field, where its fields are known.
    """
    if step and step.fields and field not in step.fields:
        raise UsageError(f"'{step.id}' has no field '{field}'.", nearest(field, step.fields))
    current = step.config.get(field) if step else None
    if isinstance(current, str):
        return JsonText.of(text)
    value = JsonText(text.strip())
    return JsonText.of(text) if value.problem else value


def known_step(plan: Plan, step_id: str) -> Step | None:
    """The step named, inside containers too; None while the server told no plan.

    Raises:
        UsageError: The plan does not have it.
    """
    step = plan.find(step_id)
    if step is None and plan.told:
        hint = nearest(step_id, (step.id for step in plan.steps))
        raise UsageError(f"The plan has no step '{step_id}'.", hint)
    return step

"""Names in a prompt's `{{ }}` that its step will not find, while somebody types them.

What a step sees: the fields of its input, `initial` (the run's inputs), `outputs` (of earlier
steps) and, inside a loop, `item` and `index`. Where the plan does not tell a part of that, nothing
is said about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Step
from flowdbg.core.session import Session
from flowdbg.present.json_check import TextProblem
from flowdbg.present.skeleton import output_schema
from flowdbg.present.suggest import nearest

_NAME = r"[A-Za-z_][\w-]*"
_OPENING = re.compile(r"\{[{%]")
_PATH = re.compile(rf"-?\s*({_NAME}(?:\s*\.\s*{_NAME})*)")
_TAG = re.compile(rf"-?\s*({_NAME})(?:\s+({_NAME}))?")
_MAKING = ("assign", "capture", "for", "tablerow", "increment", "decrement")
_SILENT = {name: re.compile(rf"\{{%-?\s*end{name}\b") for name in ("raw", "comment")}
_LITERALS = frozenset({"true", "false", "nil", "null", "empty", "blank", "forloop", "tablerowloop"})
_ALWAYS = ("initial", "outputs", "pipeline_input")
_IN_LOOP = ("item", "index")


@dataclass(frozen=True, slots=True)
class Names:
    """What a step's templates can name; None where nobody tells."""

    fields: Collection[str] | None = None
    initial: Collection[str] | None = None
    outputs: Collection[str] | None = None
    in_loop: bool = False


def names_for(session: Session, step_id: str) -> Names:
    """Return what the templates of a step can name, as far as the plan and the run tell."""
    plan = session.plan
    if not plan.told:
        return Names()
    index = next(
        (at for at, step in enumerate(plan.steps) if step.id == step_id or _inside(step, step_id)),
        None,
    )
    if index is None:
        return Names()
    outer = plan.steps[index]
    is_inner = outer.id != step_id
    initial = _properties(plan.inputs)
    return Names(
        fields=None if is_inner else _fields(session, index),
        initial=initial,
        # beside a step in a container stand others, whose outputs it sees too
        outputs=None if is_inner else [step.id for step in plan.steps[:index]],
        in_loop=is_inner,
    )


def template_problem(text: str, names: Names) -> TextProblem | None:
    """Return the first name that the step will not find, with the nearest one that it will."""
    made: set[str] = set()
    for start, is_tag in _tags(text):
        if is_tag:
            tag = _TAG.match(text, start)
            if tag and tag.group(1) in _MAKING and tag.group(2):
                made.add(tag.group(2))
            continue
        printed = _PATH.match(text, start)
        path = [part.strip() for part in printed.group(1).split(".")] if printed else [""]
        if printed is None or path[0] in made or path[0] in _LITERALS:
            continue
        said = _unknown(path, names)
        if said:
            at = printed.start(1)
            line_start = text.rfind("\n", 0, at) + 1
            return TextProblem(text.count("\n", 0, at) + 1, at - line_start + 1, said)
    return None


def _tags(text: str) -> Iterator[tuple[int, bool]]:
    """Yield where the inside of each `{{ }}` and `{% %}` begins, and whether it is a tag.

    What stands in `raw` and `comment` is passed over; what is not closed ends the text.
    """
    at = 0
    while opening := _OPENING.search(text, at):
        is_tag = opening.group() == "{%"
        end = text.find("%}" if is_tag else "}}", opening.end())
        if end < 0:
            return
        yield opening.end(), is_tag
        at = end + 2
        tag = _TAG.match(text, opening.end()) if is_tag else None
        if tag and tag.group(1) in _SILENT:
            closing = _SILENT[tag.group(1)].search(text, at)
            if closing is None:
                return
            at = closing.end()


def _unknown(path: list[str], names: Names) -> str:
    root = path[0]
    below = {"initial": names.initial, "outputs": names.outputs}
    if root in below:
        known = below[root]
        if known is None or len(path) < 2 or path[1] in known:
            return ""
        return _sentence(f"{root}.{path[1]}", [f"{root}.{name}" for name in known])
    if names.fields is None or root in names.fields or root in _ALWAYS:
        return ""
    if root in (names.outputs or ()):  # other servers may know outputs by their step alone
        return ""
    if names.in_loop and root in _IN_LOOP:
        return ""
    return _sentence(root, [*names.fields, *_ALWAYS])


def _sentence(name: str, known: Collection[str]) -> str:
    found = nearest(name, known)
    if found is not None:
        return f"`{{{{ {name} }}}}`: did you mean `{found}`?"
    seen = ", ".join(list(known)[:6])
    return f"`{{{{ {name} }}}}` is not known here; the step sees {seen}"


def _fields(session: Session, index: int) -> Collection[str] | None:
    """The fields of a step's input: as it ran, as it says, or as the step before gives it."""
    step = session.plan.steps[index]
    chosen = step.config.get("input")
    if isinstance(chosen, Mapping) and chosen:
        return list(chosen)
    if index == 0:
        return _properties(session.plan.inputs)
    before = session.plan.steps[index - 1]
    given = session.output_edits.get(before.id) or session.branch.outputs.get(before.id)
    if given is not None:
        return _members(given)
    execution = session.execution(step.id)
    if execution is not None and execution.input is not None:
        return _members(execution.input)
    said = _properties(output_schema(before))
    if said is None and before.kind == "llm" and not output_schema(before):
        return ["text"]
    return said


def _members(value: JsonText) -> Collection[str] | None:
    return None if value.problem or not isinstance(value.value, dict) else list(value.value)


def _properties(schema: Mapping[str, Any]) -> Collection[str] | None:
    properties = schema.get("properties")
    return list(properties) if isinstance(properties, Mapping) and properties else None


def _inside(step: Step, step_id: str) -> bool:
    return any(child.id == step_id or _inside(child, step_id) for child in step.children)

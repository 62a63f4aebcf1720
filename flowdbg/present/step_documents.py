"""What of a step can be edited, with all that is checked while somebody types it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session
from flowdbg.present.code_check import code_problem, reads_as_code
from flowdbg.present.edit_document import EditDocument, block_documents
from flowdbg.present.json_check import SchemaCheck, TextProblem
from flowdbg.present.skeleton import first_output, output_schema
from flowdbg.present.step_view import StepView, step_view
from flowdbg.present.template_names import names_for, template_problem

OUTPUT, BLOCK, TOOLS = "output", "block", "tools"
"""What an edit is of: a step's output, its block, or the answers to its tool calls."""


def output_document(session: Session, view: StepView) -> EditDocument:
    """Return the document of a step's output; a step without one begins with an empty one."""
    step = session.plan.find(view.step_id)
    schema = output_schema(step)
    effective = view.output if view.output is not None else first_output(step)
    original = view.original if view.original is not None else view.output
    check = _checker(schema) if schema else None
    return EditDocument("output", original or JsonText("null"), effective, check)


def documents_of_block(session: Session, view: StepView) -> tuple[EditDocument, ...]:
    """Return the documents of a step's block, one for each field."""
    code = view.config.get("code")
    is_python = isinstance(code, str) and reads_as_code(code)
    return block_documents(
        {name: JsonText.of(value) for name, value in view.config.items()},
        view.block_edits,
        doubts={"code": code_problem} if is_python else {},
        warnings=partial(template_problem, names=names_for(session, view.step_id)),
    )


def why_not_taken(
    session: Session, plane: str, step_id: str, texts: Mapping[str, str]
) -> TextProblem | None:
    """Say what keeps a draft from being taken; None where nothing does.

    `texts` is what was typed, by the title of its document.
    """
    view = step_view(session, step_id)
    documents: Sequence[EditDocument] = ()
    if view is not None and plane == OUTPUT:
        documents = (output_document(session, view),)
    elif view is not None and plane == BLOCK:
        documents = documents_of_block(session, view)
    typed = [(document, texts[document.title]) for document in documents if document.title in texts]
    found = (document.problem(text) or document.doubt(text) for document, text in typed)
    return next((problem for problem in found if problem), None)


def _checker(schema: Mapping[str, Any]) -> SchemaCheck:
    from flowdbg.core.schemas import schema_problems  # noqa: PLC0415 # 60 ms, not for the first frame

    return partial(schema_problems, schema=schema)

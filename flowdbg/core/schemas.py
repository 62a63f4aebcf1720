"""Checking a value against a JSON schema: every problem with its path, in words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from flowdbg.core.events import Path

MOST_PROBLEMS = 50
_NOTHING_ELSE: Registry[Any] = Registry()
"""References to other documents are not followed: a schema must not make us call a server."""


def schema_problems(value: Any, schema: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """What is wrong with a value: where (keys and indexes) and a sentence; empty when nothing is.

    At most 50 problems. Never raises: a schema that cannot be used is itself the one problem.
    """
    try:
        Draft202012Validator.check_schema(dict(schema))
        errors = Draft202012Validator(dict(schema), registry=_NOTHING_ELSE).iter_errors(value)
        return [
            (tuple(error.absolute_path), _sentence(error.message))
            for error in islice(errors, MOST_PROBLEMS)
        ]
    except SchemaError as error:
        return [((), f"the schema itself is wrong: {_sentence(error.message)}")]
    except (Unresolvable, RecursionError, ValueError, TypeError, LookupError) as error:
        return [((), f"the schema cannot be applied: {error}")]


def _sentence(message: str) -> str:
    """The message as it is; it repeats the whole value, so a long one is cut in the middle."""
    return message if len(message) <= 200 else f"{message[:120]} … {message[-70:]}"

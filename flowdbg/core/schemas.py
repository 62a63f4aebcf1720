"""Checking a value against a JSON schema: every problem with its path, in words.

Schemas come from servers, so they are hostile: regular expressions are left out (one can take
for ever), references lead nowhere but into the schema itself, and the work has a budget.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from flowdbg.core.events import Path

MOST_PROBLEMS = 50
MOST_CHECKS = 20_000
"""Keywords that are looked at before the check gives up."""
_PATTERNS = ("pattern", "patternProperties")
_NOTHING_ELSE: Registry[Any] = Registry()

Keyword = Callable[..., Iterator[Any] | None]


class _TooMuchError(Exception):
    """The budget is used up."""


def schema_problems(value: Any, schema: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """What is wrong with a value: where (keys and indexes) and a sentence; empty when nothing is.

    At most 50 problems. Never raises: a schema that cannot be used is itself the one problem.
    """
    try:
        Draft202012Validator.check_schema(dict(schema))
        validator = _bounded_validator()(dict(schema), registry=_NOTHING_ELSE)
        return [
            (tuple(error.absolute_path), _sentence(error.message))
            for error in islice(validator.iter_errors(value), MOST_PROBLEMS)
        ]
    except SchemaError as error:
        return [((), f"the schema itself is wrong: {_sentence(error.message)}")]
    except _TooMuchError:
        return [((), "the schema is too large to be applied here; the server will check")]
    except (Unresolvable, RecursionError, ValueError, TypeError, LookupError) as error:
        return [((), f"the schema cannot be applied: {error}")]


def _bounded_validator() -> Any:
    """A validator class without patterns, whose keywords share one budget."""
    left = MOST_CHECKS

    def bounded(keyword: Keyword) -> Keyword:
        def check(*arguments: Any) -> Iterator[Any] | None:
            nonlocal left
            left -= 1
            if left < 0:
                raise _TooMuchError
            return keyword(*arguments)

        return check

    keywords = {
        name: bounded(keyword)
        for name, keyword in Draft202012Validator.VALIDATORS.items()
        if name not in _PATTERNS
    }
    keywords["uniqueItems"] = bounded(_unique)  # jsonschema compares every pair
    extend: Any = validators.extend  # jsonschema leaves it untyped
    return extend(Draft202012Validator, {**keywords, **dict.fromkeys(_PATTERNS, lambda *_: None)})


def _unique(_validator: Any, wanted: Any, items: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(items, list):
        texts = {json.dumps(item, sort_keys=True) for item in items}
        if len(texts) < len(items):
            yield ValidationError("the items are not all different")


def _sentence(message: str) -> str:
    """The message as it is; it repeats the whole value, so a long one is cut in the middle."""
    return message if len(message) <= 200 else f"{message[:120]} … {message[-70:]}"

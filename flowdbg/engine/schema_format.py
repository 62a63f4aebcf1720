"""Whether what a flow calls a JSON Schema is one, and one that can be used here.

JSON Schema takes words that it does not know for remarks, so a misspelt one checks nothing;
here a word that is almost one of its own is a mistake, and so is a schema without any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from flowdbg.engine.problems import nearest
from flowdbg.engine.yaml_source import KeyPath

MAX_SCHEMA_BYTES = 200_000
"""Largest schema as JSON text."""
MAX_SCHEMA_PARTS = 2000
"""Most objects, lists and list items in one schema; to check a schema itself takes time too."""
MAX_SCHEMA_PROBLEMS = 10
"""Most problems of one schema that are told at once."""
REFUSED = ("$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems")
"""Words of JSON Schema that are not supported."""

_TYPES = "array, boolean, integer, null, number, object, string"
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS = (
    *("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"),
)
_REMARKS = (
    *("$anchor", "$comment", "$id", "$schema", "contentEncoding", "contentMediaType", "default"),
    *("deprecated", "description", "example", "examples", "id", "maxContains", "minContains"),
    *("nullable", "readOnly", "title", "writeOnly"),
)
_WORDS = (*Draft202012Validator.VALIDATORS, *_SCHEMAS_BY_NAME, *_SCHEMAS, *_REMARKS)


def schema_problems(schema: Any) -> Iterator[tuple[KeyPath, str]]:
    """Why a value is not a JSON Schema that can be used here, each with its place inside it."""
    if not isinstance(schema, dict):
        yield (), "is not a JSON Schema object."
        return
    try:
        if len(json.dumps(schema)) > MAX_SCHEMA_BYTES:
            yield (), f"is larger than {MAX_SCHEMA_BYTES:,} bytes."
        elif schema_parts(schema) > MAX_SCHEMA_PARTS:
            yield (), f"has more than {MAX_SCHEMA_PARTS:,} parts."
        else:
            yield from islice(dict.fromkeys(_found(schema)), MAX_SCHEMA_PROBLEMS)
    except (RecursionError, TypeError, ValueError) as error:
        yield (), f"is not a JSON Schema: {error}."


def schema_parts(schema: Any) -> int:
    """How many objects, lists and list items a schema has; the values of an `enum` are free."""
    if isinstance(schema, dict):
        return 1 + sum(
            schema_parts(member) - (_plain(member) if name == "enum" else 0)
            for name, member in schema.items()
        )
    if isinstance(schema, list):
        return 1 + _plain(schema) + sum(map(schema_parts, schema))
    return 0


def _plain(values: Any) -> int:
    """How many items of a list are neither objects nor lists."""
    if not isinstance(values, list):
        return 0
    return sum(not isinstance(item, dict | list) for item in values)


def _found(schema: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    language = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for error in language.iter_errors(schema):
        yield tuple(error.absolute_path), f"is not JSON Schema: {_said(error)}."
    yield from _unknown_words(schema, ())
    yield from _refused_parts(schema, ())


def _said(error: ValidationError) -> str:
    if error.validator == "anyOf" and error.absolute_path and error.absolute_path[-1] == "type":
        close = nearest(str(error.instance), _TYPES.split(", "))
        hint = f" Did you mean `{close}`?" if close else ""
        return f"{str(error.instance)[:80]!r} is no type.{hint} Expected one of: {_TYPES}"
    return error.message[:300]


def _unknown_words(schema: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if not isinstance(schema, dict):
        return
    others = [name for name in schema if name not in _WORDS and not name.startswith("x-")]
    misspelt = {name: close for name in others if (close := nearest(name, _WORDS, 0.75))}
    for name, close in misspelt.items():
        yield (*path, name), f"is no word of JSON Schema. Did you mean `{close}`?"
    if others and len(others) == len(schema) and not misspelt:
        yield path, "has no word of JSON Schema. Write `type: object` and `properties:`."
    for name, value in schema.items():
        if name in _SCHEMAS:
            yield from _unknown_words(value, (*path, name))
        elif (name in _SCHEMAS_BY_NAME and isinstance(value, dict)) or (
            name in _SCHEMA_LISTS and isinstance(value, list)
        ):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from _unknown_words(inner, (*path, name, key))


def _refused_parts(schema: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _refused_parts(item, (*path, index))
    if not isinstance(schema, dict):
        return
    for name in REFUSED:
        if name in schema:
            yield path, f"uses `{name}`, which is not supported."
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        only = "only references inside the schema (`#/…`) are followed"
        yield path, f"refers to {reference[:80]}; {only}."
    for name, value in schema.items():
        yield from _refused_parts(value, (*path, name))

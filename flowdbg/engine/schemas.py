"""Checks values against JSON Schemas that strangers wrote.

What makes a plain validator unsafe: references that fetch from the network, `$ref` and `allOf`
that multiply (a bomb), checks that take long each, and regular expressions that never end. Here
references stay inside the schema, the number of checks and their time are bounded, and patterns
are matched in the sandbox, never in this process.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.exceptions import UnknownType
from referencing import Registry
from referencing.exceptions import Unresolvable

from flowdbg.engine.effort import Compute, Deadline, TakesLonger
from flowdbg.engine.schema_format import REFUSED
from flowdbg.errors import FlowdbgError, SandboxError
from flowdbg.expressions import Sandbox

MAX_CHECKS = 100_000
"""Most keyword checks in one validation."""
MAX_SECONDS = 2.0
"""Most processor time of one look at a value."""
_MATCH = "{text: [p for p in ps if re.search(p, text) is not None] for text, ps in wanted.items()}"
_MAX_ROUNDS = 20

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


class SchemaMismatch(FlowdbgError):
    """A value does not fit its schema; `where` is the dotted path inside the value."""

    def __init__(self, what: str, next_step: str = "", *, where: str = "") -> None:
        super().__init__(what, next_step)
        self.where = where


async def check_value(
    value: Any, schema: Mapping[str, Any], sandbox: Sandbox, compute: Compute
) -> None:
    """Check a JSON value.

    Raises:
        SchemaMismatch: The first thing that does not fit, or the schema asks for too much work.
    """
    check = _Check()
    for _ in range(_MAX_ROUNDS):
        try:
            error = await compute(functools.partial(check.first_error, value, schema), MAX_SECONDS)
        except TakesLonger as slow:
            raise _too_slow() from slow
        if not check.unknown:
            break
        # Patterns were taken as matching; now find out, and look again.
        await check.match_patterns(sandbox)
    else:
        raise SchemaMismatch("The schema's patterns depend on each other too deeply.")
    if error is not None:
        raise _mismatch(error)


def check_now(value: Any, schema: Mapping[str, Any]) -> None:
    """Check a JSON value without waiting; for schemas without `pattern`, which is not looked at.

    Raises:
        SchemaMismatch: As `check_value`.
    """
    try:
        error = _Check().first_error(value, schema, Deadline(MAX_SECONDS))
    except TakesLonger as slow:
        raise _too_slow() from slow
    if error is not None:
        raise _mismatch(error)


def _too_slow() -> SchemaMismatch:
    return SchemaMismatch(f"The schema takes longer than {MAX_SECONDS:g} seconds.")


def _mismatch(error: ValidationError) -> SchemaMismatch:
    where = ".".join(str(part) for part in error.absolute_path)
    place = f"`{where}`" if where else "The value"
    return SchemaMismatch(f"{place}: {error.message[:500]}.", where=where)


class _Check:
    """One validation: its budget and what is known about its patterns."""

    def __init__(self) -> None:
        self._left = 0
        self._deadline = Deadline(0)
        self._known: dict[tuple[str, str], bool] = {}
        self.unknown: set[tuple[str, str]] = set()

    def first_error(
        self, value: Any, schema: Mapping[str, Any], deadline: Deadline
    ) -> ValidationError | None:
        """The first mismatch; None when the value fits."""
        self.unknown = set()
        self._left, self._deadline = MAX_CHECKS, deadline
        token = _current.set(self)
        try:
            return next(_BoundedValidator(schema, registry=Registry()).iter_errors(value), None)
        except Unresolvable as error:
            raise SchemaMismatch(f"The schema refers to something it lacks: {error}.") from error
        except RecursionError as error:
            raise SchemaMismatch("The value or the schema is nested too deep.") from error
        except ArithmeticError as error:
            raise SchemaMismatch(f"The value cannot be checked: {error}.") from error
        except _FAULTS as error:
            raise SchemaMismatch("The schema is not a correct JSON Schema.") from error
        finally:
            _current.reset(token)

    async def match_patterns(self, sandbox: Sandbox) -> None:
        """Find out whether the texts met so far match their patterns."""
        wanted: dict[str, list[str]] = {}
        for pattern, text in self.unknown:
            wanted.setdefault(text, []).append(pattern)
        try:
            matched = await sandbox.run_function(f"import re\nreturn {_MATCH}", {"wanted": wanted})
        except SandboxError as error:
            raise SchemaMismatch(f"A pattern of the schema cannot be used: {error.what}") from error
        for pattern, text in self.unknown:
            self._known[pattern, text] = pattern in matched.get(text, ())

    def spend(self) -> None:
        """Count one check of a keyword or a pattern."""
        self._left -= 1
        if self._left < 0:
            raise SchemaMismatch(f"The schema needs more than {MAX_CHECKS:,} checks.")
        self._deadline.check()

    def matches(self, pattern: str, text: str) -> bool:
        """Whether a text matches; taken as true until it is known."""
        self.spend()
        known = self._known.get((pattern, text))
        if known is None:
            self.unknown.add((pattern, text))
        return known is not False


_current: ContextVar[_Check] = ContextVar("schema_check")


def _counted(check: Keyword) -> Keyword:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        _current.get().spend()
        return check(validator, value, instance, schema)

    return counted


def _pattern(
    _validator: Any, pattern: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _current.get().matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, schema in patterns.items():
        for name, member in instance.items():
            if _current.get().matches(pattern, name):
                yield from validator.descend(member, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """As the library's, which would match the patterns itself, and hang."""
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    matches = _current.get().matches
    extras = [
        name
        for name in instance
        if name not in known and not any(matches(pattern, name) for pattern in patterns)
    ]
    if isinstance(wanted, dict):
        for name in extras:
            yield from validator.descend(instance[name], wanted, path=name)
    elif extras and not wanted:
        names = ", ".join(map(repr, extras[:10]))
        were = "was" if len(extras) == 1 else "were"
        yield ValidationError(f"Additional properties are not allowed ({names} {were} unexpected)")


def _unique_items(
    _validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    """Linear, where the library compares every item with every other."""
    if wanted and isinstance(instance, list):
        texts = [json.dumps(item, sort_keys=True) for item in instance]
        if len(set(texts)) != len(texts):
            yield ValidationError("the items are not all different")


_FAULTS = (AttributeError, LookupError, TypeError, UnknownType, ValueError)
_SAFE: dict[str, Keyword] = {
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "uniqueItems": _unique_items,
}
_BoundedValidator = validators.create(
    Draft202012Validator.META_SCHEMA,
    validators={
        name: _counted(_SAFE.get(name, cast("Keyword", check)))
        for name, check in Draft202012Validator.VALIDATORS.items()
        if name not in REFUSED
    },
    type_checker=Draft202012Validator.TYPE_CHECKER,
)

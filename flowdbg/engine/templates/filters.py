"""The filters a template may use, each bounded in what it takes and what it makes.

The library's filters make ranges of a billion items, join a thousand references to one text, or
raise ten to a billion; so the safe ones are wrapped and the others are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from liquid.builtin.filters import array, math, misc, string
from liquid.exceptions import FilterArgumentError
from liquid.undefined import is_undefined

MAX_TEXT = 1_000_000
"""Longest text a filter takes or makes, in characters."""
MAX_ITEMS = 20_000
"""Longest list a filter takes or makes."""
_MAX_INTEGER = 2**63
_MAX_NUMBER_TEXT = 40

Filter = Callable[..., Any]


def as_text(value: Any) -> str:
    """How a value stands in a text: objects and lists as JSON, nothing for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def to_json(value: Any, indent: Any = None) -> str:
    """The `json` filter: any value as JSON text."""
    if is_undefined(value):
        return str(value)
    steps = indent if isinstance(indent, int) and 0 < indent <= 8 else None
    return json.dumps(value, ensure_ascii=False, indent=steps, default=str)


def join(value: Any, separator: Any = " ") -> str:
    """The items as text with a separator between them."""
    items = value if isinstance(value, list | tuple | range) else [value]
    between = as_text(separator)
    texts: list[str] = []
    size = 0
    for item in items:
        texts.append(as_text(item))
        size += len(texts[-1]) + len(between)
        if size > MAX_TEXT:
            raise _too_large("join")
    return between.join(texts)


def replace(value: Any, old: Any, new: Any = "") -> str:
    """The text with every occurrence of one text replaced by another."""
    text, search, substitute = as_text(value), as_text(old), as_text(new)
    if len(text) + text.count(search) * len(substitute) > MAX_TEXT:
        raise _too_large("replace")
    return text.replace(search, substitute)


def _bounded(name: str, function: Filter) -> Filter:
    """The filter, with its arguments and its result checked."""

    @wraps(function)
    def checked(value: Any, *arguments: Any, **options: Any) -> Any:
        for argument in (value, *arguments):
            _check(name, argument)
        result = function(value, *arguments, **options)
        _check(name, result)
        return result

    return checked


def _numeric(name: str, function: Filter) -> Filter:
    @wraps(function)
    def checked(value: Any, *arguments: Any, **options: Any) -> Any:
        for argument in (value, *arguments):
            if isinstance(argument, str) and len(argument) > _MAX_NUMBER_TEXT:
                raise FilterArgumentError(f"{name} expected a number", token=None)
        try:
            return function(value, *arguments, **options)
        except (ArithmeticError, ValueError) as error:
            raise FilterArgumentError(f"{name}: {error}", token=None) from error

    return checked


def _textual(function: Filter) -> Filter:
    @wraps(function)
    def checked(value: Any, *arguments: Any, **options: Any) -> Any:
        texts = [as_text(item) if isinstance(item, dict | list) else item for item in arguments]
        return function(as_text(value), *texts, **options)

    return checked


def _check(name: str, value: Any) -> None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise _too_large(name)
    elif isinstance(value, list | tuple | range):
        if len(value) > MAX_ITEMS:
            raise _too_large(name)
    elif isinstance(value, int) and abs(value) >= _MAX_INTEGER:
        raise _too_large(name)


def _too_large(name: str) -> FilterArgumentError:
    return FilterArgumentError(f"{name}: the value is too large for a template", token=None)


_NUMERIC: dict[str, Filter] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": math.round_,
    "times": math.times,
}
_TEXTUAL: dict[str, Filter] = {
    "append": string.append,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "escape": string.escape,
    "lstrip": string.lstrip,
    "prepend": string.prepend,
    "remove": string.remove,
    "replace": replace,
    "rstrip": string.rstrip,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_newlines": string.strip_newlines,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "url_encode": string.url_encode,
}
_OTHER: dict[str, Filter] = {
    "compact": array.compact,
    "concat": array.concat,
    "default": misc.default,
    "first": array.first,
    "join": join,
    "json": to_json,
    "last": array.last,
    "map": array.map_,
    "reverse": array.reverse,
    "size": misc.size,
    "slice": string.slice_,
    "sort": array.sort,
    "sum": array.sum_,
    "where": array.where,
}

FILTERS: dict[str, Filter] = {
    **{name: _bounded(name, _numeric(name, function)) for name, function in _NUMERIC.items()},
    **{name: _bounded(name, _textual(function)) for name, function in _TEXTUAL.items()},
    **{name: _bounded(name, function) for name, function in _OTHER.items()},
}
"""Every filter of a template, by name."""

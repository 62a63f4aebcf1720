"""Parses and renders templates; every failure is a `TemplateError` with line and column."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from liquid import Token
from liquid.exceptions import LiquidError, UndefinedError
from liquid.parser import get_parser
from liquid.stream import TokenStream

from flowdbg.engine.effort import Compute, Deadline, TakesLonger
from flowdbg.engine.templates.environment import (
    MAX_SECONDS,
    BoundedTemplate,
    FlowEnvironment,
    current_deadline,
)
from flowdbg.engine.templates.filters import FILTERS
from flowdbg.engine.templates.tokens import single_names, tokens_of
from flowdbg.errors import FlowdbgError

_environment = FlowEnvironment()
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class TemplateError(FlowdbgError):
    """A template does not parse or does not render; `line` and `column` are 1-based, or 0."""

    def __init__(self, what: str, next_step: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(what, next_step)
        self.line = line
        self.column = column


class TemplateTooSlow(TemplateError):
    """A template is not done at its deadline."""

    def __init__(self) -> None:
        super().__init__(
            f"The template is wrong: it took longer than {MAX_SECONDS:g} seconds.",
            "Make it do less.",
        )


class Template:
    """One parsed template."""

    def __init__(self, source: str, fields: Collection[str] = ()) -> None:
        """Parse; `fields` are the names that single braces stand for.

        Raises:
            TemplateError: It does not parse.
        """
        try:
            nodes = get_parser(_environment).parse(TokenStream(_tokens(source, fields)))
        except (LiquidError, *_FAULTS) as error:
            raise _explained(error, source, ()) from error
        self._source = source
        self._bound = BoundedTemplate(_environment, nodes)

    def render(self, names: Mapping[str, Any]) -> str:
        """The text, with `names` as what the template can see.

        Raises:
            TemplateError: A field is missing, a filter fails, or a limit is passed.
        """
        try:
            return self._bound.render(names)
        except TakesLonger as error:
            raise TemplateTooSlow from error
        except (LiquidError, *_FAULTS) as error:
            raise _explained(error, self._source, names) from error

    def unknown_filter(self) -> TemplateError | None:
        """What to say about a filter that does not exist; None when all of them do."""
        for name, spans in self._bound.analyze(include_partials=False).filters.items():
            if name not in FILTERS:
                line, column = _line_and_column(self._source, spans[0].index)
                close = difflib.get_close_matches(name, FILTERS, n=1)
                return TemplateError(
                    f"There is no filter `{name}` (line {line}, column {column}).",
                    f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(FILTERS)}.",
                    line=line,
                    column=column,
                )
        return None

    def paths(self) -> set[tuple[str, ...]]:
        """The paths into given data that the template reads: `("outputs", "draft", "text")`."""
        found = self._bound.analyze(include_partials=False).globals
        return {
            tuple(str(part) for part in variable.segments)
            for variables in found.values()
            for variable in variables
        }


_single_names = lru_cache(maxsize=512)(single_names)


@lru_cache(maxsize=512)
def _parsed(source: str, fields: frozenset[str]) -> Template:
    return Template(source, fields)


@contextmanager
def due(deadline: Deadline) -> Iterator[None]:
    """What is parsed or rendered inside raises `TakesLonger` when its time is over."""
    token = current_deadline.set(deadline)
    try:
        yield
    finally:
        current_deadline.reset(token)


async def render(source: str, names: Mapping[str, Any], compute: Compute) -> str:
    """Render so that a heavy template delays nobody else.

    Raises:
        TemplateError: See `Template`.
    """

    def work(deadline: Deadline) -> str:
        with due(deadline):
            try:
                # Only the fields that matter: a cache that knows all holds what callers send.
                return _parsed(source, _single_names(source).intersection(names)).render(names)
            except TemplateTooSlow as error:
                raise TakesLonger from error

    try:
        return await compute(work, MAX_SECONDS)
    except TakesLonger as error:
        raise TemplateTooSlow from error


def _tokens(source: str, fields: Collection[str]) -> Iterator[Token]:
    """The tokens of a template, one by one as long as there is time."""
    deadline = current_deadline.get()
    for token in tokens_of(source, fields):
        if deadline is not None:
            deadline.check()
        yield token


def template_problem(source: str) -> TemplateError | None:
    """Why a template does not parse; None when it does."""
    try:
        return Template(source).unknown_filter()
    except TemplateError as error:
        return error


def _explained(error: Exception, source: str, names: Collection[str]) -> TemplateError:
    line, column = _position(error, source)
    where = f" (line {line}, column {column})" if line else ""
    if isinstance(error, UndefinedError):
        # The library's text may end in a drawing of the place; the first line says what it is.
        known = ", ".join(sorted(names))
        return TemplateError(
            f"The template needs a field that is not there: {_first_line(error)}{where}.",
            f"Fields there are: {known}." if known else "",
            line=line,
            column=column,
        )
    return TemplateError(
        f"The template is wrong: {_first_line(error)}{where}.",
        "Correct the template.",
        line=line,
        column=column,
    )


def _first_line(error: Exception) -> str:
    message = error.message if isinstance(error, LiquidError) else error
    lines = str(message).strip().splitlines()
    return lines[0][:300].rstrip(".") if lines else type(error).__name__


def _position(error: Exception, source: str) -> tuple[int, int]:
    token = error.token if isinstance(error, LiquidError) else None
    if token is None or token.start_index < 0 or token.source != source:
        return 0, 0
    return _line_and_column(source, token.start_index)


def _line_and_column(source: str, index: int) -> tuple[int, int]:
    before = source[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")

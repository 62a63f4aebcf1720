"""Python source before it runs: does it parse, and how does a function body become a function."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

MAX_SOURCE = 100_000
"""Longest source in characters; also keeps the parser's own stack bounded."""


class SourceProblem(NamedTuple):
    """Why a source cannot run."""

    what: str
    line: int = 0
    """1-based; 0 when it is the whole source."""


def expression_problem(expression: str) -> SourceProblem | None:
    """Why a text is not one Python expression; None when it is. Runs nothing."""
    return _problem(expression.strip(), "eval")


def body_problem(body: str) -> SourceProblem | None:
    """Why a text is not the body of a Python function; None when it is. Runs nothing."""
    return _problem(body, "exec")


def as_function(body: str, name: str) -> str:
    """Python source that defines `name(**fields)` with this body, one line below `def`.

    Lines inside a string that spans lines keep their indentation, because it is part of the
    string.

    Raises:
        SyntaxError: The body does not parse.
    """
    lines = body.split("\n")
    inside = _lines_inside_strings(_parse(body, "exec"))
    indented = [
        line if number in inside or not line.strip() else f" {line}"
        for number, line in enumerate(lines, start=1)
    ]
    return "\n".join([f"def {name}():", *indented, " pass"])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source that is ready to be called as a function."""

    problem: str | None
    """Why it cannot be; the rest is empty then."""
    names: frozenset[str] = frozenset()
    """The names it reads or writes anywhere."""
    function: str = ""
    """The source of the function, with empty parentheses behind its name; one line below `def`."""


@lru_cache(maxsize=128)
def prepared(source: str, mode: Literal["eval", "exec"], name: str) -> Prepared:
    """Get an expression or a body ready, once: it takes a while for a long one."""
    source = source.strip() if mode == "eval" else source
    if problem := _problem(source, mode):
        return Prepared(problem.what)
    if mode == "eval":
        # Nothing is indented: inside parentheses indentation has no meaning.
        function = f"def {name}():\n return (\n{source}\n )"
    else:
        function = as_function(source, name)
    return Prepared(None, frozenset(names_read(source, mode)), function)


def names_read(source: str, mode: Literal["eval", "exec"]) -> set[str]:
    """The names a source reads or writes anywhere; empty when it does not parse."""
    return {node.id for node in _nodes(source, mode) if isinstance(node, ast.Name)}


def constant_subscripts(source: str, mode: Literal["eval", "exec"]) -> set[tuple[str, str]]:
    """Names and the constant keys they are read with: `("outputs", "a")` for `outputs["a"].text`.

    Empty when the source does not parse.
    """
    return {
        (node.value.id, node.slice.value)
        for node in _nodes(source, mode)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }


def attributes_of(
    source: str, mode: Literal["eval", "exec"], names: Collection[str]
) -> set[tuple[int, str, str]]:
    """Attributes that the source reads of some names: line, name and attribute."""
    if not any(f"{name}." in source for name in names):
        return set()  # without parsing it once more
    return {
        (node.lineno, node.value.id, node.attr)
        for node in _nodes(source, mode)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
    }


def _nodes(source: str, mode: Literal["eval", "exec"]) -> Iterator[ast.AST]:
    try:
        return ast.walk(_parse(source, mode))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return iter(())


def _problem(source: str, mode: Literal["eval", "exec"]) -> SourceProblem | None:
    if not source.strip():
        return SourceProblem("is empty")
    if len(source) > MAX_SOURCE:
        return SourceProblem(f"is longer than {MAX_SOURCE:,} characters")
    try:
        _parse(source, mode)
    except SyntaxError as error:
        where = f" (line {error.lineno}, column {error.offset})" if error.offset else ""
        return SourceProblem(f"does not parse: {error.msg}{where}", error.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as error:
        return SourceProblem(f"does not parse: {str(error) or 'nested too deep'}")
    return None


def _parse(source: str, mode: Literal["eval", "exec"]) -> ast.AST:
    with warnings.catch_warnings():
        # A doubtful escape such as "\d" is the author's business, not this program's.
        warnings.simplefilter("ignore")
        return ast.parse(source, mode=mode)


def _lines_inside_strings(tree: ast.AST) -> set[int]:
    inside: set[int] = set()
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if is_text and isinstance(node, ast.expr) and node.end_lineno is not None:
            inside.update(range(node.lineno + 1, node.end_lineno + 1))
    return inside

"""Python source before it runs."""

from __future__ import annotations

import pytest

from flowdbg.expressions import body_problem, expression_problem
from flowdbg.expressions.source import as_function, constant_subscripts, names_read


@pytest.mark.parametrize("text", ["1 + 1", " x > 2 ", "[a for a in b]", "x == '''a\nb'''", "\n1\n"])
def test_an_expression_that_parses_has_no_problem(text: str) -> None:
    assert expression_problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("1 +", "does not parse"),
        ("x = 1", "does not parse"),
        ("import os", "does not parse"),
        ("1) or (2", "does not parse"),
        ("while True: pass", "does not parse"),
        ("\0", "does not parse"),
        ("(" * 500, "does not parse"),
        ("x" * 100_001, "longer than"),
    ],
    ids=lambda value: value[:20],
)
def test_a_text_that_is_no_expression_is_explained(text: str, words: str) -> None:
    problem = expression_problem(text)
    assert problem
    assert words in problem.what


def test_a_doubtful_escape_is_no_problem_and_no_warning() -> None:
    assert expression_problem(r"'\d'") is None


def test_a_body_may_return_and_an_expression_may_not_be_deeper_than_the_parser_stands() -> None:
    assert body_problem("return {'a': 1}") is None
    problem = body_problem("n = 1\nreturn {")
    assert problem
    assert problem.line == 2
    assert str(body_problem("-" * 90_000 + "1") or "does not parse").count("does not parse") == 1


def test_lines_inside_a_text_keep_their_indentation() -> None:
    source = as_function("text = '''one\n  two\n'''\nreturn text", "step")
    namespace: dict[str, object] = {}
    exec(source, namespace)
    step = namespace["step"]
    assert callable(step)
    assert step() == "one\n  two\n"


def test_lines_inside_a_formatted_text_keep_their_indentation() -> None:
    source = as_function("n = 1\nreturn f'''{n}\n  {n + 1}\n'''", "step")
    namespace: dict[str, object] = {}
    exec(source, namespace)
    step = namespace["step"]
    assert callable(step)
    assert step() == "1\n  2\n"


def test_names_and_constant_keys_are_found_wherever_they_stand() -> None:
    assert names_read("[x for x in items if x > limit]", "eval") == {"x", "items", "limit"}
    body = "a = outputs['draft']['text']\nreturn {'b': outputs[name], 'c': initial['x']}"
    assert constant_subscripts(body, "exec") == {("outputs", "draft"), ("initial", "x")}


def test_a_source_that_does_not_parse_reads_nothing() -> None:
    assert names_read("1 +", "eval") == set()
    assert constant_subscripts("return {", "exec") == set()

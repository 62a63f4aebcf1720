"""What is said about prompts and code while they are typed, and when that stops an edit."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import OutputEdited, PlanLoaded
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session
from flowdbg.present.code_check import LONGEST, code_problem, reads_as_code
from flowdbg.present.edit_document import EditDocument, block_documents
from flowdbg.present.editor_state import EditorState, Refusal
from flowdbg.present.json_check import TextProblem
from flowdbg.present.step_documents import BLOCK, OUTPUT, why_not_taken
from flowdbg.present.template_names import Names, names_for, template_problem
from tests.present.sessions import session_of

FLOW = Plan(
    (
        Step("read", "Read", "code", {"code": "return {'document': message}"}),
        Step("sort", "Sort", "llm", {"prompt": "{{ document }}", "model": "m"}),
        Step("each", "Each", "loop", children=(Step("note", "Note", "llm", {"prompt": "x"}),)),
        Step("bill", "Bill", "llm", {"prompt": "x", "input": {"total": "outputs.sort.text"}}),
    ),
    inputs={"properties": {"message": {"type": "string"}, "tone": {"type": "string"}}},
    told=True,
)


def on_flow(document: str = '{"document":"d"}') -> Session:
    return session_of(PlanLoaded(FLOW), OutputEdited("read", JsonText(document)))


def said(text: str, step: str = "sort") -> str:
    found = template_problem(text, names_for(on_flow(), step))
    return str(found) if found else ""


def test_a_misspelt_name_is_said_with_the_nearest_field_and_its_place() -> None:
    assert said("Sort\n this: {{ docment }}") == (
        "line 2, column 11: `{{ docment }}`: did you mean `document`?"
    )
    assert said("{{ initial.tne }}").endswith("did you mean `initial.tone`?")
    assert said("{{ outputs.raed.x }}").endswith("did you mean `outputs.read`?")
    assert "the step sees document, initial" in said("{{ quite_else }}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ document }} {{- document | upcase -}} {{ document.title }} {{ document[0] }}",
        "{{ initial.message }} {{ pipeline_input }} {{ outputs.read.document }} {{ outputs }}",
        "{% assign x = 1 %}{{ x }} {% for y in document %}{{ y.z }}{{ forloop.index }}{% endfor %}",
        "{% raw %}{{ docment }}{% endraw %} {% comment %}{{ docment }}{% endcomment %}",
        '{{ "a string" }} {{ 12 }} {{ true }} {{ }} {{',
        "{{ read.document }}",
        "no names at all",
    ],
)
def test_names_that_the_step_sees_are_passed_over(text: str) -> None:
    assert said(text) == ""


def test_a_step_sees_what_it_says_that_it_reads() -> None:
    assert said("{{ total }}", "bill") == ""
    assert said("{{ totl }}", "bill").endswith("did you mean `total`?")


def test_nothing_is_said_where_the_plan_does_not_tell() -> None:
    assert said("{{ anything }} {{ item }} {{ index }}", "note") == ""
    assert template_problem("{{ anything }}", names_for(session_of(), "final")) is None
    assert template_problem("{{ anything }}", Names()) is None


def test_what_the_run_gave_counts_more_than_what_the_plan_says() -> None:
    ran = on_flow('{"letter":"x"}')
    assert template_problem("{{ letter }}", names_for(ran, "sort")) is None
    found = template_problem("{{ leter }}", names_for(ran, "sort"))
    assert found is not None
    assert "`letter`" in found.message


@given(st.text(alphabet="{}% -|.aif\n[]\"'#", max_size=60))
def test_no_template_text_breaks_the_check(text: str) -> None:
    template_problem(text, Names(["a"], ["a"], ["a"]))


@pytest.mark.parametrize("text", ["{{ ", "{%raw", "{{ a.", "{% comment %}"])
def test_a_long_template_that_is_never_closed_names_nothing(text: str) -> None:
    assert template_problem(text * 20_000, Names(["b"], ["b"], ["b"])) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("return {'a': 1", (1, 8)),
        ("x = 1\nif x\n  return x", (2, 5)),
        ("x = = 1", (1, 5)),
    ],
)
def test_a_syntax_error_has_its_line_and_column(text: str, place: tuple[int, int]) -> None:
    found = code_problem(text)
    assert found is not None
    assert (found.line, found.column) == place
    assert found.message


def test_the_body_of_a_function_is_code() -> None:
    assert code_problem("total = 0\nfor x in xs:\n    total += x\nreturn {'total': total}") is None
    assert code_problem("") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert code_problem(r"return re.match('\d', text)") is None


@pytest.mark.parametrize("opening", ["(", "[", "{", "-", "not ", "x.y(", "lambda: ", "f(*"])
def test_deep_nesting_is_said_and_never_raised(opening: str) -> None:
    text = opening * (LONGEST // len(opening) - 10)
    assert code_problem(text) is not None
    assert code_problem(text + "1" + ")" * 5) is not None


@given(st.text(max_size=80))
def test_no_text_breaks_the_check_of_code(text: str) -> None:
    code_problem(text)


def test_very_long_code_is_not_checked() -> None:
    assert code_problem("(" * (LONGEST + 1)) is None


def test_another_language_is_not_checked_as_python() -> None:
    assert reads_as_code("return {'a': 1}")
    assert not reads_as_code("const a = () => { return 1; };")


def test_a_doubt_is_refused_once_and_taken_when_insisted_on() -> None:
    (document,) = block_documents(
        {"code": JsonText('"return 1"')}, {}, doubts={"code": code_problem}
    )
    state = EditorState([document])
    state.type("return (")
    first = state.results()
    assert isinstance(first, Refusal)
    assert first.may_insist
    assert (first.problem.line, first.problem.column) == (1, 8)
    state.type("return ((")
    assert isinstance(state.results(), Refusal)
    assert state.results() == {"code": JsonText('"return (("')}


def test_a_warning_keeps_nobody_from_applying() -> None:
    warn = TextProblem(1, 1, "hm")
    (document,) = block_documents({"prompt": JsonText('"x"')}, {}, warnings=lambda _: warn)
    state = EditorState([document])
    state.type("y")
    assert (state.problem(), state.doubt(), state.warning()) == (None, None, warn)
    assert state.results() == {"prompt": JsonText('"y"')}


def test_prompts_are_coloured_as_markdown_and_templates_code_is_plain() -> None:
    texts = {name: JsonText('"a text"') for name in ("prompt", "url", "code")}
    found = {item.title: EditorState([item]).language for item in block_documents({**texts}, {})}
    assert found == {"prompt": "markdown", "url": "template", "code": ""}
    number = EditDocument("temperature", JsonText("1"), JsonText("1"))
    assert EditorState([number]).language == "json"


def test_a_draft_says_what_keeps_it_from_being_taken() -> None:
    session = on_flow('{"document":[1]}')
    found = why_not_taken(session, OUTPUT, "read", {"output": '{"document": '})
    assert found is not None
    assert (found.line, found.column) == (1, 14)
    assert why_not_taken(session, OUTPUT, "read", {"output": "{}"}) is None
    assert why_not_taken(session, BLOCK, "read", {"code": "return ("}) is not None
    assert why_not_taken(session, BLOCK, "gone", {"code": "return ("}) is None

"""Templates: what they write, how they fail, and that nothing in them is dear or dangerous."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.engine.effort import Effort
from flowdbg.engine.templates import Template, TemplateError, render, template_problem
from flowdbg.engine.templates.template import _parsed

NAMES: dict[str, Any] = {
    "name": "Ada",
    "count": 3,
    "yes": True,
    "nothing": None,
    "order": {"id": 7, "lines": [1, {"b": "é"}]},
    "words": ["x", "y"],
    "initial": {"q": "why?", "limit": 5, "for": "me"},
    "outputs": {"step-1": {"text": "T"}},
    "partial": "P",
    "limit": 9,
    "evil": "{{ name }}{% for i in (1..9) %}x{% endfor %}{name}",
}


def text(source: str, names: dict[str, Any] | None = None) -> str:
    used = NAMES if names is None else names
    return Template(source, frozenset(used)).render(used)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hi {{ name }}!", "Hi Ada!"),
        ("Hi {name}!", "Hi Ada!"),
        ("{unknown} {} {1} {a b}", "{unknown} {} {1} {a b}"),
        ('{"text": "{name}"}', '{"text": "Ada"}'),
        ("{{ initial.q }} {initial.q}", "why? why?"),
        ("{{ outputs.step-1.text }}{outputs.step-1.text}", "TT"),
        ("{{ order }} {{ words }}", '{"id": 7, "lines": [1, {"b": "é"}]} ["x", "y"]'),
        ("{{ yes }} {{ nothing }}|{{ count }}", "true |3"),
        ("{{ words | join: ', ' | upcase }}", "X, Y"),
        ("{{ words | json: 2 }}", '[\n  "x",\n  "y"\n]'),
        ("{% for w in words %}{{ forloop.index }}{{ w }}"
         "{% unless forloop.last %},{% endunless %}{% endfor %}", "1x,2y"),
        ("{% if count > 2 and yes %}many{% elsif count == 1 %}one{% else %}few{% endif %}", "many"),
        ("{% if missing %}x{% else %}y{% endif %}", "y"),
        ("{{ missing | default: 'd' }} {{ order.missing | default: 'e' }}", "d e"),
        ("{% assign a = name | append: '!' %}{{ a }}", "Ada!"),
        ("{% capture a %}<{{ name }}>{% endcapture %}{{ a }}", "<Ada>"),
        ("{% case count %}{% when 3 %}three{% else %}?{% endcase %}", "three"),
        ("{% raw %}{name} {{ name }}{% endraw %}", "{name} {{ name }}"),
        ("a{% comment %} {{ broken {% endcomment %}b{% # note %}c", "abc"),
        ("  {{- name -}}  x", "Adax"),
        ("  {%- if yes -%}  y  {%- endif -%}  z", "yz"),
        ("{{ partial }}", "P"),
        ("{{ limit }} {limit} {{ initial.limit }} {initial.limit} {{ initial.for }}", "9 9 5 5 me"),
        ("{% for i in (1..initial.limit) %}{{ i }}{% endfor %}", "12345"),
        ("{{ 'initial.limit' }}", "initial.limit"),
        ("{{ name | replace: 'A', 'I' | slice: 0, 2 }}", "Id"),
        ("{{ '7' | plus: 1 }} {{ 7 | divided_by: 2 }} {{ 1.55 | round: 1 }}", "8 3 1.6"),
        ("{{ words.size }} {{ words[0] }} {{ words | last }} {{ order.lines[1].b }}", "2 x y é"),
        ("no tags at all } }} %} {", "no tags at all } }} %} {"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_template_writes_what_it_says(source: str, expected: str) -> None:
    assert text(source) == expected


def test_a_value_is_never_read_as_a_template() -> None:
    assert text("{{ evil }}|{evil}") == f"{NAMES['evil']}|{NAMES['evil']}"


@pytest.mark.parametrize(
    ("source", "said", "line", "column"),
    [
        ("a\nb {{ nope }}", "'nope' is undefined (line 2, column 6)", 2, 6),
        ("{{ order.zz }}", "order.zz is undefined", 1, 4),
        ("{{ nope.deep }}", "'nope' is undefined", 1, 4),
        ("{% for x in nope %}{% endfor %}", "'nope' is undefined", 1, 13),
        ("x {{ name", "`{{` has no `}}` after it (line 1, column 3)", 1, 3),
        ("{% if yes", "`{%` has no `%}` after it", 1, 1),
        ("{% if yes %}x", "", 1, 0),
        ("{%%}", "has no tag name", 1, 1),
        ("{% nope %}", "unexpected tag 'nope'", 1, 4),
        ("{% include 'x' %}", "unexpected tag 'include'", 1, 4),
        ("{% render 'x' %}", "unexpected tag 'render'", 1, 4),
        ("{% raw %}x", "`{% raw %}` has no `{% endraw %}` after it", 1, 1),
        ("{{ name | nope }}", "unknown filter 'nope'", 1, 11),
        ("{{ name | date: '%Y' }}", "unknown filter 'date'", 1, 11),
        ("{{ count | divided_by: 0 }}", "can't divide by 0", 1, 12),
        ("{{ name | split }}", "", 1, 11),
        ("{{ words | join: ', ', 3, 4 }}", "", 0, 0),
    ],
)  # fmt: skip
def test_a_failure_says_where_and_why(source: str, said: str, line: int, column: int) -> None:
    with pytest.raises(TemplateError) as caught:
        text(source)
    assert said in str(caught.value)
    if line and column:
        assert (caught.value.line, caught.value.column) == (line, column)


def test_a_missing_field_lists_the_fields_there_are() -> None:
    with pytest.raises(TemplateError, match=r"Fields there are: a, b\."):
        text("{{ c }}", {"b": 1, "a": 2})


ATTACKS = {
    "python attributes": "{{ name.__class__.__mro__ }}",
    "python attributes of an object": "{{ order.__class__.__init__.__globals__ }}",
    "methods": "{{ words.append }}",
    "a loop of a billion": "{% for i in (1..1000000000) %}x{% endfor %}",
    "nested loops": "{% for a in (1..300) %}{% for b in (1..300) %}{% for c in (1..300) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "a range as text": "{{ (1..1000000000) | join }}",
    "a range as list": "{{ (1..1000000000) | reverse | first }}",
    "doubling text": "{% assign x = 'aaaaaaaaaa' %}{% for i in (1..100) %}"
    "{% assign x = x | append: x %}{% endfor %}",
    "doubling a list": "{% assign y = words %}{% for i in (1..100) %}"
    "{% assign y = y | concat: y %}{% endfor %}",
    "a list joined": "{% assign big = 'x' %}{% for i in (1..16) %}"
    "{% assign big = big | append: big %}{% endfor %}"
    "{% assign y = big | split: '~' %}{% for i in (1..10) %}"
    "{% assign y = y | concat: y %}{% endfor %}{{ y | join }}",
    "replacing into itself": "{% assign big = 'xxxxxxxxxx' %}{% for i in (1..12) %}"
    "{% assign big = big | append: big %}{% endfor %}{{ big | replace: 'x', big }}",
    "a large output": "{% for i in (1..90000) %}{{ order }}{% endfor %}",
    "a large capture": "{% capture z %}{% for i in (1..90000) %}xxxxxxxxxxxxxxx{% endfor %}"
    "{% endcapture %}",
    "a huge number": "{{ 99999999999 | times: 99999999999 }}",
    "a huge exponent": "{{ '1e999999999' | ceil }}",
    "a long number": "{{ '" + "9" * 500 + "' | plus: 1 }}",
    "many spaces": "{{" + " " * 50_000,
    "many spaces in a tag": "{%" + " " * 50_000 + "%}",
    "a long tag": "{{ " + "x" * 5_000 + " }}",
    "unclosed raw": "{% raw %}" * 9_000,
    "deep blocks": "{% if yes %}" * 100 + "{% endif %}" * 100,
    "deep paths": "{{ " + "a[" * 200 + "1" + "]" * 200 + " }}",
    "slow comparisons": "{% for i in (1..100000) %}{% if wide == other %}{% endif %}{% endfor %}",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_a_template_error(attack: str) -> None:
    # The last attack compares two large equal values a hundred thousand times.
    wide = {"wide": list(range(20_000)), "other": list(range(20_000))}
    with pytest.raises(TemplateError):
        text(ATTACKS[attack], {**NAMES, **wide})


@given(st.text(alphabet="{}%- |.:'\"ainfor01\n", max_size=80))
def test_any_text_renders_or_is_a_template_error(source: str) -> None:
    try:
        rendered = text(source)
    except TemplateError:
        return
    assert isinstance(rendered, str)


@given(st.text(st.characters(exclude_characters="{")))
def test_text_without_a_brace_is_written_as_it_is(source: str) -> None:
    assert text(source) == source


@given(st.text(), st.text())
def test_a_value_is_written_as_it_is(before: str, value: str) -> None:
    assert text("[{{ v }}|{v}]", {"v": value}) == f"[{value}|{value}]"


async def test_rendering_off_the_loop_gives_the_same() -> None:
    compute = Effort().of_a_run()
    assert await render("Hi {name}", NAMES, compute) == "Hi Ada"
    with pytest.raises(TemplateError):
        await render("{{ nope }}", NAMES, compute)


async def test_a_heavy_template_gives_the_same_and_leaves_the_loop_to_others() -> None:
    heavy = "{% for i in (1..300) %}{% for j in (1..100) %}{{ j }}{% endfor %}{% endfor %}"
    compute = Effort().of_a_run()
    rendering = asyncio.create_task(render(heavy, NAMES, compute))
    turns = 0
    while not rendering.done():
        await asyncio.sleep(0)
        turns += 1
    assert rendering.result() == "".join(map(str, range(1, 101))) * 300
    assert turns > 2
    long = "{{ name }}" * 9000
    assert await render(long, NAMES, compute) == "Ada" * 9000


async def test_what_callers_send_is_not_remembered_with_a_template() -> None:
    """Templates are parsed once for the fields they name, whatever else there is."""
    compute = Effort().of_a_run()
    before = _parsed.cache_info().currsize
    for number in range(50):
        fields = {f"field {number}": 1, "who": "Ada"}
        assert await render("Hi {who}, {nobody}", fields, compute) == "Hi Ada, {nobody}"
    assert await render("Hi {who}, {nobody}", {"nobody": 3}, compute) == "Hi {who}, 3"
    assert _parsed.cache_info().currsize <= before + 2


async def test_a_template_that_takes_too_long_is_an_error() -> None:
    line = "{% for j in (1..90000) %}{{ wide | join | size }}{% endfor %}"
    with pytest.raises(TemplateError, match="longer than 1 second"):
        await render(line, {"wide": ["x"] * 9000}, Effort().of_a_run())


def test_the_paths_a_template_reads_are_known() -> None:
    source = "{{ a.b.c }}{% for i in outputs.st-1.items %}{{ i.x }}{{ outputs['q'].z }}{% endfor %}"
    assert Template(source + "{single.x}", {"single"}).paths() == {
        ("a", "b", "c"), ("outputs", "st-1", "items"), ("outputs", "q", "z"), ("single", "x"),
    }  # fmt: skip


def test_a_template_that_parses_has_no_problem() -> None:
    assert template_problem("{{ anything }}") is None
    assert template_problem("{{ anything") is not None


def test_a_tag_of_nested_brackets_is_refused_before_it_is_looked_into() -> None:
    problem = template_problem("{{ a" + "[b" * 200 + "]" * 200 + " }}")
    assert problem
    assert "more than 30 brackets" in problem.what
    assert template_problem("{{ a[b[c['d']]][0].e }}") is None


def test_a_filter_that_does_not_exist_is_a_problem_with_its_place() -> None:
    problem = template_problem("Dear\n{{ name | uppercase }}")
    assert problem
    assert (problem.line, problem.column) == (2, 11)
    assert "Did you mean `upcase`?" in str(problem)

"""YAML as plain JSON values, bounded."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flowdbg.engine.yaml_source import MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES, dotted, read_yaml
from flowdbg.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: -0x1F", {"a": "-0x1F"}),
        ("a: 0x1F", {"a": 31}),
        ("a: 1.5e3", {"a": 1500.0}),
        ("a: .5", {"a": 0.5}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 1e999", {"a": "1e999"}),
        ("a: yes", {"a": "yes"}),
        ("a: on", {"a": "on"}),
        ("a: True", {"a": True}),
        ("a:", {"a": None}),
        ("a: ~", {"a": None}),
        ("a: '1'", {"a": "1"}),
        ('a: "\\u00e9"', {"a": "é"}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("- [1, [2]]\n- {b: c}", [[1, [2]], {"b": "c"}]),
        ("", None),
        ("# nothing\n", None),
        ("text", "text"),
        ("1: one\ntrue: two", {"1": "one", "true": "two"}),
    ],
)
def test_scalars_follow_the_core_schema_and_nothing_else(text: str, value: Any) -> None:
    assert read_yaml(text, "f").value == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: *x", "f:1: a: has an anchor or alias"),
        ("a: *x", "f:1: a: has an anchor or alias"),
        ("*x", "has an anchor or alias"),
        ("a: &x {b: 1}", "has an anchor or alias"),
        ("{a: 1}: x", "has a key that is not text"),
        ("[a]: x", "has a key that is not text"),
        ("a: 1\n---\nb: 2", "has a second document"),
        ("a: [", "is not YAML"),
        ("a: 'x", "is not YAML"),
        ("\ta: 1", "is not YAML"),
        ("a: \0", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("%YAML 3.0\n---\na", "is not YAML"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH}"),
        ("[" * 100_000, "nested deeper than"),
        ("- " * 5_000 + "x", "nested deeper than"),
        ("[" + "1," * (MAX_NODES + 1) + "]", f"more than {MAX_NODES:,} values"),
        ("a: " + "x" * MAX_FILE_BYTES, "larger than 1,000,000 bytes"),
        ("a: " + "é" * (MAX_FILE_BYTES // 2), "larger than 1,000,000 bytes"),
        ("a: !" + "x" * 900_000, "a tag is longer than 200 characters"),
        ("a: !<" + "x" * 900_000 + "> b", "a tag is longer than 200 characters"),
        ("!" * 900_000, "a tag is longer than 200 characters"),
        ("a: " + "9" * 500, None),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_what_is_hostile_or_ambiguous_is_refused_with_its_place(
    text: str, said: str | None
) -> None:
    if said is None:
        assert read_yaml(text, "f").value == {"a": "9" * 500}
        return
    with pytest.raises(DefinitionError) as caught:
        read_yaml(text, "f")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<<: {a: 1}\n<<: {b: 2}", ["f:2: <<: is there twice. Keep one of them."]),
        ("a: 1\na: 2\nb: !!int 3", ["f:2: a: is there twice. Keep one of them.",
         "f:3: b: has the tag tag:yaml.org,2002:int. Write a plain value."]),
        ("a: !!python/object/apply:os.system [x]", ["f:1: a: has the tag tag:yaml.org,2002:python"
         "/object/apply:os.system. Write a plain value."]),
    ],
)  # fmt: skip
def test_what_does_not_keep_the_rest_from_being_read_is_told_beside_it(
    text: str, said: list[str]
) -> None:
    assert [str(problem) for problem in read_yaml(text, "f").problems] == said


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 10)]
    with pytest.raises(DefinitionError, match="f:1: a0: has an anchor"):
        read_yaml("\n".join(lines), "f")


def test_every_value_and_key_knows_its_line() -> None:
    source = read_yaml("a:\n  - b: 1\n\n    c:\n      - 2\n      - 3\n", "f")
    assert source.line(("a",)) == 1
    assert source.line(("a", 0, "b")) == 2
    assert source.line(("a", 0, "c")) == 4
    assert source.line(("a", 0, "c", 1)) == 6
    assert source.line(("a", 0, "missing")) == 2
    assert source.line(("nothing",)) == 1


def test_places_are_written_as_people_write_them() -> None:
    assert dotted(("steps", 2, "prompt")) == "steps[2].prompt"
    assert dotted(()) == ""


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\ufeff", exclude_categories=["Cc"])),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(plain)
def test_what_a_yaml_writer_writes_is_read_back(value: Any) -> None:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    stream = io.StringIO()
    # A copy without shared objects, for which the writer would use aliases.
    writer.representer.ignore_aliases = lambda _data: True
    writer.dump(value, stream)
    assert read_yaml(stream.getvalue(), "f").value == value


pieces = st.sampled_from(
    ["a", "b: ", "- ", "? ", ": ", "\n", "\n  ", "\n    ", "\t", "{", "}", "[", "]", ", ", "'", '"',
     "|\n", ">-\n", "#", "&x ", "*x", "!t ", "!<", ">", "%41", "%TAG ! x\n", "---\n", "...\n", "\\",
     "\r", "0x1F", "1e9", "~", "\ufeff", "\x85", "\u2028", "\0", "\ud800", "@", "`", "<<: "]
)  # fmt: skip


@given(st.text(max_size=300) | st.lists(pieces, max_size=60).map("".join))
def test_any_text_is_a_value_or_a_definition_error(text: str) -> None:
    try:
        source = read_yaml(text, "f")
    except DefinitionError:
        return
    json.loads(source.as_json())

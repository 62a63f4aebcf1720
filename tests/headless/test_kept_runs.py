"""Runs that wait for a person are kept whole: what a server sent to be echoed stays as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall
from flowdbg.dialects.whole_runs import Paused, RunRequest
from flowdbg.errors import UsageError
from flowdbg.headless.kept_runs import KeptRun, from_text, to_text

PAUSED = Paused(
    "e",
    "s",
    (ToolCall("c1", "look", JsonText('{"n": 1.10}')),),
    JsonText('[ {"role":"assistant", "n": 1.10, "n": 2.20} ]'),
    JsonText('{"one": {"big": 123456789012345678901234567890, "odd": 1E+2}}'),
    3,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=6), values, max_size=4)


@given(parameters=objects, blocks=st.dictionaries(st.text(max_size=5), objects, max_size=3))
def test_any_kept_run_comes_back(
    parameters: dict[str, Any], blocks: dict[str, dict[str, Any]]
) -> None:
    edits = {
        step: {name: JsonText.of(value) for name, value in fields.items()}
        for step, fields in blocks.items()
    }
    request = RunRequest(parameters=JsonText.of(parameters), block_edits=edits)
    kept = KeptRun("u", "p", "a/b/c", 0, request)
    assert from_text(to_text(kept, PAUSED)) == (kept, PAUSED)


def test_a_kept_run_comes_back_whole() -> None:
    request = RunRequest(
        parameters=JsonText('{"n": 1.10}'),
        block_edits={"s": {"model": JsonText('"x"')}},
        attachments=[{"kind": "url", "url": "https://a.example/b.png", "mime_type": "image/png"}],
        tools=JsonText("[ 1 ]"),
        tool_choice=JsonText('"auto"'),
        trace=True,
    )
    kept = KeptRun("http://u/api/v1", "", "a/b/c", None, request)
    text = to_text(kept, PAUSED)
    assert from_text(text) == (kept, PAUSED)
    assert json.loads(text)["flow"] == "a/b/c"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"body":{}}', '{"body":1,"toolCalls":[]}'])
def test_what_is_no_kept_run_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no paused run"):
        from_text(text)

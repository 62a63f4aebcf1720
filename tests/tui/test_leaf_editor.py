"""One leaf in one line: what is opened and applied without a change is what it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from flowdbg.tui.widgets.leaf_editor import LeafEditor
from tests.tui.showing import showing
from tests.tui.test_hostile_rows import examples, hostile

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | hostile


async def test_a_leaf_that_is_applied_without_a_change_is_what_it_was() -> None:
    editor = LeafEditor()
    async with showing(editor) as pilot:
        applied: list[Any] = []

        @examples
        @given(leaves)
        def check(value: Any) -> None:
            editor.open(("a", 0), value)
            taken = editor.result()
            assert (type(taken), taken) == (type(value), value)
            applied.append(taken)

        check()
        await pilot.pause()


@pytest.mark.parametrize(
    ("value", "shown"),
    [("plain", "plain"), ("tab\there", '"tab\\there"'), ("\x1b[1m", '"\\u001b[1m"')],
)
async def test_a_text_that_one_line_cannot_show_is_edited_as_json(value: str, shown: str) -> None:
    editor = LeafEditor()
    async with showing(editor):
        editor.open((), value)
        assert editor.query_one(Input).value == shown

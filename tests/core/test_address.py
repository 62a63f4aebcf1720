"""Targets as people type them."""

from __future__ import annotations

import pytest

from flowdbg.core.address import FlowAddress, parse_target
from flowdbg.errors import UsageError


@pytest.mark.parametrize(
    ("text", "version"),
    [("o/p/f", None), ("o/p/f@production", None), ("o/p/f@3", 3), ("o/p/f@v3", 3)],
)
def test_a_target_names_a_flow_and_maybe_a_version(text: str, version: int | None) -> None:
    assert parse_target(text) == (FlowAddress("o", "p", "f"), version)


@pytest.mark.parametrize("text", ["o/p/f@draft", "o/p/f@v0", "o/p/f@0"])
def test_the_draft_is_refused_and_the_way_out_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"draft.*Publish it first"):
        parse_target(text)


@pytest.mark.parametrize(
    "text",
    ["", "f", "o/p", "o/p/f/g", "o//f", "o/p/f@x", "o/p/f@-1", "o/p/f?x", "../p/f", "o/p/f "],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)

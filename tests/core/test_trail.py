"""Trails are values: growing one never changes another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.trail import Trail


@given(st.lists(st.tuples(st.integers(0, 20), st.lists(st.integers(), max_size=3))))
def test_a_trail_behaves_like_an_immutable_list(grown: list[tuple[int, list[int]]]) -> None:
    trails: list[tuple[Trail[int], list[int]]] = [(Trail(), [])]
    for origin, items in grown:
        trail, model = trails[origin % len(trails)]
        trails.append((trail.extend(items), [*model, *items]))
    for trail, model in trails:
        assert list(trail) == model
        assert len(trail) == len(model)
        assert trail[:] == model
        assert trail[1::2] == model[1::2]
        assert list(reversed(trail)) == model[::-1]
        if model:
            assert trail[-1] == model[-1]
        with pytest.raises(IndexError):
            trail[len(model)]

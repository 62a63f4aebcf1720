"""JSON values and hostile texts for the property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.text("ab \n", min_size=61, max_size=90)
)

values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)

hostile: st.SearchStrategy[str] = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07\u202e\u2066\ud800\U000e0041\t\n\r\u200bab ")
)

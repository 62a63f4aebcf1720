"""The nearest known name for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` most likely meant, or None when none is near."""
    names = list(known)
    if name in names:
        return name
    lowered = {candidate.lower(): candidate for candidate in reversed(names)}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ": did you mean `x`?", or an empty text when nothing is near."""
    found = nearest(name, known)
    return f": did you mean `{found}`?" if found is not None and found != name else ""

"""What edited leaves of a value were before, to be shown beside them."""

from __future__ import annotations

from typing import Any

from flowdbg.present.json_diff import Kind, changes, compare
from flowdbg.present.json_paths import Path
from flowdbg.present.json_rows import preview


def former(original: Any, value: Any, prefix: Path = ()) -> dict[Path, str]:
    """Return what each differing leaf was, by its path.

    Containers above a differing leaf are there with an empty text, so that they can be marked too.

    Args:
        original: The value before it was edited.
        value: The value now.
        prefix: Where both stand inside a larger value.
    """
    was: dict[Path, str] = {}
    for change in changes(compare(original, value)):
        path = (*prefix, *change.path)
        if change.kind is Kind.REMOVED:
            path = path[:-1]
        for length in range(1, len(path) + 1):
            was.setdefault(path[:length], "")
        if change.kind in (Kind.CHANGED, Kind.MOVED):
            was[path] = preview(change.old, 60)
        elif change.kind is Kind.ADDED:
            was[path] = "absent"
    return was

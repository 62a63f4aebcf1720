"""Keys in sentences: which ones they are is up to whoever shows the sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

KeyOf = Callable[[str], str]
"""From the id of an action to what a person presses for it: `R` for `run.restart`."""

_NAMED = re.compile(r"\{([a-z]+\.[a-z-]+)\}")


def in_keys(text: str, key: KeyOf) -> str:
    """Return a sentence of ours or of a flow's author with `{run.step}` replaced by its key."""
    return _NAMED.sub(lambda named: key(named[1]), text)

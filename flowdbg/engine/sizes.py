"""How large values are as JSON text, without writing out more than is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flowdbg.engine.errors import BlockFailed


def json_size(value: Any) -> int:
    """The length of a value as JSON text.

    Raises:
        BlockFailed: It is nested too deep (`OUTPUT_TOO_LARGE`), or holds a number that JSON does
            not have (`OUTPUT_NOT_JSON`).
    """
    try:
        return len(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except RecursionError as error:
        raise BlockFailed(
            "OUTPUT_TOO_LARGE", "The output is nested too deep.", "Nest less.", retryable=False
        ) from error
    except ValueError as error:
        raise BlockFailed(
            "OUTPUT_NOT_JSON",
            "The output holds a number that JSON does not have: NaN or Infinity.",
            "Produce a number, or null.",
        ) from error


class Allowance:
    """So many bytes of JSON text, of which values take their part."""

    def __init__(self, limit: int, what: str) -> None:
        """`what` is the subject of the sentence when there is too much of it."""
        self._limit = limit
        self._left = limit
        self._what = what

    def take(self, values: Iterable[Any]) -> None:
        """Count values, one after the other.

        Raises:
            BlockFailed: Code `OUTPUT_TOO_LARGE`: together they are larger than the limit.
        """
        for value in values:
            self.spend(json_size(value))

    def spend(self, size: int) -> None:
        """Count so many bytes.

        Raises:
            BlockFailed: As `take`.
        """
        self._left -= size
        if self._left < 0:
            raise BlockFailed(
                "OUTPUT_TOO_LARGE",
                f"{self._what} more than {self._limit:,} bytes.",
                "Produce less, or make several steps of it.",
                retryable=False,
            )
